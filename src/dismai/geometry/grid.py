"""Atoms and their periodic images around a point: a cell list that works for any cell and radius.

The atoms are wrapped into the cell and sorted into boxes of equal size in fractional space. A
search visits the boxes that the sphere can touch; a box outside the cell is the image of one
inside. So one grid serves every radius, and the time for all atoms is linear in their number.
"""

import warnings
from typing import NamedTuple

import numpy as np
from ase import Atoms

from dismai.base.errors import StructureError
from dismai.base.kernels import njit

ATOMS_PER_BOX = 3.0
MAX_BOXES = 50_000  # to be visited for one atom
MAX_POINTS = 200_000  # in one sphere; beyond it the cell is collapsed, not dense


class Grid(NamedTuple):
    """Atoms of a periodic cell in boxes; the atoms of box b are members[first[b] : first[b + 1]].

    cell: lattice vectors as rows, Å, (3, 3).  reach: 1 / height of the cell along each vector,
    1/Å, (3,).  frac: fractional positions in [0, 1), (n_atoms, 3).  xyz: the same, Å.
    wrap: lattice translations taken off the input positions, (n_atoms, 3).
    boxes: number of boxes along each vector, (3,).  first: (n_boxes + 1,).  members: (n_atoms,).
    """

    cell: np.ndarray
    reach: np.ndarray
    frac: np.ndarray
    xyz: np.ndarray
    wrap: np.ndarray
    boxes: np.ndarray
    first: np.ndarray
    members: np.ndarray


def make_grid(atoms: Atoms) -> Grid:
    """Sort the atoms of a cell, periodic in three dimensions, into boxes.

    Raises StructureError for what has no geometry: no atoms, positions or cell not finite, cell
    without volume. Missing periodic flags are taken as set, with a warning.
    """
    cell, positions = np.array(atoms.cell, dtype=float), np.array(atoms.positions, dtype=float)
    if len(positions) == 0:
        raise StructureError("expected atoms, found none")
    if not (np.isfinite(positions).all() and np.isfinite(cell).all()):
        raise StructureError("expected finite positions and cell, found NaN or infinity")
    volume = abs(np.linalg.det(cell))
    edges = np.linalg.norm(cell, axis=1)
    if not volume > 1e-10 * edges.prod() or volume < 1e-6:
        raise StructureError(f"expected a cell with a volume, found {volume:.3g} Å^3")
    if not atoms.pbc.all():
        warnings.warn("atoms without periodic flags are taken as periodic", stacklevel=3)
    inverse = np.linalg.inv(cell)
    frac = positions @ inverse
    if np.abs(frac).max() > 1e9:
        raise StructureError("expected positions near the cell, found some 1e9 cells away")
    wrap = np.floor(frac)
    frac = frac - wrap
    wrap[frac >= 1.0] += 1.0  # a tiny negative coordinate rounds to 1
    frac[frac >= 1.0] = 0.0
    reach = np.linalg.norm(inverse, axis=0)
    boxes, first, members = _boxes(frac, reach, volume)
    xyz = positions - wrap @ cell  # keeps all digits of atoms inside the cell
    return Grid(cell, reach, frac, xyz, wrap.astype(np.int64), boxes, first, members)


def _boxes(frac, reach, volume):
    """Number of boxes along each vector, first member of each box, members."""
    side = (ATOMS_PER_BOX * volume / len(frac)) ** (1 / 3)
    boxes = np.clip(np.floor(1.0 / (reach * side)), 1, 1024).astype(np.int64)
    while boxes.prod() > 8 * len(frac) + 64:  # flat or needle-like cells
        boxes[np.argmax(boxes)] = (boxes.max() + 1) // 2
    place = np.minimum((frac * boxes).astype(np.int64), boxes - 1)
    box = (place[:, 0] * boxes[1] + place[:, 1]) * boxes[2] + place[:, 2]
    members = np.argsort(box, kind="stable")
    first = np.searchsorted(box[members], np.arange(boxes.prod() + 1))
    return boxes, first.astype(np.int64), members.astype(np.int64)


