"""Crystals off their sites are counted on the lattice that all their atoms show."""

import numpy as np
import pytest
from ase import Atoms
from ase.neighborlist import neighbor_list
from hypothesis import given, settings
from hypothesis import strategies as st

from dismai.base.card import FccLattice
from dismai.base.errors import InputError
from dismai.datasets.options import Options
from dismai.evaluation.process import describe_reference, process
from dismai.evaluation.score import score
from dismai.geometry.axes import count_vacancies
from dismai.geometry.cluster_expansion import PAIR_INDEX
from dismai.geometry.lattice_fit import fit_lattice
from dismai.metrics.clusters import counts, probabilities, species_indices
from dismai.postprocess import keep_on_lattice
from tests.makers import alloy_spec, ordered_alloys, random_crystal

few = settings(max_examples=8)
seeds = st.integers(0, 2**32 - 1)
QUARTERS = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]  # axes of the crystal along other axes of the box


def displaced(atoms, sigma, seed):
    """Gaussian displacements of every coordinate, Å."""
    moved = atoms.copy()
    moved.positions += np.random.default_rng(seed).normal(0, sigma, moved.positions.shape)
    return moved


def turned(atoms, matrix):
    """A crystal turned within its cubic box."""
    return Atoms(atoms.symbols, atoms.positions @ matrix, cell=atoms.cell, pbc=True)


def commensurate(seed):
    """A random alloy turned by 36.87 degrees about z, periodic in a cubic box of five cells."""
    sites = (random_crystal(0, (5, 5, 5)) * (3, 3, 2)).positions - [27.0, 27.0, 18.0]
    places = sites @ np.array([[4, 3, 0], [-3, 4, 0], [0, 0, 5]]) / 5
    inside = np.all((places > -9 + 1e-6) & (places <= 9 + 1e-6), axis=1)
    assert inside.sum() == 500
    species = np.random.default_rng(seed).choice(["Cr", "Fe", "Ni"], 500)
    return Atoms(species, places[inside] + 9, cell=[18.0] * 3, pbc=True)


@few
@given(seeds, st.sampled_from([0.05, 0.15, 0.3]), st.floats(-0.04, 0.04))
def test_displacement_strain_and_shift_lose_no_pair(seed, sigma, strain):
    atoms = random_crystal(seed)
    moved = displaced(atoms, sigma, seed)
    moved.positions += np.random.default_rng(seed).uniform(-20, 20, 3)
    moved.set_cell(moved.cell.array * [1 + strain, 1, 1 - strain / 2], scale_atoms=True)
    np.testing.assert_allclose(probabilities(moved), probabilities(atoms), atol=1e-12)


@few
@given(seeds, st.sampled_from([0.0, 0.15, 0.25]))
def test_a_crystal_turned_to_fit_another_way_into_its_box_loses_no_pair(seed, sigma):
    atoms = commensurate(seed)
    i, j, d = neighbor_list("ijd", atoms, 3.65)
    species = species_indices(atoms)
    dimers = np.zeros((2, 6))
    np.add.at(dimers, ((d > 3).astype(int), PAIR_INDEX[species[i], species[j]]), 0.5)
    moved = displaced(atoms, sigma, seed)
    found = counts(moved)[3:15].reshape(2, 6) * len(atoms)
    np.testing.assert_allclose(found, dimers, atol=1e-9)
    assert count_vacancies(moved[20:], 3.6) == 20
    kept, n_removed, status = keep_on_lattice(moved, FccLattice(supercell=(5, 5, 5)), "rotate")
    far = np.linalg.norm(moved.positions - atoms.positions, axis=1) > 0.7
    assert n_removed <= far.sum()
    assert status == "ok"


@pytest.mark.parametrize("align", ["translate", "rotate"])
@pytest.mark.parametrize("distance", [0.05, 0.15, 0.3, 0.6])
def test_one_displaced_atom_turns_and_shifts_nothing(align, distance):
    atoms = random_crystal(3)
    direction = np.array([0.48, 0.6, 0.64])
    for which in (0, 7):  # the first atom lies at the origin
        moved = atoms.copy()
        moved.positions[which] += distance * direction
        kept, n_removed, _ = keep_on_lattice(moved, FccLattice(), align)
        assert n_removed == 0
        np.testing.assert_allclose(probabilities(kept), probabilities(atoms), atol=1e-12)


def test_a_piece_that_does_not_fit_its_box_does_not_hang_on_its_first_atom():
    big = random_crystal(5) * (3, 3, 3)
    angle = np.deg2rad(20)
    turn = [[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    places = (big.positions - 21.6) @ np.array(turn)
    inside = np.all((places > -7.2 + 1e-6) & (places <= 7.2 + 1e-6), axis=1)
    piece = Atoms(big.symbols[inside], places[inside] + 7.2, cell=[14.4] * 3, pbc=True)
    first = np.linalg.norm(places[inside], axis=1).argmin()
    piece = piece[[first, *(i for i in range(len(piece)) if i != first)]]
    spoilt = piece.copy()
    spoilt.positions[0] += [0.15, -0.1, 0.12]
    whole, n_whole, _ = keep_on_lattice(piece, FccLattice(), "rotate")
    kept, n_removed, _ = keep_on_lattice(spoilt, FccLattice(), "rotate")
    assert abs(n_removed - n_whole) <= 2
    np.testing.assert_allclose(probabilities(kept), probabilities(whole), atol=0.01)


def test_atoms_at_random_are_no_crystal():
    rng = np.random.default_rng(0)
    for n, edge in ((32, 7.2), (256, 14.4)):
        for _ in range(20):
            box = np.full(3, edge)
            assert fit_lattice(rng.uniform(0, edge, (n, 3)), box, 3.6) is None


@pytest.mark.parametrize("align", ["none", "translate", "rotate"])
@pytest.mark.parametrize("sigma", [0.05, 0.15, 0.3])
def test_a_displaced_training_set_is_its_own_decorations(align, sigma):
    ideal = ordered_alloys(20)
    training = [displaced(atoms, sigma, i) for i, atoms in enumerate(ideal)]
    training = [turned(atoms, np.array(QUARTERS)) for atoms in training]
    spec, options = alloy_spec(), Options(align)
    reference = describe_reference(training, spec, options, "train.extxyz")
    result = process(dict(enumerate(ideal)), spec, options)
    table = score(result.features, result.fates, reference, None, spec, "m", "file", 0)
    values = table.set_index("metric")["value"]
    assert values["d_cluster"] < 1e-12
    assert abs(values["energy_above_training"]) < 1e-9


def test_training_structures_off_their_sites_are_refused():
    training = ordered_alloys(3)
    training[1].positions[:] = np.random.default_rng(1).uniform(0, 7.2, (32, 3))
    with pytest.raises(InputError, match="train.extxyz: structure 1: expected atoms near"):
        describe_reference(training, alloy_spec(), Options(), "train.extxyz")
