"""Calls through the profile of clusters, and what the daemon knows of their jobs."""

import re
import subprocess
import sys

from tests.commands import TINY
from tests.conftest import ROOT

CONFIGS = (TINY, ROOT / "tests" / "config" / "tiny_slurm.yaml")


PROFILE = ROOT / "profiles" / "slurm"


def on_slurm(*targets, directory, configs=CONFIGS, profile=PROFILE):
    """A snakemake call with the profile of clusters, as a list of words."""
    return [
        *(sys.executable, "-m", "snakemake", *targets, "--snakefile", str(ROOT / "Snakefile")),
        *("--directory", str(directory), "--profile", str(profile)),
        *("--slurm-init-seconds-before-status-checks", "5"),
        *("--configfile", *map(str, configs)),
    ]


def jobs():
    """Rule or group, partition, allocated resources and state of every job the daemon knows.

    Without an accounting database SLURM lists allocated GPUs as JOB_GRES, not in AllocTRES.
    """
    text = subprocess.run(
        ["scontrol", "--oneliner", "--details", "show", "job"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = []
    for line in text.splitlines():
        fields = dict(word.split("=", 1) for word in line.split() if "=" in word)
        name = re.match(r"rule_(.+?)(?:_wildcards_|$)", fields["Comment"]).group(1)
        allocated = fields.get("AllocTRES") or fields["TRES"]
        allocated += f" {fields.get('JOB_GRES', '').replace('(null)', '')}"
        found.append((name, fields["Partition"], allocated, fields["JobState"]))
    return sorted(found)
