"""Structures of Python objects: ASE's Atoms, and whatever turns into them, such as pymatgen's."""

from collections.abc import Iterable, Sequence
from typing import Any

from ase import Atoms

from dismai.base.errors import InputError, StructureError
from dismai.files.reading.sites import fully_occupied

EXPECTED = "expected an ase.Atoms or a pymatgen Structure"


def as_frames(structures: Iterable[Any]) -> list[Atoms | StructureError]:
    """Structures in order, without calculators and constraints; a bad one as an error in its place.

    Anything with `to_ase_atoms` is taken, as pymatgen's Structure is; one with partly occupied
    sites, as ASE notes them of a CIF, is no structure of atoms, and bad.

    Raises:
        InputError: one structure instead of several, none, or an object that is no structure.
    """
    if isinstance(structures, Atoms) or hasattr(structures, "to_ase_atoms"):
        raise InputError(f"structures: expected a list, found one {type(structures).__name__}")
    frames = [_as_frame(structure, place) for place, structure in enumerate(structures)]
    if not frames:
        raise InputError("structures: expected at least one structure, found none")
    return frames


def as_structures(structures: Iterable[Any]) -> Sequence[Atoms]:
    """The same of structures that must all be whole; InputError names the first that is not."""
    frames = as_frames(structures)
    for place, frame in enumerate(frames):
        if isinstance(frame, StructureError):
            raise InputError(f"structure {place}: {frame}")
    return frames


def _as_frame(structure: Any, place: int) -> Atoms | StructureError:
    if hasattr(structure, "to_ase_atoms"):
        try:
            structure = structure.to_ase_atoms(msonable=False)
        except ValueError as error:
            return StructureError(f"{EXPECTED} of whole atoms, found {error}")
    if not isinstance(structure, Atoms):
        raise InputError(f"structure {place}: {EXPECTED}, found {type(structure).__name__}")
    try:
        fully_occupied(structure)
    except StructureError as error:
        return error
    return Atoms(
        structure.numbers,
        positions=structure.positions,
        cell=structure.cell,
        pbc=structure.pbc,
        info=dict(structure.info),
    )
