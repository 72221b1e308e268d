"""How networks run: compiled ones give what plain ones give, convolutions are laid out for GPUs."""

import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn
from torch._dynamo.backends.debugging import aot_eager

from benchmarks.small_models import COMMON, SMALL
from dismai import models
from dismai.base import running
from tests.makers import alloy_spec, permuted_alloys


@pytest.fixture
def runs(monkeypatch):
    """Runs of what was compiled as on a GPU, forward and backward, but for torch's own kernels."""
    found = []

    def backend(graph, inputs):
        compiled = aot_eager(graph, inputs)

        def counted(*arguments):
            found.append(graph)
            return compiled(*arguments)

        return counted

    monkeypatch.setattr(running, "compiler", lambda device: {"backend": backend})
    yield found
    torch._dynamo.reset()


def losses(folder):
    """Numbers of a history, an empty place 0."""
    rows = (folder / "history.csv").read_text().split()[1:]
    return [[float(number or 0) for number in row.split(",")] for row in rows]


def test_compiled_training_and_sampling_are_the_plain_ones(runs, tmp_path):
    drawn, n_runs, structures = [], [], permuted_alloys(6)
    for compiles in (False, True):
        settings = {**SMALL["diffcsp"], **COMMON, "compile": compiles}
        model = models.create("diffcsp", alloy_spec(), **settings)
        model.device = "cpu"
        model.fit(structures[:4], structures[4:], tmp_path / str(compiles), 3)
        n_runs.append(len(runs))
        drawn.append([atoms.positions for atoms in model.sample(2, 0)])
        n_runs.append(len(runs))
    assert n_runs[:2] == [0, 0]
    assert 0 < n_runs[2] < n_runs[3]  # of training, then of sampling, too
    assert_allclose(losses(tmp_path / "True"), losses(tmp_path / "False"), rtol=1e-5)
    assert_allclose(*drawn, atol=1e-4)  # Å


def test_a_compiled_gradient_of_a_gradient_is_the_plain_one(runs, tmp_path):
    structures = permuted_alloys(4)
    for compiles in (False, True):
        settings = {**SMALL["cryingan"], **COMMON, "compile": compiles, "epochs": 1}
        model = models.create("cryingan", alloy_spec(), **settings)
        model.device = "cpu"
        model.fit(structures, structures, tmp_path / str(compiles), 3)
    assert len(runs) == 2 * (2 + 2)  # steps: two critics, the generator for them and for itself
    assert_allclose(losses(tmp_path / "True"), losses(tmp_path / "False"), rtol=1e-5)


def traced(network, *inputs):
    """What a network gives when torch traces it as one graph."""
    compiled = torch.compile(network, backend="eager", fullgraph=True, dynamic=False)
    with torch.no_grad():
        return compiled(*inputs)


def test_networks_of_pictures_and_videos_are_one_graph():
    narrow = {"multipliers": [1], "joint_attention": [True], "cross_attention": [True]}
    unimat = models.create("unimat", alloy_spec(), **{**SMALL["unimat"], **narrow})
    network = unimat.new_networks(0)
    video, level = torch.ones(1, 3, *unimat.mask.shape), torch.zeros(1)
    assert network.compilable
    with torch.no_grad():
        assert_allclose(traced(network, video, level), network(video, level), atol=1e-5)
    torch._dynamo.reset()


def test_only_a_network_whose_dropout_is_off_is_compilable():
    networks = models.create("crystens", alloy_spec(), **SMALL["crystens"]).new_networks(0)
    assert networks.sr.compilable
    assert not networks.base.compilable
    assert networks.eval().base.compilable


def test_convolutions_of_a_gpu_in_short_numbers_have_channels_last(monkeypatch):
    for device, precision, expected in (
        ("cpu", "bf16-mixed", False),
        ("cuda", "32-true", False),
        ("cuda", "bf16-mixed", True),
    ):
        layer = nn.Sequential(nn.Conv2d(4, 8, 3), nn.Linear(2, 2))
        before = layer[0].weight.clone()
        with running.running(layer, device, precision, deterministic=False, compiles=False):
            last = layer[0].weight.is_contiguous(memory_format=torch.channels_last)
            assert last == expected
            assert torch.equal(layer[0].weight, before)
