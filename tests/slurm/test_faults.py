"""Faults of a cluster, on a real daemon: a job out of time, a node that fails.

Minutes each: `tests/slurm/with_cluster python -m pytest -m slow -s tests/slurm`.
"""

import re
import shutil
import subprocess
import time

import pytest

from tests.commands import TINY, snakemake, wait_for
from tests.slurm.daemon import on_slurm

pytestmark = [pytest.mark.slurm, pytest.mark.slow]
MODEL = "results/tiny/models/alloy_300K_wide/cryingan/seed0"
WEIGHTS = f"{MODEL}/model.safetensors"


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """A training of minutes, and its weights without any fault, made without SLURM."""
    if not shutil.which("sbatch"):
        pytest.skip("needs SLURM: make test-slurm")
    folder = tmp_path_factory.mktemp("slow")
    path = folder / "slow.yaml"
    path.write_text("models: {cryingan: {params: {epochs: 1500, checkpoint_every: 100}}}")
    undisturbed = folder / "undisturbed"
    undisturbed.mkdir()
    # The profile of clusters gives a training 8 threads, and their number is part of the result.
    threads = ("--set-threads", "train_model=1")
    snakemake(WEIGHTS, *threads, directory=undisturbed, configs=(TINY, path))
    return path, (undisturbed / WEIGHTS).read_bytes()


def submit(folder, config, *arguments):
    words = on_slurm(
        WEIGHTS,
        "--set-threads",
        "train_model=1",
        *arguments,
        directory=folder,
        configs=(TINY, config),
    )
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def trainings():
    """State and number of requeues of every training the daemon knows."""
    text = subprocess.run(
        ["scontrol", "--oneliner", "show", "job"], capture_output=True, text=True, check=True
    ).stdout
    lines = [line for line in text.splitlines() if "Comment=rule_train_model" in line]
    return [tuple(re.search(rf"{key}=(\S+)", line).group(1) for key in ("JobState", "Restarts"))
            for line in lines]  # fmt: skip


def has_state(folder):
    return any((folder / MODEL / "state").glob("step*.safetensors"))


def test_a_job_out_of_time_saves_and_the_next_attempt_goes_on(tmp_path, slow):
    config, expected = slow
    # One minute, and SIGTERM as early as SLURM can send it.
    limits = ("train_model:runtime=attempt", "train_model:slurm_extra='--signal=TERM@30'")
    run = submit(tmp_path, config, "--set-resources", *limits, "--retries", "9")
    said, _ = run.communicate()
    print(said[-1500:], trainings())
    assert run.returncode == 0
    log = (
        tmp_path / "results/tiny/logs/train_model/alloy_300K_wide/cryingan/seed0.log"
    ).read_text()
    assert "resuming from" in log
    assert len(trainings()) > 1
    assert (tmp_path / WEIGHTS).read_bytes() == expected


def test_a_job_of_a_node_that_fails_is_put_back_and_goes_on(tmp_path, slow):
    config, expected = slow
    before = len(trainings())
    run = submit(tmp_path, config)
    wait_for(lambda: has_state(tmp_path), seconds=600)
    node = subprocess.run(["hostname", "-s"], capture_output=True, text=True).stdout.strip()
    update = ["scontrol", "update", f"nodename={node}"]
    subprocess.run([*update, "state=down", "reason=drill"], check=True)
    time.sleep(10)
    # A node that registers again comes back by itself; then there is nothing to resume.
    subprocess.run([*update, "state=resume"], capture_output=True)
    said, _ = run.communicate()
    print(said[-1500:], trainings())
    assert run.returncode == 0
    assert int(trainings()[before][1]) >= 1  # the same job, started again by SLURM
    assert (tmp_path / WEIGHTS).read_bytes() == expected
