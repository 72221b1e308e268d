"""Structures that are copies of training structures, and how many there may be.

A structure is a copy where its fingerprint is that of a training structure. On an fcc lattice that
is its pair counts, without vacancies: a decoration that is translated, turned or mirrored has the
same. Elsewhere it is the distances of every atom to its nearest neighbours, sorted by element: all
of them agree by chance in no two disordered structures, and moving the whole changes none.
"""

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.geometry import get_distances
from scipy.spatial.distance import cdist
from scipy.stats import binom

from dismai.base.card import Card
from dismai.base.errors import StructureError
from dismai.base.kinds import KINDS
from dismai.datasets.options import Options

N_NEAREST = 4
TOLERANCE_A = 2e-3
"""More than is lost by writing coordinates to a file, far less than a new structure differs by."""
TOLERANCE_COUNTS = 1e-9
RIGHT = 0.975
"""Chance that a set of new structures has no more copies than are allowed."""


def fingerprints(structures: Sequence[Atoms], spec: Card, options: Options) -> np.ndarray:
    """One row a structure; NaN where it has none: another composition, vacancies, off a lattice.

    Returns an array (n_structures, n_numbers), rows of smaller structures filled with zeros.
    """
    rows = [_fingerprint(atoms, spec, options) for atoms in structures]
    width = max((len(row) for row in rows if row is not None), default=1)
    table = np.full((len(rows), width), np.nan)
    for row, found in zip(table, rows, strict=True):
        if found is not None:
            row[:] = 0.0
            row[: len(found)] = found
    return table


def _fingerprint(atoms: Atoms, spec: Card, options: Options) -> np.ndarray | None:
    if not (spec.fits(atoms.get_chemical_symbols()) and np.isfinite(atoms.positions).all()):
        return None
    kind = KINDS[spec.kind]
    if not kind.on_fcc:
        return nearest_distances(atoms)
    try:
        cleaned, counted = kind.clean(atoms, spec, options)
        whole = counted["n_vacancies"] == 0
        return np.asarray(kind.describe(cleaned, spec, options)) if whole else None
    except StructureError:
        return None


def nearest_distances(atoms: Atoms) -> np.ndarray:
    """Distances to the nearest atoms, Å: of each element and neighbour sorted, (n_atoms * 4,)."""
    _, distances = get_distances(atoms.positions, cell=atoms.cell, pbc=True)
    np.fill_diagonal(distances, np.inf)
    nearest = np.sort(distances, axis=1)[:, :N_NEAREST]
    numbers = atoms.numbers
    parts = [np.sort(nearest[numbers == number], axis=0) for number in sorted(set(numbers))]
    return np.concatenate([part.ravel() for part in parts])


def copies(generated: np.ndarray, training: np.ndarray, on_fcc: bool) -> np.ndarray:
    """Which structures are copies of training structures, (n_generated,), by their fingerprints."""
    found = np.zeros(len(generated), dtype=bool)
    known = training[np.isfinite(training).all(axis=1)]
    able = np.isfinite(generated).all(axis=1)
    if len(known) and able.any():
        width = max(known.shape[1], generated.shape[1])
        rows = (_filled(part, width) for part in (generated[able], known))
        nearest = cdist(*rows, "chebyshev").min(axis=1)
        found[able] = nearest < (TOLERANCE_COUNTS if on_fcc else TOLERANCE_A)
    return found


def _filled(rows: np.ndarray, width: int) -> np.ndarray:
    return np.pad(rows, ((0, 0), (0, width - rows.shape[1])))


def most_copies(n: int, n_copies: int, n_held_out: int) -> int:
    """Copies that n new structures may hold, where n_copies of n_held_out held-out ones are some.

    The limit that n new structures keep in 97.5 % of the cases; none where no held-out one is.
    """
    return int(binom.ppf(RIGHT, n, n_copies / n_held_out)) if n_held_out else 0
