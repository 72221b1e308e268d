import numpy as np
import pytest
from ase.build import bulk

from dismai.base.errors import InputError
from dismai.metrics import crystalnn
from dismai.metrics.motifs import (
    coordination_numbers,
    ligand_numbers,
    motif_distribution,
    motif_names,
    motif_shares,
    motifs,
)
from tests.makers import interface264, si256

LABELS = crystalnn.feature_names()


def vector(values):
    out = np.zeros((1, 61))
    for label, value in values.items():
        out[0, LABELS.index(label)] = value
    return out


def names_of(fingerprints):
    return [motif_names()[k] for k in motifs(fingerprints)]


@pytest.mark.parametrize(
    ("atoms", "name"),
    [
        (bulk("Si", a=5.43), "tetrahedral CN_4"),
        (bulk("Cu", a=3.6), "cuboctahedral CN_12"),
        (bulk("NaCl", "rocksalt", a=5.64), "octahedral CN_6"),
    ],
)
def test_crystals_have_their_motif(atoms, name):
    assert set(names_of(crystalnn.fingerprints(atoms))) == {name}


def test_names_run_from_high_to_low_numbers_and_backwards_within():
    names = motif_names()
    assert names[0] == "None CN_24"
    assert names[11:16] == [
        "None CN_13",
        "q6 CN_12",
        "q4 CN_12",
        "q2 CN_12",
        "cuboctahedral CN_12",
    ]
    assert names[-2:] == ["L-shaped CN_2", "sgl_bd CN_1"]
    assert len(names) == 61 - 24 + 12


def test_labels_are_compared_whole():
    # text matching would let the columns of number 12 compete for number 1
    f = vector({"wt CN_1": 0.5, "sgl_bd CN_1": 0.5, "wt CN_12": 0.4, "q6 CN_12": 0.9})
    assert names_of(f) == ["sgl_bd CN_1"]


def test_ties_go_to_the_smaller_number_and_no_likelihood_is_one():
    assert list(coordination_numbers(vector({"wt CN_3": 0.5, "wt CN_5": 0.5}))) == [3]
    assert list(coordination_numbers(np.zeros((1, 61)))) == [1]
    assert names_of(vector({"wt CN_16": 1.0})) == ["None CN_16"]


def test_shares_add_up_to_a_hundred():
    np.testing.assert_allclose(motif_shares(crystalnn.fingerprints(si256(1))).sum(), 100)


def test_intervals_hold_the_value_and_rare_motifs_are_left_out():
    per_structure = [crystalnn.fingerprints(si256(seed)) for seed in (1, 2)]
    found = motif_distribution(per_structure)
    for interval in found.values():
        assert interval.value >= 1
        assert interval.low <= interval.value <= interval.high
    crystal = [crystalnn.fingerprints(bulk("Si", a=5.43))]
    assert list(motif_distribution(per_structure, crystal)) == ["tetrahedral CN_4"]


def test_ligands_are_those_of_the_most_likely_number():
    atoms = interface264()
    fingerprints = crystalnn.fingerprints(atoms, "interface")
    preset = crystalnn.PRESETS["interface"]
    found = ligand_numbers(fingerprints)
    numbers = coordination_numbers(fingerprints)
    for row, site in list(enumerate(crystalnn.sites(atoms, "interface")))[::10]:
        index, _, _ = crystalnn.neighbors(atoms, site, preset.settings, preset.oxidation_states)
        if len(index) != numbers[row]:  # coordination number 0 is more likely still
            assert len(index) == 0
            continue
        symbols = list(atoms.symbols[index])
        assert list(found[row]) == [symbols.count("Cl"), symbols.count("O")]


def test_wrong_shapes_are_refused():
    with pytest.raises(InputError, match="61"):
        motifs(np.zeros((3, 60)))
    with pytest.raises(InputError, match="109"):
        ligand_numbers(np.zeros((3, 61)))
