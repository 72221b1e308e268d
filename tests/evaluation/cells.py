"""Small sets of every kind for the tests of evaluation."""

import numpy as np
from ase import Atoms
from ase.build import bulk

from dismai.base.card import DatasetSpec, FccLattice, cell_rows
from dismai.datasets.alloy.build import to_atoms


def diamonds(n, seed=0):
    """Rattled diamond of 64 atoms, as a stand-in for amorphous silicon."""
    crystal = bulk("Si", a=5.43, cubic=True).repeat(2)
    structures = []
    for i in range(seed, seed + n):
        atoms = crystal.copy()
        atoms.rattle(0.04 + 0.02 * np.random.default_rng(i).random(), seed=i)
        structures.append(atoms)
    return structures


def slabs(n, seed=0):
    """Rattled layers of all five ions below a vacuum, 60 atoms, elements in layers."""
    cell = [6.2, 9.3, 18.0]
    grid = np.array([(i, j, k) for k in range(5) for i in range(2) for j in range(3)])
    positions = grid * [3.1, 3.1, 1.9] + [0.3, 0.3, 1.0]
    positions[:, 0] += 1.55 * (grid[:, 2] % 2)
    blocks = {"Li": 6, "O": 6, "Co": 3, "Sc": 3, "Cl": 6}
    symbols = [symbol for symbol, count in blocks.items() for _ in range(count)]
    symbols += ["Li"] * 3 + ["O"] * 3
    crystal = Atoms(symbols, positions, cell=cell, pbc=True).repeat((2, 1, 1))
    structures = []
    for i in range(seed, seed + n):
        atoms = crystal.copy()
        atoms.rattle(0.05, seed=i)
        structures.append(atoms)
    return structures


def ordered_alloys(n, seed=0):
    """Alloys of 32 atoms with layers of one element, a few atoms exchanged in each."""
    lattice = FccLattice(supercell=(2, 2, 2))
    layered = np.argsort(np.argsort(to_atoms(np.zeros(32, int), lattice).positions[:, 2]))
    species = np.repeat([0, 1, 2], [6, 20, 6])[layered]
    structures = []
    for i in range(seed, seed + n):
        rng = np.random.default_rng(i)
        own = species.copy()
        for _ in range(rng.integers(1, 4)):
            a, b = rng.choice(32, 2, replace=False)
            own[[a, b]] = own[[b, a]]
        structures.append(to_atoms(own, lattice))
    return structures


MAKERS = {"alloy": ordered_alloys, "amorphous_si": diamonds, "interface": slabs}
DATASET = {"alloy": "alloy_300K_wide", "amorphous_si": "amorphous_si", "interface": "interface"}


def card(kind):
    """The card of these sets."""
    atoms = MAKERS[kind](1)[0]
    symbols = atoms.get_chemical_symbols()
    return DatasetSpec(
        name=DATASET[kind],
        kind=kind,
        composition={symbol: symbols.count(symbol) for symbol in dict.fromkeys(symbols)},
        cell_A=cell_rows(atoms.cell.array),
        fcc=FccLattice(supercell=(2, 2, 2)) if kind == "alloy" else None,
    )
