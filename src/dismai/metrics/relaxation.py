"""How far generated structures are from a minimum: displacement and energy on relaxation."""

import numpy as np
from ase import Atoms
from ase.geometry import find_mic

from dismai.base.errors import InputError


def displacement(before: Atoms, after: Atoms) -> float:
    """Root mean square displacement of the atoms of one structure, Å, across boundaries.

    The mean displacement is taken off: a shift of all atoms is no relaxation.
    """
    if len(before) != len(after) or (before.numbers != after.numbers).any():
        raise InputError("displacement: expected the same atoms before and after")
    moved, _ = find_mic(after.positions - before.positions, before.cell, pbc=True)
    moved -= moved.mean(axis=0)
    return float(np.sqrt((moved**2).sum(axis=1).mean()))


def energy_above_training(energy: np.ndarray, n_atoms: np.ndarray, training: float) -> np.ndarray:
    """Energies of structures, eV, above the mean of the training set, eV/atom; in meV/atom."""
    return 1e3 * (np.asarray(energy, dtype=float) / np.asarray(n_atoms) - training)
