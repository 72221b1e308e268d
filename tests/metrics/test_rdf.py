import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st

from dismai.base.errors import InputError, StructureError
from dismai.metrics.rdf import rdf
from tests.conftest import FRESH
from tests.makers import GOLDEN, random_cell, rattled_crystal, si256, slab

SEEDS = st.integers(0, 2**32 - 1)
some = settings(max_examples=10)


def test_amorphous_cells_have_the_reference_curve():
    golden = GOLDEN["si256"]
    r, g = rdf(si256(1))
    np.testing.assert_allclose(r, 0.01 + 0.02 * np.arange(500), rtol=1e-14)
    np.testing.assert_allclose(g[100:140], golden["rdf_bins_100_to_139_seed1"], rtol=1e-11)
    np.testing.assert_allclose(g.sum(), golden["rdf_sum_seed1"], rtol=1e-13)
    distance = np.linalg.norm(g - rdf(si256(2))[1])
    np.testing.assert_allclose(distance, golden["d_rdf_seed1_vs_seed2"], rtol=1e-13)


@FRESH
@given(SEEDS)
def test_curves_agree_with_vasppy(seed):
    peer = pytest.importorskip("vasppy.rdf").RadialDistributionFunction
    adaptor = pytest.importorskip("pymatgen.io.ase").AseAtomsAdaptor
    rng = np.random.default_rng(seed)
    cells = [
        random_cell(rng, 16),
        rattled_crystal(rng),
        slab(rng),
        random_cell(rng, 12, ["Na", "Cl"]),
    ]
    for atoms in cells:
        atoms.symbols[:] = "Si"
        widths = atoms.get_volume() / np.linalg.norm(
            np.cross(atoms.cell[[1, 2, 0]], atoms.cell[[2, 0, 1]]), axis=1
        )
        repeats = np.ceil(8.2 / widths).astype(int)  # twice 4 Å for its minimum image
        structure = adaptor.get_structure(atoms.repeat(repeats))
        expected = peer.from_species_strings([structure], "Si", nbins=200, r_max=4.0)
        r, g = rdf(atoms, r_max=4.0)
        np.testing.assert_allclose(r, expected.r, rtol=1e-14)
        np.testing.assert_allclose(g, expected.rdf, rtol=1e-8, atol=1e-8, err_msg=f"seed {seed}")


@some
@given(SEEDS)
def test_the_curve_does_not_change_with_frame_order_or_supercell(seed):
    rng = np.random.default_rng(seed)
    atoms = random_cell(rng, 10)
    expected = rdf(atoms, 6.0)[1]
    moved = atoms[rng.permutation(10)]
    moved.positions += rng.normal(0, 30, 3)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    moved.positions = moved.positions @ turn
    moved.cell = moved.cell.array @ turn
    np.testing.assert_allclose(rdf(moved, 6.0)[1], expected, rtol=1e-12)
    np.testing.assert_allclose(rdf(atoms.repeat((2, 1, 3)), 6.0)[1], expected, rtol=1e-12)


def test_the_shells_of_a_crystal_are_complete():
    r, g = rdf(bulk("Cu", a=3.6), r_max=4.0, bin_width=0.1)
    shells = 4 / 3 * np.pi * ((r + 0.05) ** 3 - (r - 0.05) ** 3) * 4 / 3.6**3
    counts = dict(zip(np.flatnonzero(g), np.rint((g * shells)[g > 0]), strict=True))
    assert counts == {25: 12, 36: 6}  # 3.6 / sqrt(2) and 3.6 Å


def test_the_largest_distance_belongs_to_the_last_bin():
    r, g = rdf(Atoms("Si", cell=[4, 4, 4], pbc=True), r_max=4.0, bin_width=0.5)
    assert list(np.flatnonzero(g)) == [7]


def test_bins_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="multiple"):
        rdf(bulk("Si"), r_max=1.0, bin_width=0.3)


def test_a_collapsed_cell_fails():
    with pytest.raises(StructureError, match="points"):
        rdf(Atoms("Si4", np.eye(4, 3) * 0.05, cell=[0.1] * 3, pbc=True))
