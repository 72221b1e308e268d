"""A CGCNN of one's own: trained on a known property, written, read by what predicts."""

import re

import numpy as np
import pytest
import yaml
from ase.build import bulk

from dismai.base.errors import InputError
from dismai.files.structures import write_structures
from dismai.pipeline.config import load
from dismai.properties.cgcnn.files import load as load_network
from dismai.properties.cgcnn.files import predict
from dismai.properties.cgcnn.train import split, train, values_of, write_network
from dismai.properties.settings import CgcnnTraining
from tests.commands import TINY, snakemake
from tests.conftest import ROOT

METALS = ("Cu", "Ag", "Au", "Al", "Ni", "Pd", "Pt", "Pb", "Ca", "Sr", "Rh", "Ir")
SMALL = CgcnnTraining(
    structures="given.extxyz", value="volume", epochs=25, batch=8, width=16, n_convolutions=2,
    hidden=16,
)  # fmt: skip


@pytest.fixture(scope="module")
def crystals():
    """Metals at three volumes each, with the volume of an atom, A^3, as their property."""
    structures = [bulk(symbol, "fcc", a=a) for symbol in METALS for a in (3.6, 4.0, 4.4)]
    for atoms in structures:
        atoms.info["volume"] = atoms.get_volume() / len(atoms)
    return structures


@pytest.fixture(scope="module")
def trained(crystals):
    return train(crystals, values_of(crystals, "volume", "given"), SMALL, seed=1)


def test_it_learns_what_is_held_out_too_and_keeps_its_best_epoch(crystals, trained):
    spread = np.std(values_of(crystals, "volume", "given"))
    assert trained.errors.shape == (25, 2)
    assert trained.errors[:, 1].min() < 0.3 * spread < trained.errors[0, 1]


def test_its_file_predicts_what_it_learnt_and_has_the_same_bytes_again(crystals, trained, tmp_path):
    values = values_of(crystals, "volume", "given")
    again = train(crystals, values, SMALL, seed=1)
    for name, one in (("first", trained), ("second", again)):
        write_network(one, tmp_path / name, target="volume")
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    predicted = predict([load_network(tmp_path / "first")], crystals, "shared")[:, 0]
    held_out = split(crystals, SMALL.validation_share, 1)
    off = np.abs(predicted - values)[held_out].mean()
    assert off == pytest.approx(trained.errors[:, 1].min(), rel=1e-3)
    assert load_network(tmp_path / "first").facts["target"] == "volume"


def test_a_formula_is_held_out_as_a_whole(crystals):
    held_out = split(crystals, 0.25, 3)
    assert held_out.sum() == 9
    assert all(len(set(part)) == 1 for part in held_out.reshape(-1, 3))


@pytest.mark.parametrize(
    ("value", "message"),
    [(None, "structure 2: expected a finite number volume, found None"),
     (np.nan, "structure 2: expected a finite number volume, found nan"),
     ("high", "found 'high'")],
)  # fmt: skip
def test_a_crystal_without_a_number_is_one_line(crystals, value, message):
    given = [atoms.copy() for atoms in crystals[:4]]
    given[2].info["volume"] = value
    with pytest.raises(InputError, match=re.escape(message)):
        values_of(given, "volume", "given.extxyz")
    with pytest.raises(InputError, match="at least two formulae, found 1"):
        split(given[:3], 0.2, 0)


@pytest.mark.parametrize(
    ("entry", "found"),
    [({}, "neither"), ({"file": "a", "train": {"structures": "b", "value": "c"}}, "both")],
)
def test_an_entry_has_a_file_or_a_training(entry, found, tmp_path):
    overlay = {"properties": {"band_gap": {"kind": "cgcnn", **entry}}}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(overlay))
    with pytest.raises(InputError, match=f"expected a file or train, found {found}"):
        load(ROOT / "config" / "config.yaml", tmp_path / "own.yaml")


def test_the_workflow_trains_it_before_crystals_are_described(crystals, tmp_path):
    write_structures(crystals[:12], tmp_path / "given.extxyz")
    (tmp_path / "cifs").mkdir()
    training = SMALL.model_copy(update={"epochs": 2}).model_dump(mode="json")
    overlay = {"properties": {"band_gap": {"kind": "cgcnn", "train": training}}}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(overlay))
    configs = (TINY, ROOT / "tests" / "config" / "tiny_crystals.yaml", tmp_path / "own.yaml")
    card = "results/tiny/datasets/crystals/card.json"
    assert "train_property" in snakemake(card, "-n", directory=tmp_path, configs=configs).stdout
    target = "results/tiny/properties/band_gap.safetensors"
    snakemake(target, directory=tmp_path, configs=configs)
    assert load_network(tmp_path / target).facts["n_crystals"] == 12
    history = (tmp_path / target).with_suffix(".csv").read_text().splitlines()
    assert history[0] == "epoch,error,validation_error"
    assert len(history) == 3
