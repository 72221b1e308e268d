"""What a workflow run says on the terminal: `--logger dismai`, as in profiles/local.

One line when a job starts and one when it ends, with rule, dataset, model and seed, how many jobs
are done and about how long the rest will take; failures with the end of their log; warnings and
errors as Snakemake says them. Snakemake's own file in .snakemake/log holds everything.
"""

import re
import sys
import time
from collections.abc import Iterable, Iterator
from logging import WARNING, LogRecord
from pathlib import Path

from snakemake.logging import DefaultFormatter
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from dismai.pipeline.jobs import job_label

TAIL = 30
"""Lines of the log of a failed job that are shown."""
CHATTER = (
    *("Select jobs to execute", "Execute ", "Building DAG", "Assuming unrestricted shared"),
    *("Using shell:", "Provided ", "Rules claiming more threads", "Removing temporary output"),
    *("Singularity containers", "Conda environments: ignored", "Complete log", "Would remove"),
    "Reasons:",
)
ENDED = re.compile(r"(returned non-zero exit status|died with) .*\.$")
USUAL = ("Missing output files", "Input files updated by another job", "Set of input files")


def readable_duration(seconds: float) -> str:
    """A time in the largest unit that suits it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def local_time(record: LogRecord) -> str:
    """When a record was made, in local time."""
    return time.strftime("%H:%M:%S", time.localtime(record.created))


def last_lines(logs: Iterable[str]) -> Iterator[str]:
    """The last lines of log files."""
    for log in logs:
        try:
            text = Path(log).read_text(encoding="utf-8", errors="replace")
        except OSError:
            yield f"    no log was written: {log}"
            continue
        lines = text.splitlines()
        cut = f", its last {TAIL} lines" if len(lines) > TAIL else ""
        yield f"    {log}{cut}:"
        yield from (f"    | {line}" for line in lines[-TAIL:])


def undecodable() -> list[str]:
    """Which YAML files of the command line are not UTF-8; Snakemake gives a traceback, no name."""
    found = []
    for word in sys.argv[1:]:
        if word.endswith((".yaml", ".yml")) and Path(word).is_file():
            try:
                Path(word).read_text(encoding="utf-8")
            except UnicodeDecodeError as error:
                found.append(f"dismai: {word}: expected UTF-8, found {error.reason} at byte "
                             f"{error.start} (iconv -f latin1 -t utf8 converts)")  # fmt: skip
    return found


class LogHandler(LogHandlerBase):
    """Writes to the terminal; `--quiet rules` leaves out starts, `--quiet progress` ends.

    Nothing silences warnings and failures.
    """

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        self.stream = sys.stdout if self.common_settings.stdout else sys.stderr
        self.usual = DefaultFormatter(self.common_settings.quiet, show_failed_logs=True)
        self.quiet = {kind.name.lower() for kind in self.common_settings.quiet or ()}
        self.total: dict[str, int] = {}
        self.jobs: dict[int, tuple[str, str, float]] = {}  # rule, label and start of a job
        self.taken: dict[str, list[float]] = {}  # seconds, by rule
        self.begun = time.time()

    def emit(self, record: LogRecord) -> None:
        """Say a record; one that cannot be made sense of is said as Snakemake would say it."""
        try:
            lines = list(self.lines(record))
        except Exception:  # this thread must not end: all later failures would be lost
            lines = [self.usual.format(record)]
        try:
            self.stream.write("".join(f"{line}\n" for line in lines))
            self.stream.flush()
        except (OSError, ValueError):  # the terminal has gone
            pass

    def lines(self, record: LogRecord) -> Iterable[str]:
        """What is said of a record."""
        event = getattr(record, "event", None)
        if event == LogEvent.RUN_INFO:
            return self._plan(record)
        if event == LogEvent.JOB_INFO:
            return self._start(record)
        if event == LogEvent.JOB_FINISHED:
            return self._end(record)
        if event == LogEvent.JOB_ERROR:
            return self._failure(record)
        ended = ENDED.search(str(record.msg)) if event == LogEvent.ERROR else None
        if ended:  # Snakemake's sentence names a temporary script; the failed job follows
            return [f"    {ended[0]}"]
        if getattr(record, "exception", "") == "UnicodeDecodeError" and (found := undecodable()):
            return found
        shown = record.levelno >= WARNING or self.common_settings.verbose
        shown |= event == LogEvent.SHELLCMD and self.common_settings.printshellcmds
        if event is None and "all" not in self.quiet:
            shown |= not str(record.msg).strip().startswith(CHATTER)
        return [self.usual.format(record)] if shown else []

    def _plan(self, record: LogRecord) -> Iterator[str]:
        again, self.total = bool(self.total), dict(record.stats)
        n_jobs = self.total.pop("total", 0)
        if "progress" in self.quiet or "all" in self.quiet or again:
            return
        yield str(record.msg).rstrip() if self.common_settings.dryrun else f"{n_jobs} jobs"

    def _start(self, record: LogRecord) -> Iterator[str]:
        named = job_label(record.rule_name, record.wildcards)
        self.jobs[record.jobid] = (record.rule_name, named, record.created)
        if self.quiet & {"rules", "all"}:
            return
        if self.common_settings.dryrun:
            reason = str(record.reason)
            yield f"{named}" if reason.startswith(USUAL) else f"{named}  ({reason})"
        else:
            yield f"{local_time(record)} start   {named}"

    def _end(self, record: LogRecord) -> Iterator[str]:
        rule, named, start = self.jobs.pop(record.job_id, ("", str(record.msg), self.begun))
        self.taken.setdefault(rule, []).append(record.created - start)
        if not self.quiet & {"progress", "all"}:
            took = readable_duration(record.created - start)
            yield f"{local_time(record)} done    {named}  {took}  [{self._rest(record.created)}]"

    def _failure(self, record: LogRecord) -> Iterator[str]:
        named = self.jobs.pop(record.jobid, ("", record.rule_name, 0.0))[1]
        yield f"{local_time(record)} FAILED  {named}"
        if record.rule_msg:
            yield f"    {record.rule_msg}"
        yield from (f"    {key}: {value}" for key, value in record.aux.items())
        if record.shellcmd:
            yield f"    command: {record.shellcmd}"
        yield from last_lines(record.log)

    def _rest(self, now: float) -> str:
        """Number of finished jobs, and an estimate of the time that the others take.

        A job still to come takes as long as those of its rule did or, before there is one, as the
        mean of all; as many run beside each other as until now.
        """
        times = [seconds for rule in self.taken.values() for seconds in rule]
        n_jobs = max(sum(self.total.values()), len(times))
        if len(times) == n_jobs or len(times) < 3:
            return f"{len(times)} of {n_jobs}"
        mean = sum(times) / len(times)
        left = -sum(now - start for _, _, start in self.jobs.values())
        for rule, number in self.total.items():
            own = self.taken.get(rule, [])
            left += (number - len(own)) * (sum(own) / len(own) if own else mean)
        beside = max(1.0, sum(times) / max(now - self.begun, 1.0))
        return f"{len(times)} of {n_jobs}, about {readable_duration(max(left, 0.0) / beside)} left"
