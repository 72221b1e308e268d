"""The workflow on a real SLURM daemon: `make test-slurm`, or inside `tests/slurm/with_cluster`."""

import shutil
import subprocess

import pytest

from dismai.files.structures import read_table
from dismai.pipeline.validation import findings
from dismai.potentials.labels import read_labels
from tests.commands import command
from tests.slurm.daemon import CONFIGS, jobs, on_slurm

pytestmark = pytest.mark.slurm
LABELS = "results/tiny/labels/interface/labels.extxyz"
METRICS = "results/tiny/metrics/amorphous_si/held_out/seed0.parquet"
PARTITIONS = {"train_model": "gpu", "generate_structures": "gpu", "label_interfaces": "vasp"}
"""Of rules that do not go to the partition cpu."""


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
