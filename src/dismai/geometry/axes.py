"""Axes and pairs of an fcc crystal that is rotated or off its sites, as the published code.

Positions are compared through fractional coordinates placed in the ideal box, so that a cell of
slightly different size is rescaled.
"""

import numpy as np
from ase import Atoms
from ase.geometry import minkowski_reduce

from dismai.base.errors import StructureError
from dismai.base.kernels import njit
from dismai.geometry.cluster_expansion import PAIR_INDEX
from dismai.geometry.fcc import shell_vectors
from dismai.geometry.lattice_fit import count_pairs_on_sites, fit_lattice

RIGHT_ANGLE_TOLERANCE = 0.0175
"""rad; two axes of a crystal are taken as perpendicular within this."""

MATCH_RADIUS_A = 0.8
DUMMY_RADIUS_A = 1.2


SKEWED_DEGREES = 5.0


def upright(atoms: Atoms) -> Atoms:
    """The same crystal in a cell of right angles, where its cell is only another choice of one.

    A cell with a' = a + b holds the same crystal; the shortest vectors of its lattice are taken
    in place of vectors more than 5 degrees off a right angle.
    """
    if np.abs(atoms.cell.angles() - 90).max() <= SKEWED_DEGREES:
        return atoms
    reduced, _ = minkowski_reduce(atoms.cell.array)
    turned = atoms.copy()
    turned.set_cell(reduced)
    return turned


def ideal_box(atoms: Atoms, a_A: float) -> np.ndarray:
    """Edges of the ideal box, Å, (3,): the whole number of conventional cells nearest the cell."""
    return a_A * np.maximum(1, np.rint(atoms.cell.lengths() / a_A))


def box_positions(atoms: Atoms, box: np.ndarray) -> np.ndarray:
    """Positions rescaled into the ideal box, Å, wrapped, (n, 3)."""
    return (atoms.get_scaled_positions(wrap=False) % 1.0) * box


@njit(cache=True)
def _second_shell(positions, box, low, high, i, out):
    """Vectors from atom i to atoms between low and high (Å), all images; their number."""
    n_found = 0
    reach = np.empty(3, np.int64)
    for x in range(3):
        reach[x] = int(np.ceil(high / box[x]))
    for j in range(len(positions)):
        delta = positions[j] - positions[i]
        for x in range(3):
            delta[x] -= box[x] * np.rint(delta[x] / box[x])
        for u in range(-reach[0], reach[0] + 1):
            for v in range(-reach[1], reach[1] + 1):
                for w in range(-reach[2], reach[2] + 1):
                    dx = delta[0] + u * box[0]
                    dy = delta[1] + v * box[1]
                    dz = delta[2] + w * box[2]
                    d = np.sqrt(dx * dx + dy * dy + dz * dz)
                    if low <= d <= high:
                        if n_found < len(out):
                            out[n_found, 0] = dx
                            out[n_found, 1] = dy
                            out[n_found, 2] = dz
                        n_found += 1
    return n_found


def crystal_axes(positions: np.ndarray, box: np.ndarray, a_A: float) -> tuple[np.ndarray, int]:
    """Unit vectors along the cubic axes, rows of (3, 3), and the atom that showed them.

    The first atom, in file order, with exactly six neighbours between a - 0.4 and a + 0.4 Å of
    which two are perpendicular. StructureError if there is none.
    """
    vectors = np.empty((6, 3))
    for i in range(len(positions)):
        if _second_shell(positions, box, a_A - 0.4, a_A + 0.4, i, vectors) != 6:
            continue
        lengths = np.linalg.norm(vectors, axis=1)
        units = (vectors / lengths[:, None])[np.argsort(np.abs(lengths - a_A), kind="stable")]
        angles = np.arccos(np.clip(units[1:] @ units[0], -1, 1))
        perpendicular = np.flatnonzero(np.abs(angles - np.pi / 2) <= RIGHT_ANGLE_TOLERANCE)
        if len(perpendicular):
            b = units[1 + perpendicular[0]]
            c = np.cross(units[0], b)
            return np.array([units[0], b, c / np.linalg.norm(c)]), i
    raise StructureError("expected an fcc crystal, found no atom with perpendicular neighbours")


