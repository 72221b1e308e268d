"""What only interfaces have: their cells must have the shape of the reference in the plane."""

import numpy as np
from ase import Atoms
from ase.cell import Cell

from dismai.base.card import DatasetSpec

IN_PLANE_TOLERANCE = 0.05
"""Of lengths, relative; of the angle, in hundreds of degrees."""


def misfit(structures: list[Atoms], spec: DatasetSpec) -> tuple[str, str] | None:
    """In-plane cell of the reference and of the first structure, where none has the former."""
    if any(_same_plane(atoms, spec) for atoms in structures):
        return None
    ours, theirs = _plane(Cell(spec.cell)), _plane(structures[0].cell)
    return f"the in-plane cell {ours}", theirs


def _same_plane(atoms: Atoms, spec: DatasetSpec) -> bool:
    (a, b, *_, gamma), (ours_a, ours_b, *_, ours) = atoms.cell.cellpar(), Cell(spec.cell).cellpar()
    lengths = np.allclose([a, b], [ours_a, ours_b], rtol=IN_PLANE_TOLERANCE, atol=0.0)
    return bool(lengths and abs(gamma - ours) <= 100 * IN_PLANE_TOLERANCE)


def _plane(cell: Cell) -> str:
    a, b, *_, gamma = cell.cellpar()
    return f"{a:.2f} x {b:.2f} Å, {gamma:.1f} degrees"
