"""Move atoms apart that a model put too close to each other.

The published procedure, in its order of operations: each pass lists all pairs closer than
min_distance across periodic boundaries; then, pair by pair, the atom with the larger index moves
along the plain difference of positions, without minimum image, to min_distance + 0.1 Å from the
other. Atoms outside the cell are wrapped into it first: that plain difference would else depend on
which image of an atom the file happens to hold.
"""

import numpy as np
from ase import Atoms

from dismai.base.errors import StructureError
from dismai.base.kernels import njit
from dismai.geometry.grid import Grid, check_radius, make_grid, points_within

CLOSE_A = 1.5
"""Atoms nearer to each other than this are moved apart, as published."""
EXTRA = 0.1  # Å beyond min_distance
MOST_CLOSE = 500  # atoms around one; beyond it the cell has collapsed


def move_apart(
    atoms: Atoms, min_distance: float = CLOSE_A, max_iterations: int = 100
) -> tuple[Atoms, str]:
    """Separate close atoms; the result depends on their order.

    A structure is accepted if one of at most max_iterations passes finds no close pair, so the
    passes before it can repair it. Atoms at the same point have no direction to move in: not
    accepted.

    Returns the structure (cell, elements and order of the input; what moved is not wrapped) and
    "ok", or why it was not accepted. The structure's info has n_close_pairs, the close pairs of
    the first pass, and n_passes, the passes made, with the one that found none.
    """
    moved = Atoms(numbers=atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=True)
    moved.info = {"n_close_pairs": 0, "n_passes": 0}
    for n_passes in range(1, max_iterations + 1):
        try:
            grid = make_grid(moved)
            check_radius(grid, min_distance, MOST_CLOSE)
        except StructureError as error:
            return moved, str(error)
        pairs = close_pairs(grid, min_distance)
        if n_passes == 1:
            moved.info["n_close_pairs"] = len(pairs)
        moved.info["n_passes"] = n_passes
        if len(pairs) == 0:
            return moved, "ok"
        if n_passes == 1:
            moved.positions = _inside(moved)
        i, j = push(moved.positions, pairs, min_distance + EXTRA)
        if i >= 0 and i == j:
            found = f"atom {i}: expected its images {min_distance} Å apart, found them closer"
            return moved, f"{found}: the cell is too thin"
        if i >= 0:
            return moved, f"atoms {i} and {j}: expected two points to move apart, found one"
    return moved, f"expected no pair within {min_distance} Å after {max_iterations} passes"


def _inside(atoms: Atoms) -> np.ndarray:
    """Positions, Å, (n, 3), wrapped; those in the cell, to 1e-7 of its edges, as they are."""
    shift = np.floor(atoms.cell.scaled_positions(atoms.positions) + 1e-7)
    return atoms.positions - shift @ atoms.cell.array  # a shift of zeros changes no digit


def close_pairs(grid: Grid, distance: float) -> np.ndarray:
    """Pairs i < j with any image within distance (Å, inclusive), sorted, (n_pairs, 2)."""
    room = 8 * len(grid.xyz) + 64
    while True:
        pairs = np.empty((room, 2), np.int64)
        n = list_pairs(grid, distance, pairs)
        if n >= 0:
            return np.unique(pairs[:n], axis=0)
        room *= 4


@njit(cache=True, nogil=True)
def list_pairs(grid, distance, pairs):
    """Fill pairs with i <= j within distance, repeated for each image; -1 if there is no room."""
    size = len(pairs)
    vector, square = np.empty((size, 3)), np.empty(size)
    index, shift = np.empty(size, np.int64), np.empty((size, 3), np.int64)
    n = 0
    for i in range(len(grid.xyz)):
        found = points_within(grid, i, distance, vector, square, index, shift)
        if found < 0:
            return -1
        for t in range(found):
            if index[t] < i:
                continue
            if n == size:
                return -1
            pairs[n, 0], pairs[n, 1] = i, index[t]
            n += 1
    return n


@njit(cache=True, nogil=True)
def push(positions, pairs, target):
    """Move the second atom of each pair, in order, to the target distance, Å, in place.

    Returns the first pair without a direction, or (-1, -1).
    """
    for t in range(len(pairs)):
        i, j = pairs[t]
        x = positions[j, 0] - positions[i, 0]
        y = positions[j, 1] - positions[i, 1]
        z = positions[j, 2] - positions[i, 2]
        size = np.sqrt(x * x + y * y + z * z)
        if size == 0.0:
            return i, j
        positions[j, 0] = positions[i, 0] + x * target / size
        positions[j, 1] = positions[i, 1] + y * target / size
        positions[j, 2] = positions[i, 2] + z * target / size
    return -1, -1