@njit(cache=True)
def nearest_within(point, positions, box, radius):
    """Index of the atom nearest to a point within a radius (Å), periodic; -1 if there is none."""
    best = -1
    best_squared = radius * radius
    for j in range(len(positions)):
        squared = 0.0
        for x in range(3):
            d = positions[j, x] - point[x]
            d -= box[x] * np.rint(d / box[x])
            squared += d * d
            if squared > best_squared:
                break
        if squared <= best_squared:
            best_squared = squared
            best = j
    return best


@njit(cache=True)
def _bin_atoms(positions, box, radius):
    """Linked cells at least two radii wide: first atom of every cell, next atom of every atom."""
    n_bins = np.empty(3, np.int64)
    for x in range(3):
        n_bins[x] = max(1, int(box[x] / (2 * radius)))
    heads = np.full((n_bins[0], n_bins[1], n_bins[2]), -1, np.int64)
    following = np.full(len(positions), -1, np.int64)
    for i in range(len(positions)):
        u = int(np.floor(positions[i, 0] / box[0] * n_bins[0])) % n_bins[0]
        v = int(np.floor(positions[i, 1] / box[1] * n_bins[1])) % n_bins[1]
        w = int(np.floor(positions[i, 2] / box[2] * n_bins[2])) % n_bins[2]
        following[i] = heads[u, v, w]
        heads[u, v, w] = i
    return heads, following


@njit(cache=True)
def _nearest_in_cells(point, positions, heads, following, box, radius):
    """Index of the atom nearest to a point within a radius (Å), periodic; -1 if there is none."""
    best = -1
    best_squared = radius * radius
    n0, n1, n2 = heads.shape
    # Plain numbers, no arrays: this runs for every neighbour position of every atom.
    u_low = int(np.floor((point[0] - radius) * n0 / box[0]))
    v_low = int(np.floor((point[1] - radius) * n1 / box[1]))
    w_low = int(np.floor((point[2] - radius) * n2 / box[2]))
    u_high = int(np.floor((point[0] + radius) * n0 / box[0]))
    v_high = int(np.floor((point[1] + radius) * n1 / box[1]))
    w_high = int(np.floor((point[2] + radius) * n2 / box[2]))
    for u in range(u_low, u_high + 1):
        for v in range(v_low, v_high + 1):
            for w in range(w_low, w_high + 1):
                j = heads[u % n0, v % n1, w % n2]
                while j >= 0:
                    squared = 0.0
                    for x in range(3):
                        d = positions[j, x] - point[x]
                        d -= box[x] * np.rint(d / box[x])
                        squared += d * d
                    if squared < best_squared or (squared == best_squared and j < best):
                        best_squared = squared
                        best = j
                    j = following[j]
    return best


@njit(cache=True)
def _count_pairs(positions, species, box, vectors, shells, pair_index, radius, dimers):
    heads, following = _bin_atoms(positions, box, radius)
    point = np.empty(3)
    for i in range(len(positions)):
        for k in range(len(vectors)):
            for x in range(3):
                # The published code rounds the fractional point to 3 decimals, then adds 1e-6 Å.
                fraction = (positions[i, x] + vectors[k, x]) / box[x]
                point[x] = np.rint(fraction * 1000) / 1000 * box[x] + 1e-6
            j = _nearest_in_cells(point, positions, heads, following, box, radius)
            if j >= 0:
                dimers[shells[k], pair_index[species[i], species[j]]] += 1


