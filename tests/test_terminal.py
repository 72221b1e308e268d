"""What a workflow run says: jobs by name, time left, failures with the end of their log."""

import logging
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from snakemake_interface_logger_plugins.common import LogEvent

from dismai.report.text import align_columns
from snakemake_logger_plugin_dismai import TAIL, LogHandler

SNAKEFILE = """
rule all:
    input: collect("{dataset}/{model}/seed{seed}.txt", dataset=["si", "alloy"], model="m", seed=0),

rule score:
    output: "{dataset}/{model}/seed{seed}.txt",
    log: "logs/{dataset}/{model}/seed{seed}.log",
    shell:
        "seq 1 50 > {log}; echo the reason >> {log}; "
        "test {wildcards.dataset} = si && echo 1 > {output}"
"""


def snakemake(folder, *words):
    (folder / "Snakefile").write_text(textwrap.dedent(SNAKEFILE))
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--keep-going", *words]
    result = subprocess.run(
        [*command, "--logger", "dismai"], cwd=folder, capture_output=True, text=True
    )
    return result.returncode, result.stdout, result.stderr


def test_every_line_of_a_job_names_it_and_a_failure_shows_the_end_of_its_log(tmp_path):
    code, _, said = snakemake(tmp_path)
    assert code == 1
    for line in ("start   score si m seed 0", "start   score alloy m seed 0"):
        assert said.count(line) == 1
    assert re.search(r"done    score si m seed 0  \d+ s  \[\d of 3", said)
    assert said.count("FAILED  score alloy m seed 0") == 1
    assert "    | the reason\n" in said
    assert f"logs/alloy/m/seed0.log, its last {TAIL} lines:" in said
    assert "    | 21\n" not in said
    assert "    | 50\n" in said
    assert "Select jobs" not in said
    assert "CalledProcessError" not in said
    assert "    returned non-zero exit status 1." in said
    assert "Execute " not in said


@pytest.mark.parametrize("quiet", ["rules", "progress", "all"])
def test_no_degree_of_silence_hides_a_failure(tmp_path, quiet):
    code, _, said = snakemake(tmp_path, "--quiet", quiet)
    assert code == 1
    assert "FAILED  score alloy m seed 0" in said
    assert "    | the reason\n" in said
    assert ("start   score" in said) == (quiet == "progress")
    assert ("done    score" in said) == (quiet == "rules")


def test_a_dry_run_is_a_plan_of_one_line_a_job(tmp_path):
    code, plan, _ = snakemake(tmp_path, "-n")
    assert code == 0
    lines = plan.splitlines()
    for line in ("score        2", "total        3", "score si m seed 0", "score alloy m seed 0"):
        assert lines.count(line) == 1
    code, counts, _ = snakemake(tmp_path, "-n", "--quiet", "rules")
    assert counts.count("score        2") == 1
    assert "score si" not in counts


def handler(**settings):
    usual = {"quiet": None, "stdout": True, "verbose": False, "dryrun": False}
    usual |= {"printshellcmds": False}
    return LogHandler(SimpleNamespace(**(usual | settings)), None)


def record(level=logging.INFO, message="", created=0.0, **extra):
    made = logging.LogRecord("snakemake", level, "", 0, message, None, None)
    made.__dict__.update(extra, created=created)
    return made


def test_a_record_that_is_not_understood_is_shown_and_the_next_one_too(capsys):
    ours = handler()
    ours.emit(record(logging.ERROR, "broken", event=LogEvent.JOB_FINISHED))
    ours.emit(record(logging.ERROR, "something failed"))
    said = capsys.readouterr().out
    assert "broken" in said
    assert "something failed" in said


def test_a_terminal_that_has_gone_ends_nothing(capsys):
    ours = handler()
    ours.stream = open("/dev/full", "w")  # noqa: SIM115
    ours.emit(record(logging.ERROR, "something failed"))


def test_the_time_left_counts_jobs_by_what_their_rule_has_taken(capsys):
    ours = handler()
    ours.begun = 0.0
    ours.emit(record(event=LogEvent.RUN_INFO, stats={"train": 3, "score": 3, "total": 6}))
    times = [("train", 0, 600), ("score", 600, 660), ("score", 660, 720), ("train", 720, 1320)]
    for number, (rule, start, end) in enumerate(times):
        info = {"rule_name": rule, "wildcards": {"dataset": "si"}, "reason": ""}
        ours.emit(record(event=LogEvent.JOB_INFO, jobid=number, created=start, **info))
        ours.emit(record(event=LogEvent.JOB_FINISHED, job_id=number, created=end))
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.endswith("done    train si  10 min  [4 of 6, about 11 min left]")


def test_warnings_of_other_packages_go_to_the_log_alone_and_lines_name_their_job(tmp_path):
    script = """
        import sys, warnings
        from types import SimpleNamespace
        from dismai.pipeline.jobs import job, logger
        named = {"dataset": "si", "model": "m", "seed": "0"}
        with job(SimpleNamespace(log=[sys.argv[1]], threads=1, rule="train", wildcards=named)):
            warnings.warn("theirs is old")
            print("a library chats")
            logger.info("loss 100%")
            raise ValueError("wrong")
    """
    log = tmp_path / "job.log"
    words = [sys.executable, "-c", textwrap.dedent(script), str(log)]
    result = subprocess.run(words, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "[train si m seed 0] INFO: loss 100%",
        "[train si m seed 0] ERROR: rule train failed: ValueError: wrong",
    ]
    for part in ("theirs is old", "a library chats", "loss 100%", "Traceback", "wrong"):
        assert part in log.read_text()


def test_a_table_for_the_terminal_is_aligned_with_dashes_for_what_is_missing():
    text = align_columns("| model | kind | rank_a |\n| --- | --- | --- |\n| m | trained | 12 |\n"
                   "| random_decoration | baseline | nan |\n")  # fmt: skip
    assert text.splitlines() == [
        "model              kind      rank_a",
        "m                  trained       12",
        "random_decoration  baseline       –",
    ]
    assert align_columns("") == ""


def test_the_profile_of_one_machine_uses_these_lines():
    profile = yaml.safe_load(Path("profiles/local/config.yaml").read_text())
    assert profile["logger"] == "dismai"


def test_a_configuration_in_another_encoding_is_one_line(tmp_path):
    (tmp_path / "mine.yaml").write_bytes("note: Müller".encode("latin-1"))
    code, _, said = snakemake(tmp_path, "--configfile", "mine.yaml")
    assert code == 1
    assert said.startswith("dismai: mine.yaml: expected UTF-8, found ")
    assert len(said.splitlines()) == 1


def test_notes_below_a_table_follow_it_on_the_terminal():
    table = "| model | rank |\n| --- | --- |\n| best | 1 |\n\nn: accepted structures.\n"
    text = align_columns(table)
    assert text.splitlines() == ["model  rank", "best      1", "", "n: accepted structures."]
