"""Bond angles between the neighbours of each atom, and their distribution.

Neighbours are those of CrystalNN with purely geometric settings, for the most likely coordination
number of the atom.
"""

import math

import numpy as np
from ase import Atoms

from dismai.base.errors import InputError, StructureError
from dismai.base.kernels import njit
from dismai.geometry.voronoi import Tessellation, tessellate
from dismai.metrics.crystalnn.elements import site_table
from dismai.metrics.crystalnn.weights import GEOMETRIC, bonds, likely_numbers


def bond_angles(atoms: Atoms, cells: Tessellation | None = None) -> np.ndarray:
    """Angles of all unordered pairs of neighbours at all atoms, degrees, (n_angles,).

    Atom by atom, in the order of decreasing weight of the neighbours; atoms with fewer than two
    neighbours have none. cells: Voronoi cells of all atoms, where they are known already.
    """
    if cells is None:
        cells = tessellate(atoms, None, GEOMETRIC.search_radius)
    ranked = bonds(cells, site_table(atoms, None), GEOMETRIC)
    numbers = likely_numbers(ranked.start, ranked.weight)
    return pair_angles(ranked.start, ranked.face, numbers, cells.vector, cells.distance)


def distribution(
    atoms: Atoms, bin_width: float = 0.5, cells: Tessellation | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Share of the bond angles of one structure in each bin; the shares add up to 1.

    Bins are open on the left and closed on the right, the first includes 0. A structure without
    any angle raises StructureError.

    Returns bin centres, degrees, and shares, both (n_bins,).
    """
    return angle_shares(bond_angles(atoms, cells), bin_width)


def angle_shares(angles: np.ndarray, bin_width: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """The same for given angles, degrees."""
    n_bins = round(180.0 / bin_width) if bin_width > 0 else 0
    if n_bins < 1 or abs(n_bins * bin_width - 180.0) > 1e-9:
        raise InputError(f"bin_width: expected a divisor of 180 degrees, found {bin_width}")
    if len(angles) == 0:
        raise StructureError("no bond angle: every atom has fewer than two neighbours")
    edges = np.linspace(0.0, 180.0, n_bins + 1)
    place = np.maximum(np.searchsorted(edges, angles, side="left") - 1, 0)
    counts = np.bincount(np.minimum(place, n_bins - 1), minlength=n_bins)
    return 0.5 * (edges[:-1] + edges[1:]), counts / len(angles)


@njit(cache=True, nogil=True)
def pair_angles(start, face, numbers, vector, distance):
    """Angles, degrees, of all pairs among the first numbers[s] faces of each site s."""
    n_angles = 0
    for n in numbers:
        n_angles += n * (n - 1) // 2
    out = np.empty(n_angles)
    at = 0
    for s in range(len(numbers)):
        for p in range(start[s], start[s] + numbers[s]):
            a = face[p]
            for q in range(p + 1, start[s] + numbers[s]):
                b = face[q]
                c = vector[a, 0] * vector[b, 0]
                c += vector[a, 1] * vector[b, 1]
                c += vector[a, 2] * vector[b, 2]
                c = max(-1.0, min(c / distance[a] / distance[b], 1.0))
                out[at] = math.degrees(math.acos(c))
                at += 1
    return out