@njit(cache=True)
def _every_neighbor_is_there(positions, vectors, box, radius):
    heads, following = _bin_atoms(positions, box, radius)
    for i in range(len(positions)):
        for k in range(len(vectors)):
            point = positions[i] + vectors[k]
            if _nearest_in_cells(point, positions, heads, following, box, radius) < 0:
                return False
    return True


def count_pairs(atoms: Atoms, species: np.ndarray, a_A: float) -> np.ndarray:
    """Unordered pairs of shells 1 to 7 by species pair, (7, 6), of a crystal in any orientation.

    species: index of every atom's species, (n_atoms,). A crystal that fits into its box is counted
    on the lattice fitted to all its atoms, so that displacements lose no pair. Else, as
    published, for every atom and neighbour vector along the crystal's own axes the nearest atom
    within 0.8 Å counts; each pair is met from both ends.
    """
    box = ideal_box(atoms, a_A)
    positions = box_positions(atoms, box)
    fit = fit_lattice(positions, box, a_A)
    sites = None if fit is None else fit.assign(positions)
    if sites is not None:
        return count_pairs_on_sites(fit, sites, species)
    axes, _ = crystal_axes(positions, box, a_A)
    axes = fitted_axes(positions, box, axes, a_A)
    vectors = [shell_vectors(shell) for shell in range(1, 8)]
    shells = np.repeat(np.arange(7), [len(shell) for shell in vectors])
    rotated = a_A / 2 * np.concatenate(vectors) @ axes
    dimers = np.zeros((7, 6))
    _count_pairs(positions, species, box, rotated, shells, PAIR_INDEX, MATCH_RADIUS_A, dimers)
    return dimers / 2


def fitted_axes(positions: np.ndarray, box: np.ndarray, axes: np.ndarray, a_A: float) -> np.ndarray:
    """The axes, rows of (3, 3), by least squares from all pairs of the first two shells.

    The axes to start from may be those that a single, displaced atom shows. Rows are of unit
    length where the crystal has the spacing a_A.
    """
    ideal = a_A / 2 * np.concatenate([shell_vectors(1), shell_vectors(2)])
    for _ in range(3):
        which, found = [], []
        delta = positions[None] - positions[:, None]
        delta -= box * np.rint(delta / box)  # (n, n, 3)
        for k, step in enumerate(ideal @ axes):
            near = ((delta - step) ** 2).sum(axis=-1) <= MATCH_RADIUS_A**2
            found.append(delta[near])
            which += [k] * len(found[-1])
        axes = np.linalg.lstsq(ideal[which], np.concatenate(found), rcond=None)[0]
    return axes


def count_vacancies(atoms: Atoms, a_A: float) -> int:
    """Vacancies of a crystal in any orientation, estimated as the published code.

    Where a nearest-neighbour position of an atom has no atom within 0.8 Å, one sweep over all
    atoms and their twelve positions puts a dummy wherever nothing lies within 1.2 Å; the sweep
    is repeated while its very last position was filled. The number is an estimate; that it is
    zero or not is reliable. A crystal that fits into its box has its sites counted instead.
    """
    box = ideal_box(atoms, a_A)
    positions = box_positions(atoms, box)
    fit = fit_lattice(positions, box, a_A)
    if fit is not None and fit.assign(positions) is not None:
        return fit.n_sites - len(positions)
    axes, _ = crystal_axes(positions, box, a_A)
    axes = fitted_axes(positions, box, axes, a_A)
    vectors = a_A / 2 * shell_vectors(1) @ axes
    if _every_neighbor_is_there(positions, vectors, box, MATCH_RADIUS_A):
        return 0
    points = (positions[:, None, :] + vectors[None]).reshape(-1, 3)
    occupied = positions
    while True:
        last_filled = False
        for point in points:
            last_filled = nearest_within(point, occupied, box, DUMMY_RADIUS_A) < 0
            if last_filled:
                occupied = np.vstack([occupied, point % box])
        if not last_filled:
            return len(occupied) - len(positions)