def check_radius(grid: Grid, radius: float, most: int = MAX_POINTS) -> None:
    """Refuse a sphere with so many images of atoms that the cell must have collapsed."""
    per_volume = len(grid.frac) / abs(np.linalg.det(grid.cell))
    n_points = per_volume * 4.19 * radius**3
    if n_points > most:
        raise StructureError(
            f"expected at most {most} points within {radius:g} Å, found about {n_points:.2g}"
        )
    n_boxes = np.prod(2.0 * radius * grid.reach * grid.boxes + 1.0)
    if n_boxes > MAX_BOXES:
        raise StructureError(f"the cell is too thin to search {radius:g} Å in all directions")


@njit(cache=True, nogil=True)
def box_range(grid, i, axis, radius):
    """First and last box, counted through images, that the sphere about atom i can touch."""
    half = radius * grid.reach[axis] + 1e-9
    low = np.floor((grid.frac[i, axis] - half) * grid.boxes[axis])
    high = np.floor((grid.frac[i, axis] + half) * grid.boxes[axis])
    return int(low), int(high)


@njit(cache=True, nogil=True)
def points_within(grid, i, radius, vector, square, index, shift):
    """All points within radius (Å, inclusive) of atom i, itself left out, in no special order.

    Fills vector (Å, from atom i, (m, 3)), square (squared length, Å^2, (m,)), index (atom, (m,))
    and shift (lattice translation relative to the input positions, (m, 3)). Returns their number,
    or -1 if the buffers are too small.
    """
    limit = radius * radius + 1e-8
    room = len(index)
    n = 0
    a_low, a_high = box_range(grid, i, 0, radius)
    b_low, b_high = box_range(grid, i, 1, radius)
    c_low, c_high = box_range(grid, i, 2, radius)
    n_a, n_b, n_c = grid.boxes
    cell, xyz, wrap = grid.cell, grid.xyz, grid.wrap
    for a in range(a_low, a_high + 1):
        s_a = a // n_a
        for b in range(b_low, b_high + 1):
            s_b = b // n_b
            for c in range(c_low, c_high + 1):
                s_c = c // n_c
                box = ((a - s_a * n_a) * n_b + b - s_b * n_b) * n_c + c - s_c * n_c
                x0 = s_a * cell[0, 0] + s_b * cell[1, 0] + s_c * cell[2, 0] - xyz[i, 0]
                y0 = s_a * cell[0, 1] + s_b * cell[1, 1] + s_c * cell[2, 1] - xyz[i, 1]
                z0 = s_a * cell[0, 2] + s_b * cell[1, 2] + s_c * cell[2, 2] - xyz[i, 2]
                for t in range(grid.first[box], grid.first[box + 1]):
                    j = grid.members[t]
                    x, y, z = xyz[j, 0] + x0, xyz[j, 1] + y0, xyz[j, 2] + z0
                    r2 = x * x + y * y + z * z
                    if r2 > limit or (j == i and s_a == 0 and s_b == 0 and s_c == 0):
                        continue
                    if n == room:
                        return -1
                    vector[n, 0], vector[n, 1], vector[n, 2] = x, y, z
                    square[n] = r2
                    index[n] = j
                    shift[n, 0] = s_a - wrap[j, 0] + wrap[i, 0]
                    shift[n, 1] = s_b - wrap[j, 1] + wrap[i, 1]
                    shift[n, 2] = s_c - wrap[j, 2] + wrap[i, 2]
                    n += 1
    return n


@njit(cache=True, nogil=True)
def bonds(grid, radii, most):
    """Shortest bond (Å; infinite without any) and number of bonds of every atom, (n_atoms,).

    Two atoms are bonded, in every image, below the sum of their radii, Å, (n_atoms,). The length
    is -1 where an atom has more than `most` points within its radius and the largest one.
    """
    vector, square = np.empty((most, 3)), np.empty(most)
    index, shift = np.empty(most, np.int64), np.empty((most, 3), np.int64)
    shortest, number = np.inf, np.zeros(len(radii), np.int64)
    for i in range(len(radii)):
        n = points_within(grid, i, radii[i] + radii.max(), vector, square, index, shift)
        if n < 0:
            return -1.0, number
        for t in range(n):
            length = np.sqrt(square[t])
            if length < radii[i] + radii[index[t]]:
                number[i] += 1
                shortest = min(shortest, length)
    return shortest, number
