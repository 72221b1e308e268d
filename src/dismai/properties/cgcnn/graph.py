"""A crystal as a graph: its atoms, and the nearest neighbours of each, images included.

Where the twelfth neighbour is one of several at one distance, the published code takes those that
pymatgen finds first: there another cell, or other axes, change a prediction, the Fermi energy of
SrTiO3 by 0.4 eV. With shared ties all of them count, with weights whose sum is the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from ase import Atoms

from dismai.base.kernels import njit
from dismai.geometry.grid import Grid, check_radius, make_grid, points_within

N_NEIGHBOURS = 12
REACH_A = 8.0
"""Within which neighbours are looked for."""
NOWHERE_A = REACH_A + 1.0
"""Distance that stands for a neighbour that an atom lacks, as published."""
SAME_SITE_A = 1e-8
DIGITS = 10
"""Of distances, Å, that are told apart."""
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

    @cached_property
    def lengths(self) -> tuple[np.ndarray, np.ndarray]:
        """Different distances, Å, (n_lengths,), and which of them each is, (n_atoms, n)."""
        lengths, which = np.unique(self.distances.round(DIGITS), return_inverse=True)
        return lengths, which.reshape(self.distances.shape)


def graph_of(atoms: Atoms, ties: Ties = "published") -> Graph:
    """The graph of one crystal.

    An atom with too few neighbours within reach gets one far away in place of each: the first
    atom, as published; with shared ties itself.

    Raises:
        StructureError: no cell with a volume, or one so dense that it must have collapsed.
    """
    grid = make_grid(Atoms(atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=True))
    check_radius(grid, REACH_A)
    found = _shared(grid) if ties == "shared" else _published(grid)
    numbers = np.asarray(atoms.numbers, dtype=np.int64)
    return Graph(numbers, *found, np.zeros(len(numbers), dtype=np.int64))


def _published(grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The first twelve neighbours in the order of pymatgen: indices, distances, weights."""
    from pymatgen.optimization.neighbors import find_points_in_spheres

    n_atoms, periodic = len(grid.xyz), np.ones(3, dtype=np.int64)
    i, j, _, d = find_points_in_spheres(
        grid.xyz, grid.xyz, r=REACH_A, pbc=periodic, lattice=grid.cell, tol=SAME_SITE_A
    )
    other = ~((i == j) & (d <= SAME_SITE_A))
    i, j, d = i[other], j[other], d[other]
    order = np.lexsort([d, i])  # stable: equal distances stay as they were found
    i, j, d = i[order], j[order], d[order]
    rank = np.arange(len(i)) - np.searchsorted(i, i)
    near = rank < N_NEIGHBOURS
    neighbours = np.zeros((n_atoms, N_NEIGHBOURS), dtype=np.int64)
    distances = np.full((n_atoms, N_NEIGHBOURS), NOWHERE_A)
    neighbours[i[near], rank[near]] = j[near]
    distances[i[near], rank[near]] = d[near]
    return neighbours, distances, np.ones_like(distances)


def _shared(grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All neighbours up to the twelfth, and those as far as it: indices, distances, weights."""
    n_atoms = len(grid.xyz)
    counts = np.empty(n_atoms, dtype=np.int64)
    nothing = np.empty((0, 0), dtype=np.int64), np.empty((0, 0)), np.empty((0, 0))
    _near(grid, counts, *nothing)
    widest = int(counts.max())
    neighbours = np.tile(np.arange(n_atoms)[:, None], widest)
    distances = np.full((n_atoms, widest), NOWHERE_A)
    weights = np.zeros((n_atoms, widest))
    _near(grid, counts, neighbours, distances, weights)
    return neighbours, distances, weights


@njit(cache=True, nogil=True)
def _near(grid, counts, neighbours, distances, weights):
    """Count the neighbours that count for each atom; fill in what they are, where there is room.

    One for what is nearer than the twelfth; what is as far shares the places that are left. An
    atom with fewer neighbours has itself, far away, in the places of the others.
    """
    room = 512
    vector, square = np.empty((room, 3)), np.empty(room)
    index, shift = np.empty(room, np.int64), np.empty((room, 3), np.int64)
    for i in range(len(counts)):
        found = points_within(grid, i, REACH_A, vector, square, index, shift)
        while found < 0:
            room *= 2
            vector, square = np.empty((room, 3)), np.empty(room)
            index, shift = np.empty(room, np.int64), np.empty((room, 3), np.int64)
            found = points_within(grid, i, REACH_A, vector, square, index, shift)
        length = np.sqrt(square[:found])
        order = np.argsort(length)
        nearer, tied = found, N_NEIGHBOURS - found
        if found >= N_NEIGHBOURS:
            twelfth = length[order[N_NEIGHBOURS - 1]]
            nearer = int(np.sum(length < twelfth - TIE_A))
            tied = int(np.sum(length <= twelfth + TIE_A)) - nearer
        counts[i] = nearer + tied
        if len(weights) == 0:
            continue
        for k in range(nearer + tied):
            weights[i, k] = 1.0 if k < nearer else (N_NEIGHBOURS - nearer) / tied
            if k < found:
                neighbours[i, k] = index[order[k]]
                distances[i, k] = length[order[k]]


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
