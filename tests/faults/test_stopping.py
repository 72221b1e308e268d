"""SIGTERM and SIGUSR1 end a job after its step, batch or structure; the next call goes on."""

import os
import signal
import subprocess
import sys

import pandas as pd
import pytest
import torch

from dismai import models
from dismai.base import stopping
from dismai.potentials import check_entry
from dismai.potentials.resumable import relax_resumably
from dismai.potentials.settings import RelaxationSettings
from dismai.potentials.worker import Worker
from dismai.training.callbacks import History, states
from tests.makers import alloy_spec, rattled_cells
from tests.models.conftest import SMALL, fit_and_save, one_thread, outcome  # noqa: F401
from tests.models.drawing import Random

SW = check_entry({"kind": "sw"})
HARDLY_EVER = {"checkpoint_every": 10_000}
"""No state but the last one, unless somebody asks for it."""


@pytest.fixture
def listening(monkeypatch):
    """Signals are remembered, and forgotten afterwards."""
    before = {number: signal.getsignal(number) for number in stopping.SIGNALS}
    stopping.listen()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    stopping._asked.clear()
    stopping._listening.clear()


def asks_once(monkeypatch, owner, name, number, at_call):
    """Have a method send a signal to this process in its n-th call."""
    original, calls = getattr(owner, name), []

    def method(*args, **kwargs):
        calls.append(None)
        if len(calls) == at_call:
            os.kill(os.getpid(), number)
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, name, method)


@pytest.mark.parametrize("step", [3, 8, 11])  # of 4 epochs of 8
def test_training_ends_after_its_step_and_resumes_to_the_same_bytes(
    tmp_path, listening, monkeypatch, one_thread, step  # noqa: F811
):  # fmt: skip
    settings = SMALL | HARDLY_EVER
    fit_and_save(models.create("cryingan", alloy_spec(), **settings), tmp_path / "undisturbed")
    asks_once(monkeypatch, History, "on_train_batch_end", signal.SIGTERM, at_call=step)
    killed = tmp_path / "killed"
    with pytest.raises(SystemExit) as error:
        fit_and_save(models.create("cryingan", alloy_spec(), **settings), killed)
    assert error.value.code == stopping.EXIT_CODE == 75
    assert [path.name for path in states(killed / "state")] == [f"step{step:09d}.safetensors"]
    stopping._asked.clear()
    fit_and_save(models.create("cryingan", alloy_spec(), **settings), killed)
    assert outcome(killed) == outcome(tmp_path / "undisturbed")


def test_generation_ends_after_its_batch(tmp_path, listening, monkeypatch):
    expected = Random().sample(10, seed=1)
    model = Random()
    model.state_folder = tmp_path
    asks_once(monkeypatch, torch, "randn", signal.SIGUSR1, at_call=6)
    with pytest.raises(SystemExit):
        model.sample(10, seed=1)
    assert model.drawn == [0, 4]
    stopping._asked.clear()
    again = Random()
    again.state_folder = tmp_path
    torch.testing.assert_close(again.sample(10, seed=1), expected, rtol=0, atol=0)
    assert again.drawn == [8]


def test_relaxation_ends_after_its_structure(tmp_path, listening, monkeypatch):
    structures = rattled_cells(4)
    _, expected = relax_resumably(structures, SW, RelaxationSettings(), tmp_path / "undisturbed")
    asks_once(monkeypatch, Worker, "relax", signal.SIGTERM, at_call=2)
    with pytest.raises(SystemExit):
        relax_resumably(structures, SW, RelaxationSettings(), tmp_path / "killed")
    assert len(list((tmp_path / "killed").iterdir())) == 2
    stopping._asked.clear()
    _, table = relax_resumably(structures, SW, RelaxationSettings(), tmp_path / "killed")
    pd.testing.assert_frame_equal(table, expected, check_exact=True)


@pytest.mark.parametrize(("saves", "code"), [(True, 75), (False, -signal.SIGTERM)])
def test_only_jobs_that_save_listen(tmp_path, saves, code):
    """A job that does not ask for signals ends at once, as any program does."""
    script = (
        "import os, signal; from types import SimpleNamespace\n"
        "from dismai.base import stopping; from dismai.pipeline.jobs import job\n"
        f"snakemake = SimpleNamespace(log=[{str(tmp_path / 'log')!r}], threads=1, rule='r')\n"
        f"with job(snakemake, saves={saves}):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    stopping.leave_if_asked()\n"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == code
    assert ("asked to end by a signal" in (tmp_path / "log").read_text()) == saves
