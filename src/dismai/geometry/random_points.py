"""Random places for atoms that are not too close to each other."""

import numpy as np

from dismai.base.errors import InputError

DISTANCE_A = 1.9
"""Smallest distance of randomly placed atoms of one element."""
MAX_TRIES = 20_000


def random_points(n_atoms: int, cell: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random positions, Å, (n_atoms, 3), one after another, each at least 1.9 Å from the others.

    cell: lattice vectors as rows, Å, (3, 3); periodic.
    """
    inverse = np.linalg.inv(cell)
    placed: list[np.ndarray] = []
    for _ in range(MAX_TRIES):
        trial = rng.random(3) @ cell
        between = (np.array(placed).reshape(-1, 3) - trial) @ inverse
        between = (between - np.rint(between)) @ cell
        if len(placed) == 0 or (between**2).sum(axis=1).min() > DISTANCE_A**2:
            placed.append(trial)
        if len(placed) == n_atoms:
            return np.array(placed)
    raise InputError(f"random structure: no place for {n_atoms} atoms in {MAX_TRIES} tries")
