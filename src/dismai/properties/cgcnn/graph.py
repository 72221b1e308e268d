"""A crystal as a graph: its atoms, and the nearest neighbours of each, images included.

Where the twelfth neighbour is one of several at one distance, the order in which pymatgen finds
them decides, as in the published code. There another cell, or other axes, change a prediction.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Graph:
    """Crystals side by side.

    numbers: atomic numbers, (n_atoms,).  neighbours: the atoms next to each, (n_atoms,
    N_NEIGHBOURS), indices into all atoms.  distances: to them, Å, the same shape.
    crystal: which crystal an atom belongs to, (n_atoms,).
    """

    numbers: np.ndarray
    neighbours: np.ndarray
    distances: np.ndarray
    crystal: np.ndarray

    @property
    def n_crystals(self) -> int:
        return int(self.crystal[-1]) + 1


def graph_of(atoms: Atoms) -> Graph:
    """The graph of one crystal.

    An atom with too few neighbours within reach gets the first atom, far away, in their place.

    Raises:
        StructureError: no cell with a volume, or one so dense that it must have collapsed.
    """
    grid = make_grid(Atoms(atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=True))
    check_radius(grid, REACH_A)
    positions = np.ascontiguousarray(atoms.positions, dtype=float)
    cell = np.ascontiguousarray(atoms.cell.array, dtype=float)
    periodic = np.ones(3, dtype=np.int64)
    i, j, _, d = find_points_in_spheres(
        positions, positions, r=REACH_A, pbc=periodic, lattice=cell, tol=SAME_SITE_A
    )
    other = ~((i == j) & (d <= SAME_SITE_A))
    i, j, d = i[other], j[other], d[other]
    order = np.lexsort([d, i])  # stable: equal distances stay as they were found
    i, j, d = i[order], j[order], d[order]
    rank = np.arange(len(i)) - np.searchsorted(i, i)
    near = rank < N_NEIGHBOURS
    neighbours = np.zeros((len(atoms), N_NEIGHBOURS), dtype=np.int64)
    distances = np.full((len(atoms), N_NEIGHBOURS), NOWHERE_A)
    neighbours[i[near], rank[near]] = j[near]
    distances[i[near], rank[near]] = d[near]
    numbers = np.asarray(atoms.numbers, dtype=np.int64)
    return Graph(numbers, neighbours, distances, np.zeros(len(numbers), dtype=np.int64))


def joined(graphs: Sequence[Graph]) -> Graph:
    """Graphs of crystals as one graph without bonds between them."""
    sizes = np.array([len(graph.numbers) for graph in graphs])
    first = np.cumsum(sizes) - sizes
    return Graph(
        np.concatenate([graph.numbers for graph in graphs]),
        np.concatenate([graph.neighbours + at for graph, at in zip(graphs, first, strict=True)]),
        np.concatenate([graph.distances for graph in graphs]),
        np.repeat(np.arange(len(graphs)), sizes),
    )
