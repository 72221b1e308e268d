"""Cluster probabilities, formation energy and short-range order of alloys."""

import numpy as np
import pytest
from ase.neighborlist import neighbor_list
from hypothesis import given, settings
from hypothesis import strategies as st

from dismai.base.errors import StructureError
from dismai.geometry import axes as geometry
from dismai.geometry.cluster_expansion import PAIR_INDEX, cluster_names
from dismai.metrics import clusters
from tests.makers import crystal, random_crystal

SHELL_DISTANCES_A = [2.545584, 3.6, 4.409082, 5.091169, 5.6921, 6.235383, 6.734983]
few = settings(max_examples=15)
seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("name", ["A", "B", "C"])
def test_probabilities_equal_the_published_counting(alloys, vectors, name):
    expected = vectors["alloy"][name]["prob_exact"]
    np.testing.assert_allclose(clusters.probabilities(alloys[name]), expected, atol=1e-12)


@pytest.mark.parametrize("name", ["A", "B", "C"])
def test_formation_energy_equals_the_published_one(alloys, vectors, name):
    expected = vectors["alloy"][name]["formation_energy_eV_per_atom_from_counts_rounded_5dp"]
    assert clusters.formation_energy(alloys[name]) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("name", ["A", "B", "C"])
def test_short_range_order_equals_the_published_one(alloys, vectors, name):
    expected = vectors["alloy"][name]["sro"]
    found = clusters.warren_cowley(alloys[name]).ravel()
    names = clusters.sro_names()
    np.testing.assert_allclose(found, [expected[key] for key in names], atol=1e-14)


def test_exact_energy_of_structure_a(alloys):
    energy = clusters.formation_energy(alloys["A"], round_counts=False)
    assert energy == pytest.approx(-0.05453770868938414, abs=1e-15)


def test_distances_between_the_structures(alloys, vectors):
    p = {name: clusters.probabilities(atoms) for name, atoms in alloys.items()}
    ab, ac = np.linalg.norm(p["A"] - p["B"]), np.linalg.norm(p["A"] - p["C"])
    assert ab == pytest.approx(vectors["alloy"]["d_cluster_A_B"], abs=1e-12)
    assert ac == pytest.approx(vectors["alloy"]["d_cluster_A_C"], abs=1e-12)


def test_three_isolated_vacancies_lower_every_shell_to_its_occupied_share(alloys):
    # Sites 0, 8 and 32 are neighbours in none of the seven shells.
    atoms = alloys["A"][[i for i in range(256) if i not in (0, 8, 32)]]
    p = clusters.probabilities(atoms)
    assert p[:3].sum() == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(p[3:].reshape(7, 6).sum(axis=1), 250 / 253, atol=1e-12)
    assert 250 / 253 == pytest.approx(0.9881, abs=5e-5)


def test_random_decorations_have_the_analytic_mean_energy():
    rng = np.random.default_rng(2)
    ordered = np.repeat([0, 1, 2], [51, 154, 51])
    energies = [
        clusters.formation_energy(crystal(rng.permutation(ordered)), round_counts=False)
        for _ in range(400)
    ]
    error = np.std(energies) / np.sqrt(len(energies))
    assert np.mean(energies) == pytest.approx(-0.060175004, abs=4 * error)


@few
@given(seeds, st.sampled_from([(2, 2, 2), (3, 2, 2), (4, 4, 4)]))
def test_counts_agree_with_a_neighbour_list(seed, supercell):
    atoms = random_crystal(seed, supercell)
    species = clusters.species_indices(atoms)
    i, j, d = neighbor_list("ijd", atoms, SHELL_DISTANCES_A[-1] + 0.05)
    shells = np.abs(d[:, None] - SHELL_DISTANCES_A).argmin(axis=1)
    dimers = np.zeros((7, 6))
    np.add.at(dimers, (shells, PAIR_INDEX[species[i], species[j]]), 0.5)
    found = clusters.counts(atoms)
    np.testing.assert_allclose(found[3:], dimers.ravel() / len(atoms), atol=1e-12)
    np.testing.assert_allclose(found[:3], np.bincount(species, minlength=3) / len(atoms))


@few
@given(seeds)
def test_probabilities_of_a_supercell_are_the_same(seed):
    atoms = random_crystal(seed, (2, 2, 2))
    repeated = clusters.probabilities(atoms * (2, 1, 2))
    np.testing.assert_allclose(repeated, clusters.probabilities(atoms), atol=1e-12)


@few
@given(seeds)
def test_probabilities_ignore_shift_and_order_of_atoms(seed):
    rng = np.random.default_rng(seed)
    atoms = random_crystal(seed, (2, 2, 2))
    moved = atoms[rng.permutation(len(atoms))]
    moved.positions += rng.uniform(-5, 5, 3)
    expected = clusters.probabilities(atoms)
    np.testing.assert_allclose(clusters.probabilities(moved), expected, atol=1e-12)


@few
@given(seeds)
def test_counting_by_geometry_agrees_with_the_closed_form(seed):
    rng = np.random.default_rng(seed)
    atoms = random_crystal(seed, (4, 4, 4))
    atoms = atoms[rng.random(len(atoms)) > 0.02]
    species = clusters.species_indices(atoms)
    found = geometry.count_pairs(atoms, species, 3.6).ravel() / len(atoms)
    np.testing.assert_allclose(found, clusters.counts(atoms)[3:], atol=1e-12)


def test_a_turned_crystal_is_counted_by_its_own_axes():
    atoms = random_crystal(7)
    expected = clusters.probabilities(atoms)
    turned = atoms.copy()
    turned.positions = atoms.positions[:, [1, 2, 0]] * [1, -1, 1] + [0.3, 0.7, 1.1]
    rattled = turned.copy()
    rattled.rattle(0.03, seed=1)
    np.testing.assert_allclose(clusters.probabilities(turned), expected, atol=1e-12)
    np.testing.assert_allclose(clusters.probabilities(rattled), expected, atol=1e-12)


def test_an_absent_species_gives_nan_not_infinity():
    alpha = clusters.warren_cowley(crystal(np.ones(256, dtype=int)))
    pairs = clusters.SRO_PAIRS
    assert alpha[0, pairs.index("Fe-Fe")] == 0
    assert np.isnan(np.delete(alpha, pairs.index("Fe-Fe"), axis=1)).all()


def test_names_and_order_of_the_columns():
    names = cluster_names()
    assert len(names) == 45
    assert names[:5] == ["0NN_Cr", "0NN_Fe", "0NN_Ni", "1NN_Cr-Cr", "1NN_Cr-Fe"]
    assert names[-1] == "7NN_Ni-Ni"


def test_another_element_and_a_structure_without_axes_are_refused():
    atoms = random_crystal(0)
    atoms.symbols[3] = "Cu"
    with pytest.raises(StructureError, match="expected only Cr, Fe, Ni, found Cu"):
        clusters.counts(atoms)
    gas = random_crystal(0)
    gas.positions = np.random.default_rng(0).uniform(0, 14.4, (256, 3))
    with pytest.raises(StructureError, match="no atom with perpendicular neighbours"):
        clusters.counts(gas)
