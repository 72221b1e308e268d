"""Generated atoms on lattice sites: variants A (none), B (translate) and C (rotate)."""

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st

from dismai.base.card import FccLattice
from dismai.base.errors import InputError
from dismai.geometry.axes import count_vacancies
from dismai.metrics.clusters import probabilities
from dismai.postprocess import keep_on_lattice
from dismai.postprocess.on_lattice import max_removed
from tests.makers import random_crystal

PAPER = FccLattice()
VARIANTS = ("none", "translate", "rotate")
few = settings(max_examples=15)


@pytest.mark.parametrize("align", VARIANTS)
def test_a_perfect_crystal_keeps_every_atom(alloys, align):
    kept, n_removed, status = keep_on_lattice(alloys["A"], PAPER, align)
    assert (len(kept), n_removed, status) == (256, 0, "ok")
    np.testing.assert_allclose(probabilities(kept), probabilities(alloys["A"]), atol=1e-12)


@pytest.mark.parametrize("align", VARIANTS)
def test_vacancies_are_counted(alloys, align):
    kept, n_removed, status = keep_on_lattice(alloys["C"], PAPER, align)
    assert (n_removed, status) == (3, "ok")
    assert count_vacancies(kept, 3.6) == 3


def test_an_atom_exactly_on_the_first_site_is_no_vacancy(alloys):
    # The published code loses the atom of index 0 when it lies exactly on its site.
    assert np.allclose(alloys["A"].positions[0], 0)
    assert keep_on_lattice(alloys["A"], PAPER, "none")[1] == 0


@few
@given(st.integers(0, 2**32 - 1))
def test_small_displacements_and_order_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    atoms = random_crystal(seed, (2, 2, 2))
    moved = atoms[rng.permutation(32)]
    direction = rng.normal(size=(32, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    moved.positions += 0.79 * rng.random((32, 1)) * direction
    kept, n_removed, _ = keep_on_lattice(moved, FccLattice(supercell=(2, 2, 2)))
    assert n_removed == 0
    np.testing.assert_allclose(probabilities(kept), probabilities(atoms), atol=1e-12)


def test_the_radius_is_eight_tenths_of_an_angstrom(alloys):
    atoms = alloys["A"].copy()
    atoms.positions[5, 0] += 0.801
    assert keep_on_lattice(atoms, PAPER)[1] == 1
    atoms.positions[5, 0] -= 0.002
    assert keep_on_lattice(atoms, PAPER)[1] == 0


def test_of_two_atoms_at_one_site_the_closer_one_stays_and_in_rotate_the_first():
    atoms = random_crystal(3)
    atoms.symbols[10], atoms.symbols[20] = "Cr", "Ni"
    site = atoms.positions[10].copy()
    atoms.positions[10] = site + [0.3, 0, 0]
    atoms.positions[20] = site + [0, 0.1, 0]
    for align, symbol in (("none", "Ni"), ("rotate", "Cr")):
        kept, n_removed, _ = keep_on_lattice(atoms, PAPER, align)
        near = np.linalg.norm(kept.positions - site, axis=1).argmin()
        assert n_removed == 1
        assert kept.symbols[near] == symbol


def test_a_shifted_crystal_needs_translate_and_a_turned_one_rotate(alloys):
    shifted = alloys["A"].copy()
    shifted.positions += [1.2, 0.9, 1.1]
    assert keep_on_lattice(shifted, PAPER, "none")[2] != "ok"
    assert keep_on_lattice(shifted, PAPER, "translate")[1:] == (0, "ok")
    angle = np.deg2rad(45)
    turn = np.array(
        [[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    # A turned piece of crystal in the fixed box, as CDVAE makes it: no longer periodic.
    big = alloys["A"] * (3, 3, 3)
    centre = np.array([21.6, 21.6, 21.6])
    turned = (big.positions - centre) @ turn
    inside = np.all((turned > -7.2 + 1e-6) & (turned <= 7.2 + 1e-6), axis=1)
    piece = Atoms(big.symbols[inside], turned[inside] + 7.2, cell=PAPER.cell, pbc=True)
    kept, n_removed, status = keep_on_lattice(piece, PAPER, "rotate")
    assert status == "ok"
    assert len(kept) == 256 - n_removed
    assert keep_on_lattice(piece, PAPER, "translate")[1] > n_removed


def test_more_than_fifty_removed_of_256_and_six_of_32_fail():
    assert (max_removed(256), max_removed(32), max_removed(108)) == (50, 6, 21)
    atoms = random_crystal(0)
    assert keep_on_lattice(atoms[50:], PAPER)[2] == "ok"
    kept, n_removed, status = keep_on_lattice(atoms[51:], PAPER)
    assert n_removed == 51
    assert status == "off lattice: expected at most 50 of 256 atoms removed, found 51"
    assert keep_on_lattice(atoms[51:], PAPER, reject=False)[2] == "ok"


def test_atoms_are_sorted_by_electronegativity(alloys):
    kept, _, _ = keep_on_lattice(alloys["B"], PAPER)
    assert kept.get_chemical_symbols() == ["Cr"] * 51 + ["Fe"] * 154 + ["Ni"] * 51


def test_a_cell_of_another_size_is_rescaled_and_a_far_one_fails(alloys):
    atoms = alloys["A"].copy()
    atoms.set_cell(atoms.cell * 1.04, scale_atoms=True)
    assert keep_on_lattice(atoms, PAPER)[1:] == (0, "ok")
    atoms.set_cell(PAPER.cell * 1.06, scale_atoms=True)
    assert "within 5 %" in keep_on_lattice(atoms, PAPER)[2]
    skewed = alloys["A"].copy()
    skewed.set_cell([14.4, 14.4, 14.4, 90, 90, 84], scale_atoms=True)
    assert "within 5 degrees" in keep_on_lattice(skewed, PAPER)[2]


@pytest.mark.parametrize("align", VARIANTS)
def test_hopeless_structures_fail_with_a_reason(align):
    gas = random_crystal(0)
    gas.positions[:] = [1.8, 0.9, 0.9]
    kept, n_removed, status = keep_on_lattice(gas, PAPER, align)
    assert status != "ok"
    broken = random_crystal(0)
    broken.positions[0, 0] = np.nan
    assert "NaN" in keep_on_lattice(broken, PAPER, align)[2]


def test_the_reference_may_be_a_perfect_crystal(alloys):
    assert keep_on_lattice(alloys["C"], alloys["A"])[1] == 3
    with pytest.raises(InputError, match="expected a perfect fcc crystal"):
        keep_on_lattice(alloys["C"], alloys["C"])
