"""`dismai dataset`: sets that are those of the shipped references, bytes that stay."""

import numpy as np
import pyarrow.parquet as pq
import pytest

import dismai
from dismai.base.atomic import sha256
from dismai.base.card import read_card
from dismai.base.kinds import KINDS
from dismai.base.resources import shipped_references
from dismai.datasets.amorphous_si import made
from dismai.datasets.interface.build import random_interfaces
from dismai.datasets.interface.made import settings_of
from dismai.datasets.recipe import recipe_of
from dismai.errors import InputError
from dismai.evaluation.reference import load_shipped
from dismai.evaluation.training_set import make_files
from dismai.files.structures import write_structures
from dismai.metrics.clusters import published_expansion
from tests.commands import dismai as command

SMALL_ALLOY = {
    "train.extxyz": "4266139b3dda23bda6f47d74bd207e084ff51dc2e49073dd0c381997cf50ac64",
    "val.extxyz": "db0da540c192f5b8bfd256114b9cd245402f3fe33f060182b32b5b819bfefc77",
}


def test_the_command_writes_the_same_bytes_everywhere(tmp_path):
    words = ["--out", tmp_path / "train.extxyz", "--val", tmp_path / "val.extxyz"]
    said = command("dataset", "alloy_300K_wide", "--size", "small", *words).stdout
    assert "train.extxyz: 80 structures of 32 atoms, 0.1 MiB, 20 held out in" in said
    assert {name: sha256(tmp_path / name) for name in SMALL_ALLOY} == SMALL_ALLOY
    card = read_card(tmp_path / "card.json")
    assert (card.name, card.n_train, card.n_val) == ("alloy_300K_wide", 80, 20)
    assert card.provenance["size"] == "small"


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS["alloy"].datasets)
def test_an_alloy_is_that_of_the_reference_in_every_decoration(name):
    train, val, card = dismai.dataset(name)
    counted = KINDS["alloy"].extra("packed_reference")([*train, *val], card)
    shipped = pq.read_table(shipped_references()[name]).to_pandas()
    assert (len(train), len(val)) == (1200, 300)
    np.testing.assert_array_equal(counted, shipped[list(counted)])


def test_silicon_is_cut_relaxed_and_named(monkeypatch):
    monkeypatch.setitem(made.SMALL, "n_structures", 5)
    train, val, card = dismai.dataset("amorphous_si", size="small")
    assert (len(train), len(val), card.n_atoms) == (4, 1, 64)
    assert card.statistics["energy_mean_eV_per_atom"] == pytest.approx(-2.84, abs=0.03)
    assert not any(np.allclose(train[0].positions, one.positions) for one in train[1:])


def test_interfaces_start_where_those_of_the_reference_did(tmp_path):
    card = load_shipped("interface", published_expansion()).spec
    settings, seed = settings_of(card), recipe_of(card)["seed"]
    random = random_interfaces(
        settings.geometry, settings.n_random, seed, "random_interfaces", card.name
    )
    write_structures(random, tmp_path / "random.extxyz")
    assert [sha256(tmp_path / "random.extxyz")] == card.provenance["inputs"]["structures"]


def test_a_card_of_another_dataset_is_not_replaced(tmp_path):
    make_files("alloy_300K_wide", tmp_path / "train.extxyz", size="small")
    with pytest.raises(InputError, match="expected the card of alloy_300K_narrow"):
        make_files("alloy_300K_narrow", tmp_path / "other.extxyz", size="small")
    with pytest.raises(InputError, match="expected another file than that of --out"):
        make_files("alloy_300K_wide", tmp_path / "a.extxyz", tmp_path / "a.extxyz", "small")


def test_an_unknown_dataset_is_one_line():
    done = command("dataset", "alloy_300K_wde", "--out", "x.extxyz", check=False)
    assert done.returncode == 2
    assert "did you mean alloy_300K_wide" in done.stderr
    with pytest.raises(InputError, match="did you mean alloy_300K_wide"):
        dismai.dataset("alloy_300K_wde")
