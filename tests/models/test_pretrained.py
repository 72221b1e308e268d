"""Models that ship: found by name, drawn from as from those of a run."""

import numpy as np
import pytest
import torch
import yaml
from typer.testing import CliRunner

from dismai import models
from dismai.base.card import DatasetSpec, cell_rows, write_card
from dismai.base.errors import InputError
from dismai.cli import app
from dismai.files.structures import read_structures
from dismai.files.tensors import read_tensors
from dismai.models import pretrained as shipped
from dismai.pipeline.config import run_table, validate
from dismai.pipeline.submit import write_rounded
from tests.commands import TINY, snakemake
from tests.conftest import ROOT
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


def run_with(weights, file, directory):
    """Structures of a pretrained model in the workflow; the card of the dataset is there."""
    overlay = directory / "ready.yaml"
    ready = {"kind": "pretrained", "model": file, "align": "translate"}
    runs = [{"datasets": ["alloy_300K_wide"], "models": ["ready"], "seeds": [0]}]
    overlay.write_text(yaml.safe_dump({"models": {"ready": ready}, "runs": runs}))
    write_card(alloy_spec(), directory / "results/tiny/datasets/alloy_300K_wide/card.json")
    words = ["results/tiny/generated/alloy_300K_wide/ready/seed0/raw.extxyz"]
    return snakemake(
        *words, "--allowed-rules", "generate_pretrained",
        directory=directory, configs=(TINY, overlay), check=False,
    )  # fmt: skip


def test_the_workflow_draws_from_a_model_that_is_there(weights, tmp_path):
    done = run_with(weights, "{dataset}/cryingan.safetensors", weights / "weights")
    assert done.returncode == 0, done.stdout + done.stderr
    drawn = weights / "weights/results/tiny/generated/alloy_300K_wide/ready/seed0/raw.extxyz"
    assert len(read_structures(drawn)) == 6


def test_a_model_of_other_structures_is_refused_by_its_file():
    card = alloy_spec()
    larger = DatasetSpec(
        name="silicon", kind="amorphous_si", composition={"Si": 8}, cell_A=card.cell_A
    )
    wider = card.model_copy(update={"cell_A": cell_rows(1.1 * card.cell)})
    more = card.model_copy(update={"composition": {"Cr": 5, "Fe": 21, "Ni": 6}})
    shipped.check_card(card, card, "w")
    for other, found in (
        (larger, "kind: expected alloy"),
        (wider, "cell: expected that of alloy"),
        (more, "atoms: expected Cr6 Fe20 Ni6 .*, found Cr5 Fe21 Ni6"),
    ):
        with pytest.raises(InputError, match=f"^w: {found}"):
            shipped.check_card(other, card, "w")


def test_a_configuration_names_a_pretrained_model_that_ships(weights):
    data = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    data["models"]["ready"] = {"kind": "pretrained", "model": "cryingan"}
    data["runs"] = [{"datasets": ["alloy_300K_wide"], "models": ["ready"], "seeds": [0]}]
    (run, *_) = run_table(validate(data))
    assert (run.model, run.kind) == ("ready", "pretrained")
    data["models"]["ready"]["model"] = "melted"
    with pytest.raises(InputError, match="models.ready.model: pretrained model of .*'melted'"):
        validate(data)
