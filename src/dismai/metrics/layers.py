"""Profiles of an interface along the normal of its first two lattice vectors."""

import numpy as np
from ase import Atoms

from dismai.errors import InputError
from dismai.metrics.crystalnn.points import make_grid
from dismai.metrics.interface import interface_area


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
