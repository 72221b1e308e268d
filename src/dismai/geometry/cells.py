"""What a cell must be before neighbours are looked for in it."""

import numpy as np
from ase import Atoms

from dismai.base.errors import StructureError

MIN_VOLUME_PER_ATOM_A3 = 0.1
MAX_VOLUME_PER_ATOM_A3 = 1000.0
MAX_ELONGATION = 100.0
"""Longest edge over the smallest height of the cell; beyond it neighbours are all images."""


def check_finite(atoms: Atoms) -> None:
    """StructureError for positions or cell vectors that are no finite numbers."""
    if not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell.array).all()):
        raise StructureError("expected finite coordinates, found NaN or infinity")


def check_cell(atoms: Atoms) -> None:
    """StructureError for a cell without volume, far too large, or a needle."""
    if len(atoms) == 0:
        raise StructureError("expected atoms, found an empty structure")
    with np.errstate(over="ignore", invalid="ignore"):  # such cells are refused below
        volume = abs(np.linalg.det(atoms.cell.array))
    if not volume > MIN_VOLUME_PER_ATOM_A3 * len(atoms):
        raise StructureError(f"expected a cell with a volume, found {volume:.3g} Å³")
    if volume > MAX_VOLUME_PER_ATOM_A3 * len(atoms):
        raise StructureError(
            f"expected a cell of at most {MAX_VOLUME_PER_ATOM_A3:.0f} Å³ per atom, "
            f"found {volume / len(atoms):.3g}"
        )
    heights = 1.0 / np.linalg.norm(np.linalg.inv(atoms.cell.array), axis=0)
    elongation = atoms.cell.lengths().max() / heights.min()
    if elongation > MAX_ELONGATION:
        raise StructureError(
            f"expected a cell at most {MAX_ELONGATION:.0f} times as long as it is thick, "
            f"found {elongation:.3g}"
        )
