"""What only interfaces have: the shape of their cells in the plane, ready-made sets of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.cell import Cell

from dismai.base.card import REGION_ATOMS, DatasetSpec
from dismai.base.columns import ENERGY, REFERENCE
from dismai.datasets.importing import Expected
from dismai.datasets.interface.assembly import blueprint
from dismai.datasets.interface.build import zero_of
from dismai.datasets.interface.made import training_set as training_set
from dismai.datasets.interface.made import trivial as trivial
from dismai.datasets.interface.settings import InterfaceDataset
from dismai.metrics.interface import interface_area

IN_PLANE_TOLERANCE = 0.05
"""Of lengths, relative; of the angle, in hundreds of degrees."""
LOW_OF_READY_MADE = 0.95
"""Share of a ready-made set, of low energy as a whole, below its zero: its tail does not count."""


def misfit(structures: Iterable[Atoms], spec: DatasetSpec) -> tuple[str, str] | None:
    """In-plane cell of the reference and of the first structure, where none has the former."""
    theirs = None
    for atoms in structures:
        if _same_plane(atoms, spec):
            return None
        theirs = theirs or _plane(atoms.cell)
    return f"the in-plane cell {_plane(Cell(spec.cell))}", theirs


def _same_plane(atoms: Atoms, spec: DatasetSpec) -> bool:
    (a, b, *_, gamma), (ours_a, ours_b, *_, ours) = atoms.cell.cellpar(), Cell(spec.cell).cellpar()
    lengths = np.allclose([a, b], [ours_a, ours_b], rtol=IN_PLANE_TOLERANCE, atol=0.0)
    return bool(lengths and abs(gamma - ours) <= 100 * IN_PLANE_TOLERANCE)


def _plane(cell: Cell) -> str:
    a, b, *_, gamma = cell.cellpar()
    return f"{a:.2f} x {b:.2f} Å, {gamma:.1f} degrees"


def expected(
    settings: InterfaceDataset, shared: Mapping[str, Any] | None, files: Mapping[str, Any]
) -> Expected:
    """Ready-made interfaces: atoms and in-plane cell of the geometry, at any height of the cell."""
    plan = blueprint(settings.geometry.reading(files["crystals"]))
    a, b, *_, gamma = Cell(plan.cell).cellpar().tolist()
    return Expected(
        plan.composition,
        (a, b, None, None, None, gamma),
        statistics={REGION_ATOMS: dict(plan.region), "lattice_match": plan.match.report()},
    )


def statistics_of_minima(structures: Sequence[Atoms], settings: InterfaceDataset) -> dict[str, Any]:
    """Zero of the interface energy of a ready-made set.

    Given, or above the lowest, as for random interfaces. They were chosen by their energy, so the
    share is not that of the configuration but `LOW_OF_READY_MADE`.
    """
    energies = np.array([atoms.info[ENERGY] for atoms in structures])
    own = settings.model_copy(update={"low_share": LOW_OF_READY_MADE})
    first = structures[0]
    zero = zero_of(energies[np.isfinite(energies)], len(first), interface_area(first), own)
    return {REFERENCE: zero, "reference_energy_fitted": own.reference_energy_eV_per_atom is None}
