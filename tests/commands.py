"""Calls of dismai and snakemake in processes of their own, and what they print."""

import re
import subprocess
import sys
import time

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


def dismai(*arguments, check=True):
    command = [sys.executable, "-m", "dismai.cli", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True)
    if check:
        assert result.returncode == 0, result.stderr
    return result


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
    result = subprocess.run(
        command(*arguments, directory=directory, configs=configs), capture_output=True, text=True
    )
    assert not check or result.returncode == 0, result.stdout + result.stderr
    return result


def tiny_run(name, directory, *arguments):
    """One of the small runs, in a folder; or, by -n, its plan."""
    targets, configs = TINY_RUNS[name]
    return snakemake(*targets, *arguments, directory=directory, configs=configs)


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
