"""The bond network: coordination numbers and dihedral angles.

Neighbours are those of CrystalNN with purely geometric settings, as for the bond angles. Two atoms
are bonded if each is a neighbour of the other, or if they are closer than a cutoff.
"""

import math
from typing import NamedTuple

import numpy as np
from ase import Atoms

from dismai.base.errors import InputError, StructureError
from dismai.base.kernels import njit
from dismai.geometry.grid import check_radius, make_grid, points_within
from dismai.geometry.voronoi import Tessellation
from dismai.metrics.crystalnn.neighbors import neighbor_list
from dismai.metrics.crystalnn.weights import GEOMETRIC

ZERO = np.zeros(3, np.int64)
MOST_BONDS = 200  # of one atom
MAX_CHAINS = 20_000_000  # of three bonds; beyond it this is no network but a dense packing


class Network(NamedTuple):
    """Mutual bonds, from both ends; those of atom i are first[i] : first[i + 1].

    first: (n_atoms + 1,).  other: second atom, (n_bonds,).  shift: its lattice translation,
    (n_bonds, 3), between the atoms wrapped into the cell.  vector: Å, (n_bonds, 3).
    """

    first: np.ndarray
    other: np.ndarray
    shift: np.ndarray
    vector: np.ndarray


def coordination_shares(
    atoms: Atoms, largest: int = 8, cells: Tessellation | None = None
) -> np.ndarray:
    """Percentage of atoms with 0, 1, ... largest or more neighbours, (largest + 1,).

    In amorphous silicon everything but 4 is a defect: 3 a dangling, 5 a floating bond.
    """
    i, _, _, _ = neighbor_list(atoms, GEOMETRIC, cells=cells)
    numbers = np.minimum(np.bincount(i, minlength=len(atoms)), largest)
    return 100.0 * np.bincount(numbers, minlength=largest + 1) / len(atoms)


def bond_network(
    atoms: Atoms, cutoff: float | None = None, cells: Tessellation | None = None
) -> Network:
    """The mutual CrystalNN bonds of a structure; with a cutoff (Å) all pairs up to this distance.

    For amorphous silicon 2.85 Å, the first minimum of g(r), is usual. cells: Voronoi cells of all
    atoms, where they are known already.
    """
    grid = make_grid(atoms)
    if cutoff is None:
        i, j, shift, _ = neighbor_list(atoms, GEOMETRIC, cells=cells)
    else:
        i, j, shift = _within(grid, cutoff)
    shift = (
        shift + grid.wrap[j] - grid.wrap[i]
    )  # of atoms far outside the cell codes would overflow
    if cutoff is None:
        mutual = np.isin(_codes(i, j, shift, len(atoms)), _codes(j, i, -shift, len(atoms)))
        i, j, shift = i[mutual], j[mutual], shift[mutual]
    first = np.searchsorted(i, np.arange(len(atoms) + 1))
    vector = grid.xyz[j] + shift @ grid.cell - grid.xyz[i]
    return Network(first, j, shift, vector)


