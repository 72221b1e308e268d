"""Formation energy and energy above the hull of crystals, by pymatgen's phase diagrams.

The hull of a crystal holds every phase that is made of its elements, all binaries of a ternary
included. Of few phases it is a bound from below: a phase that is missing would lie lower.
"""

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
from ase.formula import Formula
from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core import Composition

HULL_SCHEMA = pa.schema(
    [
        pa.field("structure", pa.int64(), nullable=False),
        pa.field("formula", pa.string(), nullable=False),
        pa.field("energy_eV_per_atom", pa.float64()),
        pa.field("formation_energy_eV_per_atom", pa.float64()),
        pa.field("energy_above_hull_eV_per_atom", pa.float64()),
        pa.field("n_phases", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
    ]
)
"""One row a crystal: n_phases are in its hull; without energies there is a reason."""


class Hull:
    """Phases with energies, and the hull of every chemical system among them.

    phases: one row each, `formula`, `energy_eV_per_atom` (of the formula as a whole cell), and
    `reason`; those without an energy are left out.
    """

    def __init__(self, phases: pd.DataFrame):
        known = phases[phases["energy_eV_per_atom"].notna()]
        self._entries = [_entry(row.formula, row.energy_eV_per_atom) for row in known.itertuples()]
        self._diagrams: dict[frozenset[str], PhaseDiagram] = {}

    def rated(self, formula: str, energy_eV_per_atom: float) -> dict[str, float | int | str]:
        """Formation energy, energy above the hull (negative: below it), eV/atom, and the phases.

        Both are NaN, with a reason, where an element has no phase of its own.
        """
        entry = _entry(formula, energy_eV_per_atom)
        elements = frozenset(str(element) for element in entry.composition.elements)
        lacking = sorted(elements - self._pure)
        if lacking:
            return _row(reason=f"no phase of the pure element {', '.join(lacking)}")
        if not np.isfinite(energy_eV_per_atom):
            return _row(reason="no energy")
        diagram = self._diagram(elements)
        above = diagram.get_e_above_hull(entry, allow_negative=True)
        return _row(
            float(diagram.get_form_energy_per_atom(entry)), float(above), len(diagram.all_entries)
        )

    @cached_property
    def _pure(self) -> frozenset[str]:
        return frozenset(
            str(entry.composition.elements[0])
            for entry in self._entries
            if len(entry.composition.elements) == 1
        )

    def _diagram(self, elements: frozenset[str]) -> PhaseDiagram:
        if elements not in self._diagrams:
            own = [
                entry
                for entry in self._entries
                if {str(element) for element in entry.composition.elements} <= elements
            ]
            self._diagrams[elements] = PhaseDiagram(own)
        return self._diagrams[elements]


def above_hull(crystals: pd.DataFrame, hull: Hull) -> pd.DataFrame:
    """Energies of crystals rated by a hull, one row each (`HULL_SCHEMA`).

    crystals: `structure`, `formula`, `energy_eV_per_atom` and `reason`.
    """
    rows = []
    for row in crystals.itertuples():
        rated = hull.rated(row.formula, row.energy_eV_per_atom)
        reason = row.reason or rated["reason"]
        own = {"structure": row.structure, "formula": row.formula}
        rows.append(
            {**own, "energy_eV_per_atom": row.energy_eV_per_atom, **rated, "reason": reason}
        )
    return pd.DataFrame(rows, columns=HULL_SCHEMA.names)


def _entry(formula: str, energy_eV_per_atom: float) -> PDEntry:
    counts: Mapping[str, int] = Formula(formula).count()
    return PDEntry(Composition(counts), energy_eV_per_atom * sum(counts.values()))


def _row(
    formation: float = np.nan, above: float = np.nan, n_phases: int = 0, reason: str = ""
) -> dict[str, float | int | str]:
    return {
        "formation_energy_eV_per_atom": formation,
        "energy_above_hull_eV_per_atom": above,
        "n_phases": n_phases,
        "reason": reason,
    }
