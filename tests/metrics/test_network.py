import itertools

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st

from dismai.base.errors import InputError, StructureError
from dismai.metrics.network import (
    bond_network,
    coordination_shares,
    dihedral_angles,
    dihedral_distribution,
)
from dismai.metrics.rings import ring_counts, ring_shares
from tests.makers import random_cell, si256

SEEDS = st.integers(0, 2**32 - 1)
some = settings(max_examples=10)


def silicon(rattle, seed=0, repeat=2):
    atoms = bulk("Si", a=5.43, cubic=True).repeat(repeat)
    atoms.rattle(rattle, seed=seed)
    return atoms


def test_diamond_has_four_neighbors_and_known_dihedral_angles():
    atoms = bulk("Si", a=5.43)
    assert list(coordination_shares(atoms)) == [0, 0, 0, 0, 100, 0, 0, 0, 0]
    angles = dihedral_angles(bond_network(atoms))
    assert len(angles) == 4 * 9  # bonds times pairs of their neighbours
    np.testing.assert_allclose(np.unique(np.round(angles, 4)), [60, 180])
    assert (np.round(angles) == 60).sum() == 2 * (np.round(angles) == 180).sum()


def test_dihedral_angles_are_those_of_ase():
    atoms = Atoms("Si4", [(1, 0, -0.5), (0, 0, 0), (0, 0, 2), (1, 1.2, 2.5)])
    atoms.positions *= 1.1
    atoms.set_cell([30, 30, 30])
    atoms.pbc = True
    angles = dihedral_angles(bond_network(atoms, cutoff=2.3))
    expected = atoms.get_dihedral(0, 1, 2, 3)
    np.testing.assert_allclose(angles, [min(expected, 360 - expected)])


def test_a_triangle_has_no_dihedral_angle():
    atoms = Atoms("Si3", [(0, 0, 0), (2, 0, 0), (1, 1.7, 0)], cell=[20] * 3, pbc=True)
    assert len(dihedral_angles(bond_network(atoms, cutoff=2.1))) == 0


def test_atoms_on_a_line_have_no_dihedral_angle():
    atoms = Atoms("Si4", [(0, 0, 0), (0, 0, 2), (0, 0, 4), (0, 0, 6)], cell=[20] * 3, pbc=True)
    network = bond_network(atoms, cutoff=2.1)
    assert len(dihedral_angles(network)) == 0
    with pytest.raises(StructureError, match="no dihedral"):
        dihedral_distribution(network)
    with pytest.raises(InputError, match="divisor"):
        dihedral_distribution(network, 7.0)


@some
@given(SEEDS)
def test_networks_of_supercells_are_repeated(seed):
    rng = np.random.default_rng(seed)
    atoms = random_cell(rng, 8)
    for cutoff in (None, 2.9):
        one = bond_network(atoms, cutoff)
        many = bond_network(atoms.repeat((2, 1, 2)), cutoff)
        np.testing.assert_allclose(
            np.sort(np.tile(dihedral_angles(one), 4)), np.sort(dihedral_angles(many)), atol=1e-5
        )
    np.testing.assert_array_equal(
        coordination_shares(atoms), coordination_shares(atoms.repeat((1, 3, 1)))
    )


@some
@given(SEEDS)
def test_bonds_are_mutual(seed):
    atoms = random_cell(np.random.default_rng(seed), 12)
    network = bond_network(atoms)
    i = np.repeat(np.arange(12), np.diff(network.first))
    there = set(zip(i, network.other, map(tuple, network.shift), strict=True))
    back = set(zip(network.other, i, map(tuple, -network.shift), strict=True))
    assert there == back


def test_diamond_has_two_rings_of_six_per_atom():
    for atoms in (bulk("Si", a=5.43), silicon(0.0), silicon(0.05)):
        counts = ring_counts(bond_network(atoms, 2.7))
        assert list(counts) == [0] * 6 + [2 * len(atoms)] + [0] * 4
        np.testing.assert_array_equal(ring_shares(bond_network(atoms, 2.7))[6], 100)


@pytest.mark.parametrize(("rattle", "cutoff"), [(0.35, 2.85), (0.6, 2.85), (0.5, 3.0)])
def test_rings_of_disorder_are_those_of_matscipy(rattle, cutoff):
    peer = pytest.importorskip("matscipy.rings").ring_statistics
    atoms = silicon(rattle, seed=7, repeat=4)  # wide: matscipy does not tell images apart
    expected = peer(atoms, cutoff, 10)
    counts = ring_counts(bond_network(atoms, cutoff))
    assert counts.sum() > 300
    np.testing.assert_array_equal(counts[: len(expected)], expected)


@some
@given(SEEDS)
def test_rings_of_a_supercell_are_repeated(seed):
    atoms = random_cell(np.random.default_rng(seed), 8, min_distance=2.0)
    one = ring_counts(bond_network(atoms, 2.9), 8)
    many = ring_counts(bond_network(atoms.repeat((2, 2, 1)), 2.9), 8)
    np.testing.assert_array_equal(4 * one, many)


def test_polygons_are_rings_and_their_chords_end_them():
    for n in range(3, 11):
        turn = 2 * np.pi * np.arange(n) / n
        size = 1 / np.sin(np.pi / n)  # of a polygon with edges of 2 Å
        ring = np.column_stack([size * np.cos(turn), size * np.sin(turn), 0 * turn])
        atoms = Atoms(f"Si{n}", ring + 20, cell=[40] * 3, pbc=True)
        counts = ring_counts(bond_network(atoms, 2.05))
        assert counts[n] == counts.sum() == 1
    square = np.array(list(itertools.product((0, 2), (0, 2), (0,)))) + 10
    atoms = Atoms("Si4", square, cell=[20] * 3, pbc=True)
    assert list(ring_counts(bond_network(atoms, 3.0), 4)) == [0, 0, 0, 4, 0]


def test_a_packing_is_not_a_network():
    with pytest.raises(StructureError, match="rings"):
        ring_counts(bond_network(si256(1), 7.0))
    chain = Atoms("Si2", [(0, 0, 0), (0, 0, 2)], cell=[20] * 3, pbc=True)
    with pytest.raises(StructureError, match="none"):
        ring_shares(bond_network(chain, 2.1))
    with pytest.raises(InputError, match="at least 3"):
        ring_counts(bond_network(chain, 2.1), 2)
