"""All models on a pretended GPU: fit, end within an epoch, go on, sample; where the host waits."""

import numpy as np
import pytest
import torch

from benchmarks.small_models import COMMON, SMALL
from dismai import models
from dismai.base import stopping
from dismai.training import callbacks
from tests.makers import alloy_spec, common_crystals, permuted_alloys
from tests.models.conftest import outcome
from tests.pretended_gpu import pretended_gpu


def set_of(name):
    """Card and structures that an architecture can model."""
    if name.startswith("crystal_"):
        return models.paper_spec("crystals"), common_crystals(8)
    return alloy_spec(), permuted_alloys(8)


def model_on(device, name):
    model = models.create(name, set_of(name)[0], **SMALL[name], **COMMON)
    model.device = device
    return model


def fit(device, name, folder):
    _, structures = set_of(name)
    model = model_on(device, name)
    model.fit(structures[:6], structures[6:], folder, 3)
    model.save(folder / "model.safetensors")
    return model


def drawn_by(model):
    """What three structures are: positions, or what the picture of a crystal says."""
    structures = model.sample(3, 0)
    if model.architecture.startswith("crystal_"):
        return np.array([list(atoms.info.values()) for atoms in structures])
    return np.array([atoms.positions for atoms in structures])


GRAPH = {f"models/cdvae/graph.py:{name}" for name in ("_images", "_graph_of_mask", "graph")}
"""How many bonds there are only the device knows, and what follows needs room for them."""
WAITS_OF_A_STEP = {
    "cdvae": GRAPH,
    "cryingan": {
        "models/cryingan/distances.py:nearest_neighbours"
    },  # whether minimum images are enough
    # how many images the cell needs; which structures have wide noise
    "melt": {"models/melt/graph.py:_all_pairs", "models/melt/noise.py:scaled_score"},
}
"""Where the host may wait for the GPU in a training step; nowhere else."""
WAITS_OF_SAMPLING = {
    "cdvae": {*GRAPH, "models/cdvae/model.py:_draw"},  # sizes, species and the end of a batch
    "diffcsp": {"models/diffcsp/model.py:sample", "models/batches.py:draw"},
    "unimat": {
        "models/unimat/model.py:sample",
        "models/unimat/representation.py:decode",
        "models/batches.py:draw",
    },
    "crystens": {"models/crystens/pictures.py:to", "models/crystens/model.py:draw"},
    **dict.fromkeys(("crystal_gan", "crystal_wgan"), {"models/batches.py:draw"}),
    "melt": {  # repair and names go by turns that depend on the places
        "models/batches.py:draw",
        "models/melt/graph.py:_all_pairs",
        "models/melt/model.py:sample",
        *(f"models/melt/naming.py:{name}" for name in ("groups", "name_places")),
        *(f"models/melt/sampler.py:{name}" for name in ("draw", "repair")),
        *(f"models/melt/sampler.py:{name}" for name in ("doubled_atoms", "fill_voids")),
    },
}
"""Once a batch or less, but for the graphs of CDVAE and for Melt."""
OTHER_KERNELS = ("unimat", "crystens")
"""Attention takes another way through torch where it does not see a CPU: bytes differ."""


def losses(folder):
    return np.genfromtxt(folder / "history.csv", delimiter=",", skip_header=1)


@pytest.mark.parametrize("name", SMALL)
def test_a_training_on_a_gpu_ends_within_an_epoch_and_goes_on(
    name, tmp_path, monkeypatch, one_thread
):
    on_cpu = fit("cpu", name, tmp_path / "cpu")
    expected = drawn_by(on_cpu)
    seen, original = [], callbacks.StateKeeper.on_train_batch_end

    with pretended_gpu(monkeypatch) as waits:

        def ask_to_end(self, *args):
            seen.append(waits.places.copy())
            if len(seen) == 5:  # the second step of the second epoch
                stopping._asked.set()
            return original(self, *args)

        monkeypatch.setattr(callbacks.time, "monotonic", lambda: 0.0)  # progress waits, too
        monkeypatch.setattr(callbacks.StateKeeper, "on_train_batch_end", ask_to_end)
        with pytest.raises(SystemExit) as left:
            fit("auto", name, tmp_path / "gpu")
        assert left.value.code == stopping.EXIT_CODE
        stopping._asked.clear()
        on_gpu = fit("auto", name, tmp_path / "gpu")
        waits.places.clear()
        found = drawn_by(on_gpu)
    assert set(seen[4] - seen[3]) <= WAITS_OF_A_STEP.get(name, set())
    assert set(waits.places) <= WAITS_OF_SAMPLING.get(name, set())
    if name in OTHER_KERNELS:
        np.testing.assert_allclose(losses(tmp_path / "gpu"), losses(tmp_path / "cpu"), rtol=1e-5)
        np.testing.assert_allclose(found, expected, atol=0.01)  # Å
    else:
        assert outcome(tmp_path / "gpu") == outcome(tmp_path / "cpu")
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("precision", ["32-true", "tf32", "bf16-mixed"])
def test_every_model_of_the_papers_takes_every_precision(precision):
    for name in SMALL:
        settings = {**SMALL[name], **COMMON, "precision": precision}
        model = models.create(name, set_of(name)[0], **settings)
        assert model.hparams.precision == precision


def test_the_pretended_gpu_refuses_what_a_gpu_refuses(monkeypatch):
    on_the_cpu = torch.ones(2)
    with pretended_gpu(monkeypatch) as waits:
        there = on_the_cpu.to("cuda")
        for mixed in (
            lambda: there + on_the_cpu,
            lambda: torch.stack([there.sum(), on_the_cpu.sum()]),
            lambda: there.numpy(),
        ):
            with pytest.raises((RuntimeError, TypeError), match=r"same device|cuda:0"):
                mixed()
        assert (2 * there + on_the_cpu.sum()).cpu().tolist() == [4.0, 4.0]
    assert not waits.places  # only functions of the package are noted
