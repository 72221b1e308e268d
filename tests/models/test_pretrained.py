"""Models that ship: found by name, drawn from as from those of a run."""

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from dismai import models
from dismai.base.errors import InputError
from dismai.cli import app
from dismai.files.structures import read_structures
from dismai.files.tensors import read_tensors
from dismai.models import pretrained as shipped
from dismai.pipeline.submit import write_rounded
from tests.makers import alloy_spec

SMALL = {"latent": 2, "generator_first": 4, "generator_channels": (4,), "critic_channels": (4,),
         "critic_hidden": (4,)}  # fmt: skip


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A trained model of one dataset, and its rounded weights where those that ship are."""
    model = models.create("cryingan", alloy_spec(), **SMALL)
    model.networks = model.new_networks(0)
    model.save(tmp_path / "run" / "model.safetensors")
    folder = tmp_path / "weights"
    (folder / "alloy_300K_wide").mkdir(parents=True)
    write_rounded(
        tmp_path / "run" / "model.safetensors", folder / "alloy_300K_wide" / "cryingan.safetensors"
    )
    monkeypatch.setattr(shipped, "PLACES", (tmp_path / "none", folder))
    return tmp_path


def test_a_pretrained_model_draws_by_its_name(weights):
    words = ["generate", "cryingan", str(weights / "out.extxyz"), "--dataset", "alloy_300K_wide"]
    done = CliRunner().invoke(app, [*words, "-n", "3", "--seed", "5"])
    assert done.exit_code == 0, done.output
    drawn = read_structures(weights / "out.extxyz")
    exact = models.load(weights / "run" / "model.safetensors").sample(3, 5)
    assert len(drawn) == 3
    for one, other in zip(drawn, exact, strict=True):
        assert one.symbols.get_chemical_formula() == other.symbols.get_chemical_formula()
        np.testing.assert_allclose(one.positions, other.positions, atol=0.05)


def test_rounding_halves_large_tensors_and_leaves_the_others(weights):
    exact, header = read_tensors(weights / "run" / "model.safetensors")
    rounded, same = read_tensors(weights / "weights" / "alloy_300K_wide" / "cryingan.safetensors")
    assert same == header
    assert {tensor.dtype for tensor in rounded.values()} >= {torch.float16, torch.float32}
    for name, tensor in exact.items():
        torch.testing.assert_close(rounded[name].to(tensor.dtype), tensor, rtol=1e-3, atol=1e-6)


def test_a_name_that_does_not_ship_is_answered_with_those_that_do(weights):
    with pytest.raises(
        InputError, match="pretrained model of alloy_300K_wide: expected one of cry"
    ):
        shipped.pretrained("crying", "alloy_300K_wide")
    with pytest.raises(InputError, match="dataset of a pretrained model: .*alloy_300K_wide, found"):
        shipped.pretrained("cryingan", "interface")


def test_one_file_for_the_structures_is_asked_for(weights):
    for words in (["cryingan"], ["cryingan", "a.extxyz", "--out", "b.extxyz"]):
        with pytest.raises(InputError, match="generate: expected one file for the structures"):
            CliRunner().invoke(app, ["generate", *words], catch_exceptions=False)
