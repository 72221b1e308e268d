"""The workflow on a real SLURM daemon: `make test-slurm`, or inside `tests/slurm/with_cluster`."""

import re
import shutil
import subprocess
import sys

import pytest

from dismai.io import read_table
from dismai.validation import findings
from tests.workflow.test_workflow import METRICS, ROOT, TINY

pytestmark = pytest.mark.slurm
GPU_RULES = {"train_model", "generate_structures"}


def jobs():
    """Partition, allocated resources and state of every job the daemon knows, by rule."""
    text = subprocess.run(
        ["scontrol", "--oneliner", "--details", "show", "job"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = []
    for line in text.splitlines():
        fields = dict(word.split("=", 1) for word in line.split() if "=" in word)
        rule = re.match(r"rule_(shards|[a-z_]+?)_(?:wildcards|$|process)", fields["Comment"] + "_")
        name = rule.group(1) if rule else fields["Comment"]
        allocated = f"{fields['TRES']} allocated {fields.get('GRES', '')}"
        found.append((name, fields["Partition"], allocated, fields["JobState"]))
    return found


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with a tiny run that went through the profile of clusters."""
    if not shutil.which("sbatch"):
        pytest.skip("needs SLURM: make test-slurm")
    folder = tmp_path_factory.mktemp("slurm")
    command = [
        *(sys.executable, "-m", "snakemake", "all", "--snakefile", str(ROOT / "Snakefile")),
        *("--directory", str(folder), "--profile", str(ROOT / "profiles" / "slurm")),
        *("--slurm-init-seconds-before-status-checks", "5", "--configfile", str(TINY)),
    ]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def test_every_job_ran_in_the_partition_of_its_kind(finished):
    found = jobs()
    for rule, partition, allocated, state in sorted(found):
        print(f"{rule:24s} {partition:6s} {allocated:60s} {state}")
    assert {state for *_, state in found} == {"COMPLETED"}
    for rule, partition, resources, _ in found:
        on_gpu = rule in GPU_RULES
        assert partition == ("gpu" if on_gpu else "cpu"), rule
        assert ("gpu:1" in resources) == on_gpu, (rule, resources)
    assert GPU_RULES < {rule for rule, *_ in found}


def test_the_shards_of_a_set_shared_jobs(finished):
    shards = [rule for rule, *_ in jobs() if rule == "shards"]
    assert len(shards) == 1  # eight shards of four sets, up to ten in a job


def test_the_run_is_whole_and_its_numbers_are_those_of_a_run_without_slurm(finished, tmp_path):
    assert findings(finished / "results" / "tiny")[1] == []
    baseline = METRICS.replace("cryingan", "random_decoration")
    command = [
        *(sys.executable, "-m", "snakemake", baseline, "--snakefile", str(ROOT / "Snakefile")),
        *("--directory", str(tmp_path), "--profile", str(ROOT / "profiles" / "local")),
        *("--configfile", str(TINY)),
    ]
    subprocess.run(command, check=True, capture_output=True)
    assert read_table(tmp_path / baseline).equals(read_table(finished / baseline))
