"""Which generated crystals are valid, unique and new."""

from collections.abc import Iterable, Sequence

import pandas as pd
import pyarrow as pa
from ase import Atoms
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from dismai.datasets.crystals.filter import closest_over_radii
from dismai.datasets.crystals.phases import formula_of, reduced

CLOSEST_VALID = 0.6
"""Least distance of two atoms of a valid crystal, in covalent radii: what the training set has."""
MATCHES_SCHEMA = pa.schema(
    [
        pa.field("structure", pa.int64(), nullable=False),
        pa.field("valid", pa.bool_(), nullable=False),
        pa.field("same_as", pa.int64(), nullable=False),
        pa.field("known_as", pa.int64(), nullable=False),
    ]
)
"""One row an accepted crystal. same_as: number of the first that it equals, its own if none.
known_as: place of the training crystal that it equals, from 0; -1: it is new."""


def matches(
    crystals: Sequence[Atoms], numbers: Sequence[int], training: Iterable[Atoms]
) -> pd.DataFrame:
    """What each crystal equals, among the others and in the training set (`MATCHES_SCHEMA`).

    Two are equal if their reduced formulas are, and pymatgen's StructureMatcher, with its own
    tolerances, maps one on the other, whatever their volumes (ONG 2013; as in XIE 2022, CDVAE).

    Args:
        crystals: the accepted ones.
        numbers: of them among all that were generated.
        training: training crystals.
    """
    matcher = StructureMatcher()
    known: dict[str, list[tuple[int, Structure]]] = {}
    wanted = {reduced(formula_of(atoms)) for atoms in crystals}
    for place, atoms in enumerate(training):
        if (formula := reduced(formula_of(atoms))) in wanted:
            known.setdefault(formula, []).append((place, _structure(atoms)))
    seen: dict[str, list[tuple[int, Structure]]] = {}
    rows = []
    for number, atoms in zip(numbers, crystals, strict=True):
        formula, structure = reduced(formula_of(atoms)), _structure(atoms)
        earlier = seen.setdefault(formula, [])
        same_as = _first_equal(matcher, structure, earlier)
        if same_as is None:
            earlier.append((number, structure))
        known_as = _first_equal(matcher, structure, known.get(formula, []))
        valid = closest_over_radii(atoms) >= CLOSEST_VALID
        rows.append(
            (number, valid, number if same_as is None else same_as,
             -1 if known_as is None else known_as)
        )  # fmt: skip
    return pd.DataFrame(rows, columns=MATCHES_SCHEMA.names)


def _first_equal(
    matcher: StructureMatcher, structure: Structure, others: Sequence[tuple[int, Structure]]
) -> int | None:
    return next((number for number, other in others if matcher.fit(structure, other)), None)


def _structure(atoms: Atoms) -> Structure:
    return AseAtomsAdaptor.get_structure(atoms)
