"""Energies of crystals by a potential, and the phases that a hull is made from."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.formula import Formula

from dismai.base.errors import InputError
from dismai.base.resources import resource
from dismai.files.structures import read_structures

PHASES_SCHEMA = pa.schema(
    [
        pa.field("name", pa.string(), nullable=False),
        pa.field("formula", pa.string(), nullable=False),
        pa.field("n_atoms", pa.int64(), nullable=False),
        pa.field("energy_eV_per_atom", pa.float64()),
        pa.field("reason", pa.string(), nullable=False),
    ]
)
"""One row a crystal; without an energy there is a reason."""


def element_references() -> dict[str, Atoms]:
    """Crystals of 91 elements in their ground states, by name.

    71 are those of LEJAEGHERE 2014 (ase's dcdft); lanthanides and actinides, which it lacks, are
    the lowest ones of the Materials Project (resources/README.md).
    """
    from ase.collections import dcdft

    known = {symbol: dcdft[symbol] for symbol in sorted(dcdft.names)}
    rest = read_structures(resource("crystals/elements.extxyz"))
    known |= {str(atoms.symbols[0]): atoms for atoms in rest}
    return {f"element {symbol}": atoms for symbol, atoms in known.items()}


def energies(
    crystals: Sequence[Atoms], names: Sequence[str], calculator: Calculator
) -> pd.DataFrame:
    """Energy of every crystal as it stands, one row each (`PHASES_SCHEMA`)."""
    rows = []
    for name, atoms in zip(names, crystals, strict=True):
        energy, reason = _energy(atoms, calculator)
        rows.append((name, formula_of(atoms), len(atoms), energy, reason))
    return pd.DataFrame(rows, columns=PHASES_SCHEMA.names)


def formula_of(atoms: Atoms) -> str:
    """Atoms of the whole cell by element, in Hill's order."""
    return atoms.symbols.get_chemical_formula("hill")


def reduced(formula: str) -> str:
    """The formula of a whole cell without the common factor of its counts."""
    return f"{Formula(formula).reduce()[0]:hill}"


def _energy(atoms: Atoms, calculator: Calculator) -> tuple[float, str]:
    """Energy, eV/atom, or NaN and the reason why a potential gives none."""
    periodic = Atoms(atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=True)
    periodic.calc = calculator
    try:
        energy = float(periodic.get_potential_energy()) / len(periodic)
    except InputError:
        raise
    except Exception as error:  # a calculator raises anything on what it does not know
        return np.nan, "the potential failed: " + " ".join(f"{error!r}".split())[:100]
    if not np.isfinite(energy):
        return np.nan, f"expected a finite energy, found {energy}"
    return energy, ""


TRAINING = "training "


def phases_of(training: Sequence[Atoms]) -> list[tuple[str, Atoms]]:
    """All phases by name: the training crystals by their places, then the elements."""
    named = [(f"{TRAINING}{place:06d}", atoms) for place, atoms in enumerate(training)]
    return [*named, *element_references().items()]


def training_phases(phases: pd.DataFrame) -> pd.DataFrame:
    """Those that are training crystals, in order, with their places in a column `structure`."""
    own = phases[phases["name"].str.startswith(TRAINING)]
    places = own["name"].str.removeprefix(TRAINING).astype(int)
    return own.assign(structure=places).sort_values("structure", ignore_index=True)
