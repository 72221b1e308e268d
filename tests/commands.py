"""Calls of dismai and snakemake in processes of their own, and what they print."""

import re
import subprocess
import sys
import time

from tests.conftest import ROOT

TINY = ROOT / "tests" / "config" / "tiny.yaml"


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


def planned(output):
    """Job counts of a dry run, by rule."""
    rows = re.findall(r"^(\w+) +(\d+)$", output.split("Job stats:")[1], flags=re.MULTILINE)
    return {rule: int(count) for rule, count in rows}


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
