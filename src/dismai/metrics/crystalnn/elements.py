"""Radii and electronegativities of elements and ions, as CrystalNN uses them.

`elements.csv` holds Pauling electronegativities, covalent radii of CORDERO 2008 (one value per
element: sp3 carbon, low-spin metals as chosen by pymatgen), atomic radii of SLATER 1964 and crystal
radii of SHANNON 1976, all as shipped with pymatgen (MIT licence). A test compares it with pymatgen.
"""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from ase import Atoms

from dismai.base.errors import InputError

States = Mapping[str, float] | np.ndarray | list[float]


@dataclass(frozen=True)
class Element:
    """Radii in Å; nan where the tables have no value. ionic_radii: by oxidation state."""

    electronegativity: float
    covalent_radius: float
    atomic_radius: float
    ionic_radii: dict[int, float]


@cache
def elements() -> dict[str, Element]:
    """The table, by symbol."""
    text = files(__package__).joinpath("elements.csv").read_text(encoding="utf-8")
    table = {}
    for row in csv.DictReader(text.splitlines()):
        pairs = (pair.split(":") for pair in row["ionic_radii_A"].split())
        table[row["symbol"]] = Element(
            *(float(row[key] or "nan") for key in list(row)[1:4]),
            {int(state): float(radius) for state, radius in pairs},
        )
    return table


def default_radius(element: Element) -> float:
    """Covalent radius, else atomic radius, Å; nan if the table has neither."""
    if math.isnan(element.covalent_radius):
        return element.atomic_radius
    return element.covalent_radius


def radius(element: Element, state: float) -> float:
    """Radius of an ion, Å; 0 where CrystalNN knows none (state is nan: no oxidation state).

    In this order: covalent for state 0, tabulated, interpolated between the neighbouring whole
    states, mean over the tabulated states of the same sign.
    """
    if math.isnan(state):
        return 0.0
    if state == 0:
        return default_radius(element)
    radii = element.ionic_radii
    if state in radii:
        return radii[int(state)]
    low, high = math.floor(state), math.ceil(state)
    if low in radii and high in radii:
        return (1 - (state - low)) * radii[low] + (state - low) * radii[high]
    same_sign = [r for s, r in radii.items() if s * state > 0]
    return sum(same_sign) / len(same_sign) if same_sign else 0.0


@dataclass(frozen=True)
class SiteTable:
    """What the weights need to know of each atom, all (n_atoms,).

    state: oxidation state, nan if none.  radius: Å, of the ion, 0 if unknown.  default_radius: Å.
    electronegativity: Pauling, nan if undefined.
    """

    state: np.ndarray
    radius: np.ndarray
    default_radius: np.ndarray
    electronegativity: np.ndarray


def site_table(atoms: Atoms, oxidation_states: States | None) -> SiteTable:
    """Look up every atom; oxidation_states by symbol, one per atom, or None."""
    symbols = atoms.get_chemical_symbols()
    states = _states(symbols, oxidation_states)
    table = elements()
    values = {}
    for key in set(zip(symbols, states, strict=True)):
        if key[0] not in table:
            raise InputError(f"element {key[0]!r}: expected one of the periodic table")
        element = table[key[0]]
        values[key] = (radius(element, key[1]), default_radius(element), element.electronegativity)
    columns = np.array([values[key] for key in zip(symbols, states, strict=True)]).reshape(-1, 3)
    return SiteTable(np.array(states, dtype=float), *np.ascontiguousarray(columns.T))


_NONE = math.nan  # one object: nan is not equal to itself, but a tuple with the same nan is


def _states(symbols: list[str], given: States | None) -> list[float]:
    """Oxidation state of each atom, nan where none is given."""
    if given is None:
        return [_NONE] * len(symbols)
    if isinstance(given, Mapping):
        return [float(given[s]) if s in given else _NONE for s in symbols]
    if len(given) != len(symbols):
        raise InputError(
            f"oxidation states: expected one for each of {len(symbols)} atoms, found {len(given)}"
        )
    return [_NONE if math.isnan(state) else float(state) for state in given]
