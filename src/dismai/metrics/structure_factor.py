"""Static structure factor, and the first sharp diffraction peak of amorphous networks.

    S(q) = 1/N | sum_j exp(i q . r_j) |^2

averaged over the reciprocal vectors q of the cell with a length in the bin. These are all the wave
vectors that a periodic cell knows: nothing is cut off in real space and no window is needed. All
atoms scatter alike. ELLIOTT 1991, Phys. Rev. Lett. 67, 711, for the first sharp diffraction peak.
"""

from typing import NamedTuple

import numpy as np
from ase import Atoms

from dismai.base.errors import InputError, StructureError
from dismai.geometry.grid import make_grid

MAX_TERMS = 2e9  # vectors times atoms; some seconds, 2500 atoms at the defaults


class Peak(NamedTuple):
    """A maximum of a curve: position, Å^-1, height, and the wavelength 2 pi / position, Å."""

    position: float
    height: float
    wavelength: float


def structure_factor(
    atoms: Atoms, q_max: float = 8.0, bin_width: float = 0.1
) -> tuple[np.ndarray, np.ndarray]:
    """Isotropic structure factor; the time grows with the square of the number of atoms.

    Bins are half-open, from 0 to q_max (Å^-1). A bin without any reciprocal vector is nan: always
    the first ones, below 2 pi / L for a cell of edge L. Average over structures of one cell.

    Returns the bin centres, Å^-1, and S, dimensionless, both (n_bins,).
    """
    n_bins = round(q_max / bin_width) if bin_width > 0 else 0
    if n_bins < 1 or abs(n_bins * bin_width - q_max) > 1e-9 * q_max:
        raise InputError(
            f"S(q): expected q_max a multiple of bin_width, found {q_max}, {bin_width}"
        )
    grid = make_grid(atoms)
    reciprocal = 2.0 * np.pi * np.linalg.inv(grid.cell).T  # rows
    most = np.floor(q_max * np.linalg.norm(grid.cell, axis=1) / (2.0 * np.pi)).astype(np.int64)
    if np.prod(2.0 * most + 1) * len(atoms) > MAX_TERMS:
        raise StructureError(
            f"S(q): too many reciprocal vectors up to {q_max} 1/Å, {most.tolist()}"
        )
    total, counts = sum_intensities(grid.frac, reciprocal, most, q_max, n_bins)
    with np.errstate(invalid="ignore"):
        s = total / counts / len(atoms)
    return bin_width * (np.arange(n_bins) + 0.5), s


def sum_intensities(
    frac: np.ndarray, reciprocal: np.ndarray, most: np.ndarray, q_max: float, n_bins: int
) -> tuple[np.ndarray, np.ndarray]:
    """Sum of |sum_j exp(i q r_j)|^2 and number of vectors q in each bin, one of each pair q, -q.

    exp(i q r) is the product of one factor along each axis: the sums over atoms are products of
    matrices, those of one plane of wave vectors at a time.
    """
    ranges = [np.arange(-m, m + 1) for m in most]
    first, second, third = (_waves(frac[:, x], most[x]) for x in range(3))
    b, c = ranges[1][:, None], ranges[2]
    total, counts = np.zeros(n_bins), np.zeros(n_bins)
    for a in range(most[0] + 1):
        q = [
            a * reciprocal[0, x] + b * reciprocal[1, x] + c * reciprocal[2, x] for x in range(3)
        ]  # (n_b, n_c)
        length = np.sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2])
        place = (length / q_max * n_bins).astype(np.int64)
        counted = (place < n_bins) & ((a > 0) | (b > 0) | ((b == 0) & (c > 0)))
        rows = counted.any(axis=1)
        if not rows.any():
            continue
        sums = (second[rows] * first[most[0] + a]) @ third.T  # (n_rows, n_c)
        inside, place = counted[rows], place[counted]
        intensity = np.square(sums.real[inside]) + np.square(sums.imag[inside])
        total += np.bincount(place, intensity, n_bins)
        counts += np.bincount(place, minlength=n_bins)
    return total, counts


def _waves(frac: np.ndarray, most: int) -> np.ndarray:
    """exp(2 pi i n frac) for n = -most ... most, (2 most + 1, n_atoms)."""
    up = np.exp(2j * np.pi * np.outer(np.arange(most + 1), frac))
    return np.concatenate([up[:0:-1].conj(), up])


def first_peak(q: np.ndarray, s: np.ndarray, low: float = 1.0, high: float = 3.0) -> Peak:
    """First sharp diffraction peak: the maximum of S between low and high (Å^-1).

    The position is that of the parabola through the highest bin and its neighbours. Amorphous
    silicon has it at 2.0 Å^-1. Take the mean S of many structures; bins with nan are left out.
    """
    known = np.isfinite(s)
    q, s = q[known], s[known]
    inside = np.flatnonzero((q >= low) & (q <= high))
    if len(inside) < 3:
        raise InputError(
            f"peak: expected at least 3 bins from {low} to {high}, found {len(inside)}"
        )
    k = int(np.clip(inside[np.argmax(s[inside])], 1, len(q) - 2))
    rise_left, rise_right = np.diff(s[k - 1 : k + 2]) / np.diff(q[k - 1 : k + 2])
    curvature = (rise_right - rise_left) / (q[k + 1] - q[k - 1])
    slope = rise_left + curvature * (q[k] - q[k - 1])
    shift = -0.5 * slope / curvature if curvature < 0 else 0.0
    shift = float(np.clip(shift, q[k - 1] - q[k], q[k + 1] - q[k]))
    height = s[k] + slope * shift + curvature * shift**2
    return Peak(float(q[k] + shift), float(height), float(2.0 * np.pi / (q[k] + shift)))
