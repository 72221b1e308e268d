"""The workflow on a real SLURM daemon: `make test-slurm`, or inside `tests/slurm/with_cluster`."""

import re
import shutil
import subprocess
import sys

import pytest

from dismai.files.structures import read_table
from dismai.pipeline.validation import findings
from dismai.potentials.labels import read_labels
from tests.workflow.test_workflow import ROOT, TINY, command

pytestmark = pytest.mark.slurm
CONFIGS = (TINY, ROOT / "tests" / "config" / "tiny_slurm.yaml")
LABELS = "results/tiny/labels/interface/labels.extxyz"
METRICS = "results/tiny/metrics/amorphous_si/held_out/seed0.parquet"
PARTITIONS = {"train_model": "gpu", "generate_structures": "gpu", "label_interfaces": "vasp"}
"""Of rules that do not go to the partition cpu."""


def on_slurm(*targets, directory, configs=CONFIGS):
    """A snakemake call with the profile of clusters, as a list of words."""
    return [
        *(sys.executable, "-m", "snakemake", *targets, "--snakefile", str(ROOT / "Snakefile")),
        *("--directory", str(directory), "--profile", str(ROOT / "profiles" / "slurm")),
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


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with a tiny run that went through the profile of clusters."""
    if not shutil.which("sbatch"):
        pytest.skip("needs SLURM: make test-slurm")
    folder = tmp_path_factory.mktemp("slurm")
    result = subprocess.run(
        on_slurm("all", LABELS, directory=folder), capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def test_every_job_ran_in_the_partition_of_its_kind(finished):
    found = jobs()
    print(f"\n{'rule or group':28s} {'partition':9s} {'AllocTRES, JOB_GRES':50s} state")
    for rule, partition, allocated, state in found:
        print(f"{rule:28s} {partition:9s} {allocated:50s} {state}")
    assert {state for *_, state in found} == {"COMPLETED"}
    for rule, partition, allocated, _ in found:
        assert partition == PARTITIONS.get(rule, "cpu"), rule
        assert ("gpu:a100:1" in allocated) == (partition == "gpu"), (rule, allocated)
    assert PARTITIONS.keys() < {rule for rule, *_ in found}


def test_shards_shared_jobs(finished):
    names = [rule for rule, *_ in jobs()]
    # Nine shards of five generated sets, two of the training blocks, ten to a job.
    assert names.count("shards_process_structures") == 1
    assert names.count("blocks_relax_training_blocks") == 1
    assert "process_structures" not in names
    assert len(list(finished.glob("results/tiny/logs/process_structures/**/*.log"))) == 9


def test_the_run_is_whole_and_its_numbers_are_those_of_a_run_without_slurm(finished, tmp_path):
    assert findings(finished / "results" / "tiny")[1] == []
    assert len(read_labels(finished / LABELS)) >= 2
    subprocess.run(
        command(METRICS, directory=tmp_path, configs=CONFIGS), check=True, capture_output=True
    )
    assert read_table(tmp_path / METRICS).equals(read_table(finished / METRICS))
