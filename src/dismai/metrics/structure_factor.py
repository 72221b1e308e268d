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
from dismai.base.kernels import njit
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


@njit(cache=True, nogil=True)
def sum_intensities(frac, reciprocal, most, q_max, n_bins):
    """Sum of |sum_j exp(i q r_j)|^2 and number of vectors q in each bin, one of each pair q, -q."""
    n = len(frac)
    total, counts = np.zeros(n_bins), np.zeros(n_bins)
    step = np.empty((3, n), np.complex128)  # exp(2 pi i f) along each axis
    for x in range(3):
        for j in range(n):
            phase = 2.0 * np.pi * frac[j, x]
            step[x, j] = complex(np.cos(phase), np.sin(phase))
    wave_a, wave_b = np.empty(n, np.complex128), np.empty(n, np.complex128)
    wave = np.empty(n, np.complex128)
    for a in range(most[0] + 1):
        for j in range(n):
            phase = 2.0 * np.pi * a * frac[j, 0]
            wave_a[j] = complex(np.cos(phase), np.sin(phase))
        for b in range(-most[1] if a > 0 else 0, most[1] + 1):
            for j in range(n):
                phase = 2.0 * np.pi * b * frac[j, 1]
                wave_b[j] = wave_a[j] * complex(np.cos(phase), np.sin(phase))
            first = -most[2] if a > 0 or b > 0 else 1
            for j in range(n):
                phase = 2.0 * np.pi * first * frac[j, 2]
                wave[j] = wave_b[j] * complex(np.cos(phase), np.sin(phase))
            for c in range(first, most[2] + 1):
                square = 0.0
                for x in range(3):
                    q = a * reciprocal[0, x] + b * reciprocal[1, x] + c * reciprocal[2, x]
                    square += q * q
                k = int(np.sqrt(square) / q_max * n_bins)
                re, im = 0.0, 0.0
                for j in range(n):
                    re += wave[j].real
                    im += wave[j].imag
                    wave[j] *= step[2, j]
                if k < n_bins:
                    total[k] += re * re + im * im
                    counts[k] += 1.0
    return total, counts


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
