"""The structures that an evaluation is given: of files or of Python, and where they came from."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ase import Atoms

from dismai.base.atomic import printable_name, sha256
from dismai.base.errors import InputError, StructureError
from dismai.files.objects import as_frames
from dismai.files.reading.collections import is_archive, is_structure_file
from dismai.files.reading.on_demand import OnDemand, Part, placed
from dismai.files.structures import (
    FrameSet,
    find_set,
    hash_structures,
    is_folder,
)


@dataclass(frozen=True)
class Given:
    """Structures in order, a bad one as an error in its place.

    source: in messages.  name: of the set in tables.  sha256: of the files, or of species,
    positions and cells.  paths: of the files, if any.  notes: what was left out, in sentences.
    """

    frames: OnDemand
    source: str
    name: str
    sha256: str
    paths: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def given_files(paths: Path | Sequence[Path]) -> Given:
    """The structures of one file, folder or archive, or of several, one after the other.

    Of several, one that cannot be read is one bad structure, as in a folder; what is no file of
    structures by its name and cannot be read is left out, and said.

    Raises:
        InputError: no path, nothing at one, or nothing readable at any.
    """
    several = [Path(paths)] if isinstance(paths, (str, Path)) else [Path(path) for path in paths]
    if not several:
        raise InputError("structures: expected at least one file, found none")
    if len(several) == 1:
        (path,) = several
        found = find_set(path)
        name = printable_name(os.path.basename(os.path.abspath(path)))
        return Given(found.frames, str(path), name, sha256(path), (path,), found.notes)
    parts: list[Part] = []
    notes: list[str] = []
    digest = hashlib.sha256()
    for path in several:
        found = _of_several(path)
        parts += [placed(part, path.name) for part in found.frames.parts]
        notes += [f"{path}: {note}" for note in found.notes]
        digest.update(f"{path.name}\0{sha256(path)}\0".encode(errors="surrogateescape"))
    if all(isinstance(part, StructureError) for part in parts):
        first = next(iter(parts), "expected structures, found none")
        raise InputError(f"{several[0]} and others: {first}")
    name = f"{len(several)} files"
    return Given(OnDemand(parts), name, name, digest.hexdigest(), tuple(several), tuple(notes))


def _of_several(path: Path) -> FrameSet:
    """The structures of one path among several."""
    is_folder(path)  # or anything else that is there
    try:
        return find_set(path)
    except InputError as error:
        reason = str(error).removeprefix(f"{path}: ")
        if not path.is_dir() and not is_archive(path) and not is_structure_file(path.name):
            return FrameSet(OnDemand([]), (f"not read, no structures: {reason}.",))
        return FrameSet(OnDemand([StructureError(f"{path.name}: {reason}")]))


def given_structures(structures: Iterable[Any]) -> Given:
    """The structures of a list of ASE's Atoms or pymatgen's Structures."""
    frames = as_frames(structures)
    digest = hash_structures([frame for frame in frames if isinstance(frame, Atoms)])
    return Given(OnDemand(frames), "structures", "structures", digest)
