import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given
from hypothesis import strategies as st

from dismai.base.errors import InputError, StructureError
from dismai.metrics.angles import angle_shares, bond_angles, distribution
from dismai.metrics.crystalnn import GEOMETRIC, neighbor_list
from tests.conftest import FRESH
from tests.makers import GOLDEN, random_cell, rattled_crystal, si256, slab

SEEDS = st.integers(0, 2**32 - 1)


def test_amorphous_cells_have_the_reference_angles():
    golden, atoms = GOLDEN["si256"], si256(1)
    angles = bond_angles(atoms)
    assert len(angles) == golden["n_bond_angles_seed1"]
    counts = np.rint(distribution(atoms)[1] * len(angles)).astype(int)
    first = golden["bond_angle_counts_first_nonzero_bins_seed1"]
    assert {str(k): n for k, n in enumerate(counts) if n and k <= 76} == first
    assert list(counts[180:220]) == golden["bond_angle_counts_bins_180_to_219_seed1"]
    distance = np.linalg.norm(distribution(atoms)[1] - distribution(si256(2))[1])
    np.testing.assert_allclose(distance, golden["d_angle_seed1_vs_seed2"], rtol=1e-13)


def test_amorphous_cells_have_the_reference_coordination_numbers():
    first, _, _, _ = neighbor_list(si256(1), GEOMETRIC)
    numbers = np.bincount(first, minlength=256)
    assert list(np.bincount(numbers)) == GOLDEN["si256"]["bond_angle_cn_histogram_seed1"]


@FRESH
@given(SEEDS)
def test_angles_are_those_of_pymatgen(seed):
    crystal_nn = pytest.importorskip("pymatgen.analysis.local_env").CrystalNN
    get_angle = pytest.importorskip("pymatgen.util.coord").get_angle
    adaptor = pytest.importorskip("pymatgen.io.ase").AseAtomsAdaptor
    peer = crystal_nn(distance_cutoffs=None, x_diff_weight=0, porous_adjustment=False)
    rng = np.random.default_rng(seed)
    crystal = rattled_crystal(rng)
    cells = [random_cell(rng, 10), crystal, slab(rng)[:8], random_cell(rng, 8, ["Ti", "O"])]
    for atoms in cells:
        structure = adaptor.get_structure(atoms)
        expected = []
        for i in range(len(atoms)):
            vectors = [
                n["site"].coords - structure[i].coords for n in peer.get_nn_info(structure, i)
            ]
            for a in range(len(vectors)):
                expected += [get_angle(vectors[a], other) for other in vectors[a + 1 :]]
        found = bond_angles(atoms)
        # sorted: neighbours of equal weight have no order
        np.testing.assert_allclose(
            np.sort(found), np.sort(expected), atol=1e-8, err_msg=f"seed {seed}"
        )
        np.testing.assert_array_equal(angle_shares(found)[1], angle_shares(np.array(expected))[1])


def test_diamond_has_only_the_tetrahedral_angle():
    angles = bond_angles(bulk("Si", a=5.43))
    assert len(angles) == 12
    np.testing.assert_allclose(angles, np.degrees(np.arccos(-1 / 3)), rtol=1e-12)


def test_bins_are_closed_on_the_right_and_the_first_holds_zero():
    centres, shares = angle_shares(np.array([0.0, 0.5, 0.6, 1.0, 180.0]))
    np.testing.assert_allclose(centres[:2], [0.25, 0.75])
    assert len(centres) == 360
    np.testing.assert_allclose(shares[[0, 1, 359]], [0.4, 0.4, 0.2])
    np.testing.assert_allclose(shares.sum(), 1.0)


def test_a_structure_without_angles_fails():
    with pytest.raises(StructureError, match="no bond angle"):
        angle_shares(np.array([]))
    with pytest.raises(InputError, match="divisor"):
        angle_shares(np.array([90.0]), 0.7)


def test_supercells_have_the_same_distribution():
    atoms = random_cell(np.random.default_rng(4), 10)
    expected = distribution(atoms, 5.0)[1]
    np.testing.assert_allclose(distribution(atoms.repeat((2, 2, 1)), 5.0)[1], expected, atol=1e-12)


def test_elements_do_not_matter():
    atoms = random_cell(np.random.default_rng(6), 10)
    other = Atoms("ScOClLiCo" * 2, atoms.positions, cell=atoms.cell, pbc=True)
    np.testing.assert_array_equal(bond_angles(atoms), bond_angles(other))
