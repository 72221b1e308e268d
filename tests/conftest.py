"""Fixtures shared by all tests: golden numbers and the deterministic alloys they belong to."""

import json
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from dismai.base.card import DatasetSpec, FccLattice, cell_rows
from dismai.geometry.cluster_expansion import SPECIES
from dismai.geometry.fcc import fractional_sites

ROOT = Path(__file__).parents[1]
GOLDEN = Path(__file__).parent / "golden"


def alloy_spec(name: str = "alloy_300K_wide") -> DatasetSpec:
    """Card of the small alloy of most tests: 32 sites of fcc with 6 Cr, 20 Fe, 6 Ni."""
    fcc = FccLattice(supercell=(2, 2, 2))
    return DatasetSpec(
        name=name,
        kind="alloy",
        composition={"Cr": 6, "Fe": 20, "Ni": 6},
        cell_A=cell_rows(fcc.cell),
        fcc=fcc,
    )


@pytest.fixture(scope="session")
def vectors() -> dict:
    """Numbers of the reference implementations."""
    return json.loads((GOLDEN / "reference_vectors.json").read_text())


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


def crystal(occupancy: np.ndarray, supercell: tuple[int, int, int] = (4, 4, 4)) -> Atoms:
    """A perfect crystal with species indices on its sites, in the order of the sites."""
    lattice = FccLattice(supercell=supercell)
    return Atoms(
        [SPECIES[species] for species in occupancy],
        scaled_positions=fractional_sites(supercell),
        cell=lattice.cell,
        pbc=True,
    )


def random_crystal(seed: int, supercell: tuple[int, int, int] = (4, 4, 4)) -> Atoms:
    """A perfect crystal with every site's species drawn at random."""
    n_sites = len(fractional_sites(supercell))
    return crystal(np.random.default_rng(seed).integers(0, 3, n_sites), supercell)


@pytest.fixture(scope="session")
def alloys() -> dict[str, Atoms]:
    """Structures A, B and C of the golden numbers."""
    key = 101 * np.arange(256) % 256
    a = crystal(np.where(key < 154, 1, np.where(key < 205, 2, 0)))
    b = crystal(np.repeat([1, 2, 0], [154, 51, 51]))
    c = a[[i for i in range(256) if i not in (10, 77, 200)]]
    return {"A": a, "B": b, "C": c}
