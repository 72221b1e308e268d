"""Radial distribution function.

    g(r_b) = n_b / [ N (N / V) (4 pi / 3) (r_{b+1}^3 - r_b^3) ]

with n_b the number of ordered pairs of atoms, periodic images included, whose distance is in bin b.
"""

from itertools import product

import numpy as np
from ase import Atoms

from dismai.base.errors import InputError
from dismai.base.kernels import njit
from dismai.geometry.grid import Grid, box_range, check_radius, make_grid


def rdf(
    atoms: Atoms, r_max: float = 10.0, bin_width: float = 0.02, grid: Grid | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Radial distribution function of all atoms, whatever their element.

    All periodic images count, so a cell of any size gives the same curve as its supercell. Bins
    are half-open, the last includes r_max. grid: the cell list, where it is known already.

    Returns the bin centres, Å, and g, dimensionless, both (n_bins,).
    """
    n_bins = round(r_max / bin_width) if bin_width > 0 else 0
    if n_bins < 1 or abs(n_bins * bin_width - r_max) > 1e-9 * r_max:
        raise InputError(f"rdf: expected r_max a multiple of bin_width, found {r_max}, {bin_width}")
    grid = make_grid(atoms) if grid is None else grid
    check_radius(grid, r_max)
    edges = np.linspace(0.0, r_max, n_bins + 1)
    counts = count_pairs(grid, edges)
    volume = abs(np.linalg.det(grid.cell))
    shells = 4.0 / 3.0 * np.pi * np.diff(edges**3)
    g = counts / (shells * len(atoms) * (len(atoms) / volume))
    return edges[:-1] + 0.5 * r_max / n_bins, g


@njit(cache=True, nogil=True)
def count_pairs(grid, edges):
    """Ordered pairs of atoms and images by distance, in bins with the given edges (Å) from 0."""
    n_bins = len(edges) - 1
    counts = np.zeros(n_bins, np.int64)
    r_max = edges[n_bins]
    per_width = n_bins / r_max
    limit = r_max * r_max * (1.0 + 1e-12)
    n_a, n_b, n_c = grid.boxes
    cell, xyz = grid.cell, grid.xyz
    for i in range(len(xyz)):
        own = np.empty(3, np.int64)
        for x in range(3):
            own[x] = min(int(grid.frac[i, x] * grid.boxes[x]), grid.boxes[x] - 1)
        _, a_high = box_range(grid, i, 0, r_max)
        b_low, b_high = box_range(grid, i, 1, r_max)
        c_low, c_high = box_range(grid, i, 2, r_max)
        # each pair once: only boxes from the own one on, the own one only from the own atom on
        for a in range(own[0], a_high + 1):
            s_a = a // n_a
            for b in range(own[1] if a == own[0] else b_low, b_high + 1):
                s_b = b // n_b
                in_row = a == own[0] and b == own[1]
                for c in range(own[2] if in_row else c_low, c_high + 1):
                    s_c = c // n_c
                    box = ((a - s_a * n_a) * n_b + b - s_b * n_b) * n_c + c - s_c * n_c
                    x0 = s_a * cell[0, 0] + s_b * cell[1, 0] + s_c * cell[2, 0] - xyz[i, 0]
                    y0 = s_a * cell[0, 1] + s_b * cell[1, 1] + s_c * cell[2, 1] - xyz[i, 1]
                    z0 = s_a * cell[0, 2] + s_b * cell[1, 2] + s_c * cell[2, 2] - xyz[i, 2]
                    is_own = in_row and c == own[2]
                    for t in range(grid.first[box], grid.first[box + 1]):
                        j = grid.members[t]
                        if is_own and j <= i:
                            continue
                        x, y, z = xyz[j, 0] + x0, xyz[j, 1] + y0, xyz[j, 2] + z0
                        r2 = x * x + y * y + z * z
                        if r2 > limit:
                            continue
                        r = np.sqrt(r2)
                        k = min(int(r * per_width), n_bins - 1)
                        if r < edges[k]:
                            k -= 1
                        elif r >= edges[k + 1] and k < n_bins - 1:
                            k += 1
                        if r <= r_max:
                            counts[k] += 2
    return counts


def partial_rdf(
    atoms: Atoms,
    centres: np.ndarray,
    others: np.ndarray,
    r_max: float = 8.0,
    bin_width: float = 0.1,
) -> tuple[np.ndarray, np.ndarray]:
    """Radial distribution function of some atoms around some others, all images counted.

        g(r_b) = n_b / [ N_c (N_o / V) (4 pi / 3) (r_{b+1}^3 - r_b^3) ]

    with n_b the pairs of a centre and another atom in bin b, V the volume of the whole cell,
    vacuum included.

    centres, others: indices, (n_centres,) and (n_others,); an atom is no neighbour of itself.

    Returns the bin centres, Å, and g, dimensionless, both (n_bins,); NaN without any pair.
    """
    n_bins = round(r_max / bin_width)
    edges = np.linspace(0.0, r_max, n_bins + 1)
    cell = atoms.cell.array
    widths = 1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    place = atoms.cell.scaled_positions(atoms.positions) % 1.0
    reach = np.ceil(r_max / widths).astype(int)
    images = np.array(list(product(*(range(-n, n + 1) for n in reach))))
    vectors = (place[others] + images[:, None])[:, None] - place[centres][:, None]
    distances = np.linalg.norm(vectors @ cell, axis=-1)  # (n_images, n_centres, n_others)
    home = ~images.any(axis=1)
    distances[home] = np.where(centres[:, None] == others, np.inf, distances[home])
    counts = np.histogram(distances, edges)[0]
    shells = 4.0 / 3.0 * np.pi * np.diff(edges**3)
    with np.errstate(invalid="ignore", divide="ignore"):
        g = counts / (shells * len(centres) * (len(others) / atoms.get_volume()))
    return edges[:-1] + 0.5 * bin_width, g
