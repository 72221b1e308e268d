"""Two processes that share batches: the training of one process, also after an end within it."""

import threading

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

from benchmarks.small_models import COMMON, SMALL
from dismai import models
from dismai.base import stopping
from dismai.base.errors import InputError
from dismai.training import callbacks
from dismai.training.sharing import Group, sharing
from tests.makers import alloy_spec, permuted_alloys

SETTINGS = {**SMALL["diffcsp"], **COMMON, "batch": 3}
"""Batches of 3 and of 1: a process without a structure is among them."""


def fit(devices, folder, **changes):
    model = models.create("diffcsp", alloy_spec(), **{**SETTINGS, **changes})
    model.device, model.devices = "cpu", devices
    structures = permuted_alloys(6)
    model.fit(structures[:4], structures[4:], folder, 3)
    return model


def losses(folder):
    return np.genfromtxt(folder / "history.csv", delimiter=",", skip_header=1)


def test_every_structure_is_computed_once():
    for n in range(7):
        rows = [range(n)[Group(rank, 3).rows(n)] for rank in range(3)]
        assert [i for part in rows for i in part] == list(range(n))
        assert max(map(len, rows)) <= -(-n // 3)


class Counted(nn.Module):
    """A network that notes how many structures it was given."""

    compilable = True

    def __init__(self):
        super().__init__()
        self.weight, self.seen = nn.Parameter(torch.ones(())), []

    def forward(self, x, unused=None):
        self.seen.append(len(x))
        return self.weight * x


def test_a_network_computes_the_rows_of_its_process_alone(monkeypatch):
    def from_both(parts, own):
        parts[0].copy_(own)
        parts[1].fill_(7.0)  # what the other process is pretended to have found

    monkeypatch.setattr(torch.distributed, "all_gather", from_both)
    network = Counted()
    with sharing(network, Group(0, 2)):
        y = network(torch.arange(5.0), None)
    assert network.seen == [2]
    assert y.tolist() == [0.0, 1.0, 7.0, 7.0, 7.0]
    y.sum().backward()
    assert network.weight.grad == 0.0 + 1.0
    assert network(torch.zeros(5)).tolist() == [0.0] * 5  # whole again


def test_two_processes_give_the_losses_and_weights_of_one(tmp_path, monkeypatch):
    alone = fit(1, tmp_path / "one")
    steps, save = [], callbacks.StateKeeper._save_if_due
    monkeypatch.setattr(stopping, "_asked", threading.Event())

    def ask_to_end(keeper, *arguments, **choices):
        steps.append(arguments)
        if len(steps) == 3:  # the first of the two steps of the second epoch
            stopping._asked.set()
        save(keeper, *arguments, **choices)

    monkeypatch.setattr(callbacks.StateKeeper, "_save_if_due", ask_to_end)
    with pytest.raises(SystemExit) as left:
        fit(2, tmp_path / "two")
    stopping._asked.clear()
    assert left.value.code == stopping.EXIT_CODE
    together = fit(2, tmp_path / "two")
    assert_allclose(losses(tmp_path / "two"), losses(tmp_path / "one"), rtol=1e-5)
    ours, others = (one.networks.state_dict() for one in (together, alone))
    for name, weight in ours.items():
        assert_allclose(weight, others[name], rtol=1e-4, atol=1e-4)


def test_what_cannot_be_shared_is_refused_in_one_line(tmp_path):
    with pytest.raises(InputError, match="diffcsp: devices: expected 1 with compile: true"):
        fit(2, tmp_path, compile=True)
    model = models.create("cdvae", alloy_spec())
    model.device, model.devices = "cpu", 2
    with pytest.raises(InputError, match="cdvae: devices: expected 1, for none of its networks"):
        model.fit(permuted_alloys(2), permuted_alloys(2), tmp_path, 0)
