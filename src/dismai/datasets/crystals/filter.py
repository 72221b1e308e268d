"""Which structures are crystals of a set: whole, not too large, not too close, with a symmetry.

Every structure comes out as a crystal in its standard cell, or as the reason why it is none.
"""

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import spglib
from ase import Atoms
from ase.data import covalent_radii
from ase.neighborlist import neighbor_list

from dismai.base.columns import SPACE_GROUP
from dismai.base.errors import InputError, StructureError
from dismai.datasets.crystals.settings import CrystalsDataset
from dismai.files.reading.xyz import SOURCE_FILE
from dismai.geometry.cells import check_cell, check_finite

NAME = "name"
"""In the `info` of a crystal, beside its space group."""
CIF_FATES_SCHEMA = pa.schema(
    [
        pa.field("crystal", pa.string(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("formula", pa.string(), nullable=False),
        pa.field(SPACE_GROUP, pa.int64(), nullable=False),
        pa.field("n_atoms", pa.int64(), nullable=False),
    ]
)
"""What became of every file, row or entry of a source; 0: not known."""
FARTHEST = 2.0
"""Distances over sums of covalent radii beyond which two atoms have nothing to do."""


def crystal(frame: Atoms | StructureError, settings: CrystalsDataset) -> Atoms | StructureError:
    """A crystal with name and space group in its `info`, or the reason why there is none."""
    if isinstance(frame, StructureError):
        return frame
    place = str(frame.info[SOURCE_FILE])
    try:
        check_finite(frame)
        check_cell(frame)
        cell = standard_cell(frame, settings.symprec_A) if settings.conventional else frame
        group = space_group(cell, settings.symprec_A)
        if len(cell) > settings.max_atoms:
            raise StructureError(f"expected 1 to {settings.max_atoms} atoms, found {len(cell)}")
        if (ratio := closest_over_radii(cell)) < settings.closest:
            raise StructureError(
                f"expected atoms at least {settings.closest:g} covalent radii apart, "
                f"found {ratio:.2f}"
            )
    except StructureError as error:
        return _error(place, str(error))
    known = {NAME: _name(place), SPACE_GROUP: group}
    return Atoms(cell.numbers, positions=cell.positions, cell=cell.cell, pbc=True, info=known)


def _name(place: str) -> str:
    """Name of a crystal by the file, row or entry that it stood in."""
    return place.removesuffix(".cif")


def standard_cell(atoms: Atoms, symprec_A: float) -> Atoms:
    """The conventional cell of the International Tables, its sites made exact, by spglib.

    Raises:
        StructureError: spglib finds no symmetry.
    """
    found = _quietly(
        spglib.standardize_cell, _for_spglib(atoms), to_primitive=False, symprec=symprec_A
    )
    if found is None:
        raise StructureError("expected a symmetry, found none")
    lattice, sites, numbers = found
    return Atoms(numbers, scaled_positions=sites, cell=lattice, pbc=True)


def space_group(atoms: Atoms, symprec_A: float) -> int:
    """Number of the space group within a distance, by spglib.

    Raises:
        StructureError: spglib finds none.
    """
    found = _quietly(spglib.get_symmetry_dataset, _for_spglib(atoms), symprec=symprec_A)
    if found is None:
        raise StructureError("expected a symmetry, found none")
    return int(found.number)


def _for_spglib(atoms: Atoms) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return atoms.cell.array, atoms.get_scaled_positions(wrap=False) % 1.0, atoms.numbers


def _quietly(function, *args, **options):
    """What spglib finds; None where it finds nothing, in whatever way it says so."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(*args, **options)
        except spglib.SpglibError:
            return None


def closest_over_radii(atoms: Atoms) -> float:
    """Least distance of two atoms over the sum of their covalent radii, at most `FARTHEST`."""
    radii = covalent_radii[atoms.numbers]
    first, second, distance = neighbor_list("ijd", _inside(atoms), list(FARTHEST * radii))
    ratios = distance / (radii[first] + radii[second])
    return float(min(ratios.min(initial=FARTHEST), FARTHEST))


def shortest_distance(atoms: Atoms, below_A: float) -> float:
    """Least distance of two atoms, images included, Å; infinite where none is below a limit."""
    return float(neighbor_list("d", _inside(atoms), below_A).min(initial=np.inf))


def _inside(atoms: Atoms) -> Atoms:
    """The atoms in their cell, with periodic images whatever its flags say."""
    sites = atoms.get_scaled_positions(wrap=False)
    return Atoms(atoms.numbers, scaled_positions=sites % 1.0, cell=atoms.cell, pbc=True)


def flags(path: Path | None) -> dict[str, str]:
    """Reasons to leave crystals out, by name."""
    if path is None:
        return {}
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        return {row.label: row.flag for row in table.itertuples() if row.flag}
    except (OSError, ValueError, AttributeError):
        raise InputError(f"{path}: expected a CSV with the columns label and flag") from None


def without_flagged_and_copies(
    crystals: Iterable[Atoms | StructureError], flagged: dict[str, str]
) -> list[Atoms | StructureError]:
    """The same list with the reason in place of a crystal that is flagged or was there before.

    Two are the same if formula and space group are, and pymatgen's StructureMatcher, with its own
    tolerances, maps one on the other.
    """
    from pymatgen.analysis.structure_matcher import StructureMatcher  # takes a second
    from pymatgen.io.ase import AseAtomsAdaptor

    matcher = StructureMatcher()
    seen: dict[tuple, list] = {}
    result: list[Atoms | StructureError] = []
    for one in crystals:
        reason = ""
        if isinstance(one, Atoms):
            reason = flagged.get(one.info[NAME], "")
            known = seen.setdefault(group_of(one), [])
            if not reason:
                structure = AseAtomsAdaptor.get_structure(one)
                same = (name for name, other in known if matcher.fit(structure, other))
                if other := next(same, ""):
                    reason = f"the same crystal as {other}"
                known.append((one.info[NAME], structure))
        result.append(_error(one.info[NAME], reason) if reason else one)
    return result


def _error(name: str, reason: str) -> StructureError:
    error = StructureError(f"{name}: {reason}")
    error.source_file = name
    return error


def group_of(atoms: Atoms) -> tuple[str, int]:
    """Reduced formula and space group: crystals that agree in both stay together in a split."""
    formula = atoms.symbols.formula.reduce()[0]
    return f"{formula:hill}", int(atoms.info[SPACE_GROUP])


def in_their_places(crystals: Iterable[Atoms], table: pd.DataFrame) -> list[Atoms | StructureError]:
    """Crystals that were read, and reasons in place of others, by the table of `fates`."""
    accepted = iter(crystals)
    result: list[Atoms | StructureError] = []
    for row in table.itertuples():
        if row.status == "accepted":
            result.append(next(accepted))
            result[-1].info[NAME] = row.crystal  # a reader takes some names for numbers
        else:
            result.append(_error(row.crystal, row.reason))
    return result


def fates(crystals: Sequence[Atoms | StructureError]) -> pd.DataFrame:
    """One row a file, row or entry: formula, group and atoms, or the reason of a rejection."""
    rows = []
    for one in crystals:
        if isinstance(one, StructureError):
            place = one.source_file
            reason = str(one).removeprefix(f"{place}: ")
            rows.append((_name(place), "rejected", reason, "", 0, 0))
        else:
            rows.append((one.info[NAME], "accepted", "", *group_of(one), len(one)))
    return pd.DataFrame(rows, columns=CIF_FATES_SCHEMA.names)
