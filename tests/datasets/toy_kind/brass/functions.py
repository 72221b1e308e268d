"""Cleaning, description and scores of brass; how its structures are drawn."""

import numpy as np
from ase import Atoms
from ase.build import bulk

from dismai.base.card import DatasetSpec, cell_rows
from dismai.base.seeds import generator_for
from dismai.datasets.common import check_training as check_training
from dismai.datasets.common import mean_distance, separate_atoms, table_of
from dismai.metrics.entries import with_units

COUNTED = ["n_close_pairs", "n_passes"]
DESCRIBED = [f"{a}_beside_{b}" for a in ("Cu", "Zn") for b in ("Cu", "Zn")]
FEATURES = [*COUNTED, *DESCRIBED]
SET_COLUMNS = DESCRIBED


def draw(n, seed, disorder=0.4):
    """Cells of 16 atoms, Å: CsCl order, in which a share of the atoms is on random sites."""
    crystal = bulk("CsCl", "cesiumchloride", a=2.95).repeat(2)
    order = np.array(["Cu", "Zn"])[(crystal.numbers == 17).astype(int)]
    structures = []
    for i in range(n):
        rng = generator_for(seed, "brass", i)
        symbols, moved = order.copy(), rng.permutation(16)[: round(16 * disorder)]
        symbols[np.sort(moved)] = symbols[moved]
        by_block = np.argsort(symbols, kind="stable")
        structures.append(
            Atoms(symbols[by_block], crystal.positions[by_block], cell=crystal.cell, pbc=True)
        )
    return structures


def card(train, val, name):
    """The card of drawn structures."""
    return DatasetSpec(
        name=name,
        kind="brass",
        composition={"Cu": 8, "Zn": 8},
        cell_A=cell_rows(train[0].cell.array),
        n_train=len(train),
        n_val=len(val),
    )


def clean(atoms, spec, options):
    """Atoms moved apart, with the number of close pairs and of passes."""
    return separate_atoms(atoms)


def describe(atoms, spec, options):
    """Share of each element among the eight nearest atoms of each element, (4,)."""
    nearest = np.argsort(atoms.get_all_distances(mic=True), axis=1, kind="stable")[:, 1:9]
    copper = np.array(atoms.get_chemical_symbols()) == "Cu"
    shares = [copper[nearest[own]].mean() for own in (copper, ~copper)]
    return np.array([value for share in shares for value in (share, 1 - share)])


def tabulate(rows, numbered, options):
    """Features of structures from their rows."""
    return table_of(rows, numbered, DESCRIBED)


def score(features, reference, spec):
    """Metrics of accepted structures against training structures."""
    return with_units({"d_order": mean_distance(features, reference, DESCRIBED)})


def ordered(train, val, spec, n, sigma_A, seed):
    """A baseline: perfect crystals."""
    return draw(n, seed, disorder=0.0)


BASELINES = {"ordered": ordered}
