"""Sites that atoms share or occupy in part: no single structure, so they are refused."""

import numpy as np
from ase import Atoms

from dismai.base.errors import StructureError

FULL = 1.0
TOLERANCE = 1.001e-3
"""Of an occupancy: what rounding makes of 1."""
ARRAYS = ("occupancy", "occupancies")


def is_full(occupancy: float) -> bool:
    """Whether an occupancy is 1 but for rounding."""
    return bool(abs(occupancy - FULL) <= TOLERANCE)


def partial_occupancy(place: str, found: str) -> StructureError:
    """What is said of a site that no single atom occupies."""
    return StructureError(
        f"{place}: expected occupancy 1, found {found}: partially occupied sites are not supported"
    )


def fully_occupied(atoms: Atoms) -> Atoms:
    """The structure itself; StructureError if a reader noted that sites are occupied in part.

    ASE keeps occupancies of every atom in `arrays`, those of crystals in `info['occupancy']`:
    species and their shares, for every kind of site.
    """
    for name in ARRAYS:
        values = atoms.arrays.get(name)
        if values is None or values.ndim != 1 or values.dtype.kind not in "fiu":
            continue
        if not values.any():  # never filled in
            continue
        for index in np.flatnonzero(np.abs(values - FULL) > TOLERANCE)[:1]:
            raise partial_occupancy(f"atom {index}", f"{values[index]:g}")
    kinds = atoms.info.get("occupancy")
    if isinstance(kinds, dict):
        for kind, shares in kinds.items():
            _check_kind(str(kind), shares)
    return atoms


def _check_kind(kind: str, shares: object) -> None:
    if not isinstance(shares, dict):
        return
    numbers = [value for value in shares.values() if isinstance(value, int | float)]
    if len(shares) > 1 or not all(is_full(value) for value in numbers):
        found = ", ".join(f"{symbol} {value}" for symbol, value in shares.items())
        raise partial_occupancy(f"site {kind}", found)
