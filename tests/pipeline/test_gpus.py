"""Which device a job computes on: of several GPUs a free one, and never a CPU unasked."""

import os
from types import SimpleNamespace

import pytest
import torch

from dismai.base.errors import InputError
from dismai.pipeline import gpus, jobs


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """A machine whose driver lists two GPUs; the environment says nothing of them."""
    for name in (gpus.VISIBLE, "SLURM_JOB_ID", "DISMAI_CPU"):
        monkeypatch.setenv(name, "0")
        monkeypatch.delenv(name)
    monkeypatch.setattr(gpus, "_claims", [])
    for name in ("0000:17:00.0", "0000:65:00.0"):
        (tmp_path / "driver" / name).mkdir(parents=True)
    return tmp_path / "driver"


def job_with(**resources):
    return SimpleNamespace(resources=resources)


def test_each_job_of_a_machine_takes_a_free_gpu(driver, tmp_path, monkeypatch, caplog):
    chosen = []
    for _ in range(3):
        monkeypatch.delenv(gpus.VISIBLE, raising=False)
        chosen.append((gpus.claim(driver, tmp_path / "locks"), os.environ[gpus.VISIBLE]))
    assert chosen == [(0, "0"), (1, "1"), (None, "0")]
    assert "all 2 GPUs are taken by other jobs" in caplog.text
    gpus._claims.pop().close()  # the second job ends
    monkeypatch.delenv(gpus.VISIBLE)
    assert gpus.claim(driver, tmp_path / "locks") == 1


@pytest.mark.parametrize("chosen_by", [gpus.VISIBLE, "SLURM_JOB_ID"])
def test_what_a_queue_or_a_user_has_chosen_stands(driver, tmp_path, monkeypatch, chosen_by):
    monkeypatch.setenv(chosen_by, "3")
    before = dict(os.environ)
    assert gpus.claim(driver, tmp_path / "locks") is None
    assert dict(os.environ) == before


def test_a_gpu_that_a_queue_gave_and_torch_cannot_use_is_an_error(driver, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(gpus, "DRIVER", driver / "none")
    assert jobs.device(job_with(gpu=0)) == "cpu"
    assert jobs.device(job_with(gpu=1)) == "cpu"  # a machine without a GPU
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    with pytest.raises(InputError, match="expected a GPU, found none that torch"):
        jobs.device(job_with(gpu=1))
    assert jobs.device(job_with()) == "cpu"
    monkeypatch.setenv("DISMAI_CPU", "1")
    assert jobs.device(job_with(gpu=1)) == "cpu"


def test_a_gpu_that_is_there_is_used(driver, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv(gpus.VISIBLE, "0")
    assert jobs.device(job_with(gpu=1)) == "cuda"
    assert jobs.device(job_with(gpu=0)) == "cpu"


def test_a_profile_may_ask_for_the_same_bytes_in_every_run():
    assert jobs.deterministic(job_with(deterministic=1))
    assert not jobs.deterministic(job_with(gpu=1))


def test_a_job_of_several_gpus_takes_free_ones_and_shares_its_training(
    driver, tmp_path, monkeypatch
):
    assert gpus.claim(driver, tmp_path / "locks", wanted=2) == 0
    assert os.environ[gpus.VISIBLE] == "0,1"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert [jobs.devices(job_with(gpu=n)) for n in (0, 1, 2)] == [1, 1, 2]
    assert jobs.devices(job_with()) == 1
    monkeypatch.setenv("DISMAI_CPU", "1")
    assert jobs.devices(job_with(gpu=2)) == 1
