"""Calls of dismai and snakemake in processes of their own, and what they print."""

import atexit
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

from tests.conftest import ROOT

EXAMPLE = ROOT / "examples" / "toy_model"
CONFIG = ROOT / "tests" / "config"
TINY = CONFIG / "tiny.yaml"
INTERFACE = (TINY, CONFIG / "tiny_interface.yaml")
SILICON = (TINY, CONFIG / "tiny_si.yaml")
TINY_RUNS = {
    "alloy": (("all",), (TINY,)),
    "interface": (("all",), INTERFACE),
    "silicon": (("all",), SILICON),
    "chain": (
        (
            "results/tiny/figures/potentials/m3gnet/parity.svg",
            "results/tiny/figures/potentials/gap_si/parity.svg",
            "results/tiny/tables/minima/m3gnet/table5.csv",
            "results/tiny/metrics/interface/random_interfaces/seed0.parquet",
            "results/tiny/datasets/amorphous_si/card.json",
        ),
        (*INTERFACE, SILICON[-1], CONFIG / "tiny_chain.yaml"),
    ),
}
"""Targets and configurations of the small runs that tests make, each by `tiny_run`."""


IMPORTS = {
    "snakemake": ("snakemake.cli", "dismai.pipeline.config", "dismai.pipeline.cost"),
    "dismai.cli": (
        *("dismai.evaluation.file", "dismai.evaluation.comparison"),
        *("dismai.report.output", "dismai.report.describe"),
    ),
}
"""Programs that tests call often, and what they import."""
OF_SCRIPTS = (
    *("ase.io", "lightning", "matplotlib.figure", "pandas", "pyarrow.parquet", "scipy.optimize"),
    *("torch", "dismai.models", "dismai.evaluation.process", "dismai.evaluation.score"),
    *("dismai.pipeline.jobs", "dismai.pipeline.relaxed_set", "dismai.report.figures"),
)
"""What scripts of the workflow import."""


def dismai(*arguments, check=True):
    result = run_dismai(*arguments)
    if check:
        assert result.returncode == 0, result.stderr
    return result


def run_dismai(*words, text=True):
    """`python -m dismai.cli` with these words."""
    return _forked("dismai.cli", *words, text=text)


def run_snakemake(*words, folder=ROOT, python=""):
    """`python -m snakemake` with these words in a folder.

    python: a command that runs scripts in place of the interpreter.
    """
    return _forked("snakemake", *words, folder=folder, python=python)


@cache
def _python_of_scripts():
    """A command that runs a script in a fork of a process with its imports, one for a worker."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    address = f"{folder}/socket"
    words = [sys.executable, str(ROOT / "tests" / "forks.py"), "--scripts", address, *OF_SCRIPTS]
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    server = subprocess.Popen(
        words,
        env={**os.environ, **threads},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(server.communicate)
    assert server.stdout.readline() == "ready\n"
    return f"{sys.executable} -I -S {ROOT / 'tests' / 'one_script.py'} {address}"


@cache
def _server(program):
    """The process that has imported a program, one for all tests of a worker."""
    words = [sys.executable, str(ROOT / "tests" / "forks.py"), program, *IMPORTS[program]]
    server = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(server.communicate)
    return server


def _forked(program, *words, folder=ROOT, text=True, python=""):
    """One of IMPORTS called in a process of its own, a fork of one that has imported it."""
    with tempfile.TemporaryDirectory() as kept:
        said = {name: Path(kept, name) for name in ("stdout", "stderr")}
        request = {"words": list(map(str, words)), "folder": str(folder), "python": python}
        request |= {"environment": dict(os.environ)} | {key: str(said[key]) for key in said}
        server = _server(program)
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        read = Path.read_text if text else Path.read_bytes
        texts = {name: read(path) for name, path in said.items()}
    return subprocess.CompletedProcess([program, *words], code, **texts)


def command(*arguments, directory, configs=(TINY,)):
    """A snakemake call in another folder, as a list of words."""
    config = ["--configfile", *map(str, configs)] if configs else []
    return [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")),
        *("--directory", str(directory), *arguments),
        *config,
        *("--profile", str(ROOT / "profiles" / "local")),
    ]


def snakemake(*arguments, directory, configs=(TINY,), check=True):
    _, _, _, *words = command(*arguments, directory=directory, configs=configs)
    planned_only = {"-n", "--dry-run"} & set(arguments)
    result = run_snakemake(*words, python="" if planned_only else _python_of_scripts())
    assert not check or result.returncode == 0, result.stdout + result.stderr
    return result


def tiny_run(name, directory, *arguments):
    """One of the small runs, in a folder; or, by -n, its plan."""
    targets, configs = TINY_RUNS[name]
    return snakemake(*targets, *arguments, directory=directory, configs=configs)


def with_datasets_of(finished, directory):
    """A folder, which need not exist, that has the datasets of a finished tiny run."""
    datasets = "results/tiny/datasets"
    shutil.copytree(finished / datasets, directory / datasets)
    return directory


def installed_example(folder):
    """The example of a model as an editable installation has it: its folder below another one, and
    metadata that setuptools makes of its pyproject.toml. Pip would fetch the tools that build a
    wheel.
    """
    package = folder / "toy_model"
    package.mkdir()
    for name in ("pyproject.toml", "toy_model.py"):
        (package / name).write_bytes((EXAMPLE / name).read_bytes())
    build = [sys.executable, "-c", "import setuptools; setuptools.setup()", "egg_info"]
    subprocess.run(build, cwd=package, check=True, capture_output=True)
    assert list(package.glob("*.egg-info/entry_points.txt"))
    return package


def planned(output):
    """Job counts of a dry run, by rule."""
    rows = re.findall(r"^(\w+) +(\d+)$", output.split("Job stats:")[1], flags=re.MULTILINE)
    return {rule: int(count) for rule, count in rows}


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
