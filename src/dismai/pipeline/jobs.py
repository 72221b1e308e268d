"""What every workflow script needs: its log, its threads, its provenance, and to die in time."""

import contextlib
import copy
import hashlib
import json
import logging
import platform
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path
from typing import Any, NoReturn, TextIO

import yaml

from dismai.base import stopping
from dismai.base.atomic import DISK_IS_FULL, explain_os_error, sha256, write_atomically
from dismai.base.device import compute_on_cpu, resolved
from dismai.base.errors import InputError
from dismai.base.kept import state_of
from dismai.base.processes import end_with_parents
from dismai.pipeline import gpus
from dismai.properties.names import NETWORK_OF

logger = logging.getLogger(__name__)

PACKAGES = ("dismai", "ase", "icet", "lightning", "numba", "numpy", "pandas", "scipy", "torch")


@contextmanager
def job(snakemake: Any, saves: bool = False) -> Iterator[None]:
    """Run one script: log to its file and to stderr, use its threads, end with its parent.

    An InputError, and a full disk, end the job with one line in the log and exit code 2.

    Args:
        snakemake: the object of the script.
        saves: the script calls `stopping.leave_if_asked`, so signals need not end it at once.
    """
    named = job_label(snakemake.rule, getattr(snakemake, "wildcards", None))
    log = _start_logging(Path(snakemake.log[0]), named)
    end_with_parents()
    if saves:
        stopping.listen()
    _use_threads(snakemake.threads)
    try:
        with contextlib.redirect_stdout(log):
            yield
    except InputError as error:
        logger.error("%s", error)
        sys.exit(2)
    except OSError as error:
        if error.errno not in DISK_IS_FULL:
            _end_with_traceback(snakemake.rule, error)
        logger.error("%s", explain_os_error(error))
        sys.exit(2)
    except Exception as error:
        _end_with_traceback(snakemake.rule, error)


def _end_with_traceback(rule: str, error: Exception) -> NoReturn:
    """The traceback stands in the log, whose end Snakemake shows; the terminal gets one line."""
    logger.exception("rule %s failed: %s: %s", rule, type(error).__name__, error)
    sys.exit(1)


class _OneLine(logging.Formatter):
    """A formatter that leaves tracebacks to the log."""

    def format(self, record: logging.LogRecord) -> str:
        plain = copy.copy(record)
        plain.exc_info = plain.exc_text = None
        return super().format(plain)


def job_label(rule: str, wildcards: Any) -> str:
    """Rule, and what the job belongs to: dataset, model, seed."""
    shown = {"dataset": "", "model": "", "scatteritem": "part "}
    words = [f"{shown.get(key, f'{key} ')}{value}" for key, value in (wildcards or {}).items()]
    return " ".join([rule, *words])


def _start_logging(path: Path, named: str) -> TextIO:
    """Log everything to a file, and what people wait for to stderr behind the name of the job.

    Warnings of other packages, and what they print, stand in the file alone. Returns its stream.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    to_file, to_terminal = logging.FileHandler(path, mode="w"), logging.StreamHandler()
    to_file.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    mark = named.replace("%", "%%")
    to_terminal.setFormatter(_OneLine(f"[{mark}] %(levelname)s: %(message)s"))
    to_terminal.addFilter(lambda record: record.name != "py.warnings")
    logging.basicConfig(level=logging.INFO, handlers=[to_file, to_terminal])
    logging.captureWarnings(True)
    return to_file.stream


def _use_threads(n_threads: int) -> None:
    if "numba" in sys.modules:
        numba = sys.modules["numba"]
        numba.set_num_threads(min(n_threads, numba.config.NUMBA_NUM_THREADS))
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(n_threads)


def device(snakemake: Any) -> str:
    """Where a job computes: a profile that lowers the request for a GPU to 0 means the CPU.

    Raises:
        InputError: the job was given a GPU that torch cannot use.
    """
    if not snakemake.resources.get("gpu", 0) or compute_on_cpu():
        return "cpu"
    gpus.claim(wanted=int(snakemake.resources.get("gpu")))
    return resolved("cuda" if gpus.granted() else "auto")


def devices(snakemake: Any) -> int:
    """GPUs of a job that share a training; 1 where the CPU computes."""
    return max(1, int(snakemake.resources.get("gpu", 1))) if device(snakemake) != "cpu" else 1


def deterministic(snakemake: Any) -> bool:
    """Whether a profile wants the same bytes from a GPU in every run: the resource of that name."""
    return bool(snakemake.resources.get("deterministic", 0))


def launcher(snakemake: Any) -> list[str]:
    """Words that start a program on the ranks that a profile gives the job; none without `mpi`."""
    resources = snakemake.resources
    words = shlex.split(resources.get("mpi", "") or "")
    return [*words, "-n", str(resources.tasks)] if words and resources.get("tasks") else words


def state_folder(snakemake: Any) -> Path:
    """Where a job keeps what it goes on with after a kill: beside its first output.

    Jobs that each make one part of a result share the folder of the result.
    """
    folder = Path(snakemake.output[0]).parent
    if "scatteritem" in snakemake.wildcards.keys():
        folder = folder.parent  # from that of the parts
    return state_of(folder)


def part_of(snakemake: Any) -> tuple[int, int]:
    """Which part of scattered work a job does, from 1, and of how many."""
    part, n_parts = map(int, snakemake.wildcards.scatteritem.split("-of-"))
    return part, n_parts


def package_versions() -> dict[str, str]:
    """Versions of the packages whose numbers enter results."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def origin(snakemake: Any) -> dict[str, Any]:
    """Where a result comes from: rule, params, SHA-256 of each named input, versions, threads.

    No time, host or path: the same configuration gives the same bytes anywhere.
    """
    inputs = {}
    for name in snakemake.input.keys():
        files = snakemake.input[name]
        files = [files] if isinstance(files, str) else list(files)
        inputs[name] = [sha256(file) for file in files]
    return {
        "rule": snakemake.rule,
        "wildcards": dict(sorted(snakemake.wildcards.items())),
        "params": dict(sorted(snakemake.params.items())),
        "inputs": inputs,
        "versions": package_versions(),
        "threads": snakemake.threads,
    }


def provenance(snakemake: Any) -> dict[str, str]:
    """The same as a footer of a Parquet table: canonical JSON under the key `dismai`."""
    return {"dismai": json.dumps(origin(snakemake), sort_keys=True, default=str)}


def write_config(config: dict[str, Any], path: Path) -> None:
    """Write the resolved configuration as YAML, its own SHA-256 in the first line."""
    text = yaml.safe_dump(config, sort_keys=True)
    write_atomically(path, f"# sha256 {hashlib.sha256(text.encode()).hexdigest()}\n{text}")


def write_environment(path: Path) -> None:
    """Write name and version of every installed package, one a line."""
    packages = {f"{package.metadata['Name']}=={package.version}" for package in distributions()}
    lines = [f"python=={platform.python_version()}", *sorted(packages)]
    write_atomically(path, "".join(f"{line}\n" for line in lines))


def networks(snakemake: Any) -> dict[str, Path]:
    """Networks that a job is given in place of published ones, by name of the property."""
    return {
        name.removeprefix(NETWORK_OF): Path(path)
        for name, path in snakemake.input.items()
        if name.startswith(NETWORK_OF)
    }
