"""Profiles of an interface along the normal of its first two lattice vectors."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from dismai.base.errors import InputError
from dismai.geometry.grid import make_grid
from dismai.metrics.interface import interface_area

FINE = 64
"""Points per wave at which the overlap of two profiles is looked at first."""
NEWTON_STEPS = 8


def heights(atoms: Atoms) -> np.ndarray:
    """Height of each atom above the plane of the first two lattice vectors, Å, wrapped, (n,)."""
    grid = make_grid(atoms)
    return grid.frac[:, 2] * cell_height(atoms)


def cell_height(atoms: Atoms) -> float:
    """Height of the cell above the plane of its first two vectors, Å."""
    return float(atoms.get_volume() / interface_area(atoms))


def density_profile(
    atoms: Atoms, elements: list[str], n_layers: int = 64
) -> tuple[np.ndarray, np.ndarray]:
    """Number density of each element in layers of equal thickness.

    Returns the heights of the middle of the layers, Å, (n_layers,), and densities, 1/Å^3,
    (n_elements, n_layers); their sum times the volume of a layer is the number of atoms.
    """
    if n_layers < 1:
        raise InputError(f"layers: expected at least 1, found {n_layers}")
    height = cell_height(atoms)
    layer = _layers(atoms, n_layers)
    volume = atoms.get_volume() / n_layers
    counts = [np.bincount(layer[atoms.symbols == s], minlength=n_layers) for s in elements]
    return (np.arange(n_layers) + 0.5) * height / n_layers, np.array(counts) / volume


def smooth_profile(atoms: Atoms, elements: Sequence[str], n_layers: int = 64) -> np.ndarray:
    """Number density of each element in the middle of layers, 1/Å^3, (n_elements, n_layers).

    Atoms are Gaussians with a standard deviation of one layer, along the normal only. The curve
    has no waves shorter than two layers: from its values in the layers it is known everywhere, so
    that it can be shifted by any part of a layer (`shift_onto`).
    """
    k = np.arange((n_layers + 1) // 2)
    frac = make_grid(atoms).frac[:, 2]
    damping = np.exp(-0.5 * (2 * np.pi * k / n_layers) ** 2 + 1j * np.pi * k / n_layers)
    profile = np.empty((len(elements), n_layers))
    for row, element in zip(profile, elements, strict=True):
        waves = np.exp(-2j * np.pi * k[:, None] * frac[atoms.symbols == element]).sum(axis=1)
        row[:] = np.fft.irfft(waves * damping, n_layers) * n_layers / atoms.get_volume()
    return profile


def shift_onto(profiles: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Profiles of structures laid on a target as well as one shift of all elements allows.

    Where a periodic cell begins along its normal, and which way the normal points, is nobody's
    choice that a metric may judge. The shift is the one of largest overlap, of the profile or of
    its mirror image, to all digits.

    Args:
        profiles: of `smooth_profile`, (n_structures, n_elements, n_layers).
        target: the same of one structure or a mean, (n_elements, n_layers).
    """
    n = profiles.shape[-1]
    k = np.arange(n // 2 + 1)
    wanted = np.fft.rfft(target).conj()
    laid, overlap = [], []
    for images in (profiles, profiles[..., ::-1]):
        waves = np.fft.rfft(images)  # (n_structures, n_elements, n_waves)
        shift, most = _best_shift((waves * wanted).sum(axis=1), k)
        turned = waves * np.exp(2j * np.pi * k * shift[:, None])[:, None]
        laid.append(np.fft.irfft(turned, n))
        overlap.append(most)
    return np.where((overlap[0] >= overlap[1])[:, None, None], *laid)


def _best_shift(cross: np.ndarray, k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Maximum of the overlap Re sum_k cross_k exp(2 pi i k s) over s in 0 ... 1, and the overlap.

    Its largest value on a fine grid, then Newton's steps. cross: (n_structures, n_waves).
    """
    fine = FINE * len(k)
    cross = np.where(k > 0, cross, 0.0)
    shift = np.argmax(np.fft.irfft(cross, fine), axis=1) / fine
    angle = 2 * np.pi * k
    for _ in range(NEWTON_STEPS):
        terms = cross * np.exp(1j * angle * shift[:, None])
        slope, curvature = -(terms.imag @ angle), -(terms.real @ angle**2)
        step = np.divide(slope, curvature, out=np.zeros(len(shift)), where=curvature < 0)
        shift = shift - np.clip(step, -1 / fine, 1 / fine)
    return shift, (cross * np.exp(1j * angle * shift[:, None])).real.sum(axis=1)


def site_profile(
    atoms: Atoms, sites: np.ndarray, values: np.ndarray, n_layers: int = 16
) -> tuple[np.ndarray, np.ndarray]:
    """Mean of values of some sites, such as fingerprints, in layers of equal thickness.

    sites: (n_sites,).  values: (n_sites, n_values).  A layer without a site is nan; take the mean
    over structures with `numpy.nanmean`. With fingerprints of the interface this shows the motifs
    of the interface apart from those of the slabs.

    Returns the heights of the middle of the layers, Å, (n_layers,), and (n_layers, n_values).
    """
    values = np.asarray(values, dtype=float)
    if len(values) != len(sites):
        raise InputError(f"profile: expected values for {len(sites)} sites, found {len(values)}")
    layer = _layers(atoms, n_layers)[sites]
    counts = np.bincount(layer, minlength=n_layers)
    sums = np.zeros((n_layers, values.shape[1]))
    np.add.at(sums, layer, values)
    middle = (np.arange(n_layers) + 0.5) * cell_height(atoms) / n_layers
    with np.errstate(invalid="ignore"):
        return middle, sums / counts[:, None]


def _layers(atoms, n_layers):
    """Layer of each atom."""
    return np.minimum((make_grid(atoms).frac[:, 2] * n_layers).astype(int), n_layers - 1)
