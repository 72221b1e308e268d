"""Describing files: what cannot be described is said and harms no other structure."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.neighborlist import natural_cutoffs, neighbor_list

from dismai.files.structures import write_structures
from dismai.geometry.grid import bonds, make_grid
from dismai.report.describe import describe_file
from tests.makers import rattled_cells


def silicon():
    atoms = bulk("Si", cubic=True)
    atoms.rattle(0.02, seed=1)
    return atoms


def with_cell(cell, scale=False):
    atoms = silicon()
    atoms.set_cell(cell, scale_atoms=scale)
    return atoms


def moved(place):
    atoms = silicon()
    atoms.positions[2] = place
    return atoms


UNUSUAL = {
    "flat": with_cell([[10, 0, 0], [0, 10, 0], [9.99, 0.01, 0.001]]),
    "of no volume": with_cell([[1, 0, 0], [0, 1, 0], [1, 1, 0]]),
    "none": with_cell(np.zeros((3, 3))),
    "tiny": with_cell(np.eye(3) * 1e-3, True),
    "of 1e-9 of the volume": with_cell(silicon().cell.array * 1e-3, False),
    "a needle": with_cell(np.diag([0.05, 5.0, 900.0]), True),
    "huge": with_cell(np.eye(3) * 1e5, False),
    "larger than any number": with_cell(np.eye(3) * 1e200, False),
}
NOT_FINITE = {
    "NaN": moved([np.nan, 0, 0]),
    "infinity": moved([np.inf, 0, 0]),
    "NaN in the cell": with_cell(np.diag([5.43, 5.43, np.nan])),
}


@pytest.fixture
def said(tmp_path):
    def describe(structures):
        write_structures(structures, tmp_path / "set.extxyz")
        text = describe_file(tmp_path / "set.extxyz")
        return dict(line.strip().split("  ", 1) for line in text.splitlines()[1:])

    return describe


@pytest.mark.parametrize("name", UNUSUAL)
def test_an_unusual_cell_is_named_at_once(said, name):
    lines = said([UNUSUAL[name]])
    assert lines["unusual cell"].strip().startswith("1, the first: structure 0: expected a cell ")
    assert "nearest pair" not in lines


@pytest.mark.parametrize("name", NOT_FINITE)
def test_positions_that_are_no_numbers_are_named(said, name):
    lines = said([silicon(), NOT_FINITE[name]])
    assert "1, the first: structure 1: expected finite coordinates" in lines["not finite"]


@pytest.mark.parametrize("bad", [*UNUSUAL.values(), *NOT_FINITE.values()],
                         ids=[*UNUSUAL, *NOT_FINITE])  # fmt: skip
def test_one_bad_structure_does_not_change_what_is_said_of_the_others(said, bad):
    alone, beside = said([silicon(), silicon()]), said([silicon(), bad, silicon()])
    for name in ("cell", "density", "nearest pair", "coordination", "silicon", "first peak"):
        assert beside[name] == alone[name]
    assert "nan" not in "".join(beside.values()).lower().replace("found nan", "")


def test_atoms_at_one_point_are_seen_in_the_nearest_pair(said):
    atoms = silicon()
    atoms.positions[1] = atoms.positions[0]
    assert "0.000 Å at least" in said([atoms])["nearest pair"]


def test_a_set_that_has_collapsed_into_points_is_described_at_once(said):
    points = Atoms("Si1500", positions=np.zeros((1500, 3)), cell=np.eye(3) * 31.0, pbc=True)
    assert "0.000 Å at least" in said([points])["nearest pair"]
    assert said([points])["coordination"].strip().startswith("1499: 100.0 %")
    more = Atoms("Si20000", positions=np.zeros((20_000, 3)), cell=np.eye(3) * 74.0, pbc=True)
    assert said([more])["too dense"].strip() == "1, for neighbours"


@pytest.mark.parametrize("atoms", [silicon(), bulk("NaCl", "rocksalt", a=5.6), *rattled_cells(2)])
def test_bonds_are_those_of_ase(atoms):
    cutoffs = natural_cutoffs(atoms, mult=1.2)
    first, length = neighbor_list("id", atoms, cutoffs)
    shortest, number = bonds(make_grid(atoms), np.array(cutoffs), 1000)
    assert shortest == pytest.approx(length.min(), abs=1e-12)
    assert number.tolist() == np.bincount(first, minlength=len(atoms)).tolist()


def test_many_atoms_in_little_room_are_too_dense(said):
    place = np.random.default_rng(1).random((20_000, 3))
    atoms = Atoms("Si20000", scaled_positions=place, cell=np.eye(3) * 13.0, pbc=True)
    assert said([atoms])["too dense"].strip() == "1, for neighbours"