def _codes(i, j, shift, n_atoms):
    """One whole number per bond."""
    base = 2 * int(np.abs(shift).max(initial=0)) + 1
    x, y, z = (shift + base // 2).T
    return (((x * base + y) * base + z) * n_atoms + i) * n_atoms + j


def _within(grid, cutoff):
    """First atom, second atom and translation of all pairs within cutoff, Å."""
    check_radius(grid, cutoff, MOST_BONDS)
    room = 16 * len(grid.xyz) + 64
    while True:
        i, j = np.empty(room, np.int64), np.empty(room, np.int64)
        shift = np.empty((room, 3), np.int64)
        n = list_bonds(grid, cutoff, i, j, shift)
        if n >= 0:
            return i[:n], j[:n], shift[:n]
        room *= 2


@njit(cache=True, nogil=True)
def list_bonds(grid, cutoff, i, j, shift):
    """Fill i, j and shift with all pairs within cutoff from both ends; -1 if there is no room."""
    n, room = 0, len(i)
    vector, square = np.empty((room, 3)), np.empty(room)
    for atom in range(len(grid.xyz)):
        found = points_within(grid, atom, cutoff, vector, square, j[n:], shift[n:])
        if found < 0:
            return -1
        i[n : n + found] = atom
        n += found
    return n


def dihedral_angles(network: Network) -> np.ndarray:
    """Dihedral angles of all chains of three bonds, 0 to 180 degrees, (n_chains,).

    Each chain of four different atoms counts once; if three of them lie on a line it has no angle.
    """
    numbers = np.diff(network.first)
    middle = np.repeat(numbers, numbers), numbers[network.other]  # at the two ends of each bond
    room = int(((middle[0] - 1) * (middle[1] - 1)).sum()) // 2
    if room > MAX_CHAINS:
        raise StructureError(f"dihedral angles: expected at most {MAX_CHAINS}, found {room}")
    angles = np.empty(room)
    n = chain_angles(network.first, network.other, network.shift, network.vector, angles)
    return angles[:n]


def dihedral_distribution(
    network: Network, bin_width: float = 5.0
) -> tuple[np.ndarray, np.ndarray]:
    """Share of the dihedral angles in each bin, half-open, the last closed; they add up to 1.

    Returns bin centres, degrees, and shares, both (n_bins,). Without chains: StructureError.
    """
    n_bins = round(180.0 / bin_width) if bin_width > 0 else 0
    if n_bins < 1 or abs(n_bins * bin_width - 180.0) > 1e-9:
        raise InputError(f"bin_width: expected a divisor of 180 degrees, found {bin_width}")
    angles = dihedral_angles(network)
    if len(angles) == 0:
        raise StructureError("no dihedral angle: no chain of three bonds")
    counts, edges = np.histogram(angles, n_bins, (0.0, 180.0))
    return 0.5 * (edges[:-1] + edges[1:]), counts / len(angles)


@njit(cache=True, nogil=True)
def chain_angles(first, other, shift, vector, out):
    """Fill out with the angles, bond j-k in the middle, from the end that comes first."""
    n = 0
    for j in range(len(first) - 1):
        for middle in range(first[j], first[j + 1]):
            k = other[middle]
            if not forward(j, k, shift[middle]):
                continue
            for left in range(first[j], first[j + 1]):
                if left == middle:
                    continue
                for right in range(first[k], first[k + 1]):
                    if other[right] == j and meets(shift[middle], shift[right], ZERO):
                        continue  # back along the bond
                    if other[right] == other[left] and meets(
                        shift[middle], shift[right], shift[left]
                    ):
                        continue  # a triangle
                    angle = dihedral(vector[left], vector[middle], vector[right])
                    if angle < 0.0:
                        continue
                    out[n] = angle
                    n += 1
    return n


@njit(cache=True, nogil=True)
def forward(i, j, shift):
    """Whether the bond from i to the image shift of j is the one of its two ends that counts."""
    if i != j:
        return i < j
    for x in range(3):
        if shift[x] != 0:
            return shift[x] > 0
    return False


@njit(cache=True, nogil=True)
def meets(first, second, end):
    """Whether two lattice translations add up to a third."""
    return (
        first[0] + second[0] == end[0]
        and first[1] + second[1] == end[1]
        and first[2] + second[2] == end[2]
    )


@njit(cache=True, nogil=True)
def dihedral(left, middle, right):
    """Angle, degrees, between left and right (from the two ends of middle) seen along middle.

    -1 if one of them is parallel to middle.
    """
    ax, ay, az = cross(left, middle)
    bx, by, bz = cross(right, middle)
    size = math.sqrt((ax * ax + ay * ay + az * az) * (bx * bx + by * by + bz * bz))
    if size < 1e-10:
        return -1.0
    c = (ax * bx + ay * by + az * bz) / size
    return math.degrees(math.acos(max(-1.0, min(c, 1.0))))


@njit(cache=True, nogil=True)
def cross(a, b):
    """Components of the cross product."""
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]
