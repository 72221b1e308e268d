"""A crystal as a graph: its atoms, and the nearest neighbours of each, images included.

Where the twelfth neighbour is one of several at one distance, the published code takes those that
pymatgen finds first: there another cell, or other axes, change a prediction, the Fermi energy of
SrTiO3 by up to 0.4 eV. With shared ties all of them count, with weights whose sum is the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from ase import Atoms
from pymatgen.optimization.neighbors import find_points_in_spheres

from dismai.geometry.grid import check_radius, make_grid

N_NEIGHBOURS = 12
REACH_A = 8.0
"""Within which neighbours are looked for."""
NOWHERE_A = REACH_A + 1.0
"""Distance that stands for a neighbour that an atom lacks, as published."""
SAME_SITE_A = 1e-8
TIE_A = 0.01
"""Distances that differ by less may be one: coordinates of files have few digits."""
Ties = Literal["published", "shared"]


@dataclass(frozen=True)
class Graph:
    """Crystals side by side.

    numbers: atomic numbers, (n_atoms,).  neighbours: the atoms next to each, (n_atoms, n), indices
    into all atoms.  distances: to them, Å, (n_atoms, n).  weights: how much each counts, (n_atoms,
    n); those of an atom add up to `N_NEIGHBOURS`.  crystal: which one an atom is in, (n_atoms,).
    """

    numbers: np.ndarray
    neighbours: np.ndarray
    distances: np.ndarray
    weights: np.ndarray
    crystal: np.ndarray

    @property
    def n_crystals(self) -> int:
        return int(self.crystal[-1]) + 1


def graph_of(atoms: Atoms, ties: Ties = "published") -> Graph:
    """The graph of one crystal.

    An atom with too few neighbours within reach gets one far away in place of each: the first
    atom, as published; with shared ties itself.

    Raises:
        StructureError: no cell with a volume, or one so dense that it must have collapsed.
    """
    grid = make_grid(Atoms(atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=True))
    check_radius(grid, REACH_A)
    periodic = np.ones(3, dtype=np.int64)
    i, j, _, d = find_points_in_spheres(
        grid.xyz, grid.xyz, r=REACH_A, pbc=periodic, lattice=grid.cell, tol=SAME_SITE_A
    )
    other = ~((i == j) & (d <= SAME_SITE_A))
    i, j, d = i[other], j[other], d[other]
    order = np.lexsort([d, i])  # stable: equal distances stay as they were found
    i, j, d = i[order], j[order], d[order]
    rank = np.arange(len(i)) - np.searchsorted(i, i)
    n_atoms, n = len(atoms), max(N_NEIGHBOURS, int(rank.max(initial=0)) + 1)
    alone = np.arange(n_atoms) if ties == "shared" else np.zeros(n_atoms)
    neighbours = np.tile(alone.astype(np.int64)[:, None], n)
    distances = np.full((n_atoms, n), NOWHERE_A)
    neighbours[i, rank], distances[i, rank] = j, d
    if ties == "shared":
        weights = _weights(distances)
    else:
        weights = np.tile(np.arange(n) < N_NEIGHBOURS, (n_atoms, 1)).astype(float)
    last = int(np.flatnonzero(weights.any(axis=0))[-1]) + 1
    return Graph(
        np.asarray(atoms.numbers, dtype=np.int64),
        neighbours[:, :last],
        distances[:, :last],
        weights[:, :last],
        np.zeros(n_atoms, dtype=np.int64),
    )


def _weights(distances: np.ndarray) -> np.ndarray:
    """One for what is nearer than the twelfth neighbour; what is as far shares what is left.

    distances: sorted, Å, (n_atoms, n).  Returns weights, (n_atoms, n).
    """
    twelfth = distances[:, N_NEIGHBOURS - 1 : N_NEIGHBOURS]
    nearer = distances < twelfth - TIE_A
    tied = ~nearer & (distances <= twelfth + TIE_A)
    tied &= (distances < NOWHERE_A) | (np.arange(distances.shape[1]) < N_NEIGHBOURS)
    left = N_NEIGHBOURS - nearer.sum(axis=1, keepdims=True)
    return nearer + tied * (left / tied.sum(axis=1, keepdims=True))


def joined(graphs: Sequence[Graph]) -> Graph:
    """Graphs of crystals as one graph without bonds between them."""
    sizes = np.array([len(graph.numbers) for graph in graphs])
    first = np.cumsum(sizes) - sizes
    widest = max(graph.neighbours.shape[1] for graph in graphs)

    def stacked(name: str, filling: float) -> np.ndarray:
        parts = [getattr(graph, name) for graph in graphs]
        return np.concatenate(
            [
                np.pad(one, ((0, 0), (0, widest - one.shape[1])), constant_values=filling)
                for one in parts
            ]
        )

    return Graph(
        np.concatenate([graph.numbers for graph in graphs]),
        stacked("neighbours", 0) + np.repeat(first, sizes)[:, None],
        stacked("distances", NOWHERE_A),
        stacked("weights", 0.0),
        np.repeat(np.arange(len(graphs)), sizes),
    )
