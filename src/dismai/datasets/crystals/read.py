"""Crystals from what people have: CIFs, a table of them, the CrysTens paper's dictionary.

Every file, row or entry is one place in the result: a structure, or the reason why there is none.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from ase.data import chemical_symbols

from dismai.base.errors import InputError, StructureError
from dismai.base.text import on_one_line, read_text
from dismai.files.reading import cif, collections
from dismai.files.reading.files import read_members, read_set
from dismai.files.reading.xyz import SOURCE_FILE

Frames = list[Atoms | StructureError]
CIF_COLUMN = "cif"
NAME_COLUMNS = ("material_id", "label", "id", "name")
"""Columns of a table that may name its crystals; without one they have numbers."""
LENGTHS_AND_ANGLES = ("a", "b", "c", "alpha", "beta", "gamma")
SITES = "siteList"
DICTIONARIES = (".json", ".jsonl")


def read(path: Path, shard: int = 0, n_shards: int = 1) -> Frames:
    """Structures of one of `n_shards` parts of a source, in order.

    Each names its place: `info` of a structure, `source_file` of an error. Only the files of the
    part are parsed; the parts together are what one part alone would be.

    Args:
        path: folder, zip or tar of CIFs; CSV with a column `cif`; the paper's dictionary; or any
            other file of structures.
        shard: the part, from 0.
        n_shards: number of parts.

    Raises:
        InputError: no such source, one without crystals, or one of another form.
    """
    path = Path(path)
    with _members(path) as members:
        if members is not None:
            return read_members(_part(members.files, shard, n_shards))
        suffix = collections.format_suffix(path)
        if suffix == ".csv":
            return _each(_rows(path), _of_cif, shard, n_shards)
        if suffix in DICTIONARIES:
            return _each(_entries(path), _of_entry, shard, n_shards)
        named = [(f"{path.name} [{i}]", frame) for i, frame in enumerate(read_set(path).frames)]
        return [_placed(frame, name) for name, frame in _part(named, shard, n_shards)]


@contextmanager
def _members(path: Path) -> Iterator[collections.Members | None]:
    """The files of a folder or archive; None for a single file."""
    if path.is_dir():
        yield collections.in_folder(path)
    elif collections.is_archive(path) and path.exists():
        with collections.in_archive(path) as members:
            yield members
    else:
        yield None


def _part(items: Sequence, shard: int, n_shards: int) -> Sequence:
    return items[shard * len(items) // n_shards : (shard + 1) * len(items) // n_shards]


def _each(named: list[tuple[str, Any]], parse, shard: int, n_shards: int) -> Frames:
    """What every named item of a part holds; an item that holds nothing costs itself."""
    frames: Frames = []
    for name, item in _part(named, shard, n_shards):
        try:
            frame = parse(item)
        except StructureError as error:
            frame = error
        frames.append(_placed(frame, name))
    return frames


def _placed(frame: Atoms | StructureError, name: str) -> Atoms | StructureError:
    if isinstance(frame, StructureError):
        frame = StructureError(f"{name}: {frame}")
        frame.source_file = name
        return frame
    frame.info[SOURCE_FILE] = name
    return frame


def _rows(path: Path) -> list[tuple[str, str]]:
    """Name and CIF of every row of a table."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:  # pandas' errors of parsing are ValueErrors
        found = " ".join(str(error).split())[:120]
        raise InputError(f"{path}: expected a table of CIFs, found {found}") from None
    if CIF_COLUMN not in table:
        found = ", ".join(map(str, table.columns[:10]))
        raise InputError(f"{path}: expected a column {CIF_COLUMN!r}, found {found}")
    column = next((name for name in NAME_COLUMNS if name in table), None)
    numbers = [f"row {number}" for number in range(1, len(table) + 1)]
    names = numbers if column is None else [on_one_line(name) for name in table[column]]
    return list(zip(names, table[CIF_COLUMN], strict=True))


def _of_cif(text: str) -> Atoms:
    """The one structure of a CIF."""
    frames = cif.read(text)
    if len(frames) != 1:
        raise StructureError(f"expected one structure, found {len(frames)}")
    if isinstance(frames[0], StructureError):
        raise frames[0]
    return frames[0]


def _entries(path: Path) -> list[tuple[str, Any]]:
    """Name and content of every crystal of the paper's dictionary."""
    try:
        content = json.loads(read_text(path, "a dictionary of crystals"))
    except json.JSONDecodeError as error:
        found = f"{error.msg!r} in line {error.lineno}"
        raise InputError(f"{path}: expected a dictionary of crystals, found {found}") from None
    if not isinstance(content, dict):
        found = type(content).__name__
        raise InputError(f"{path}: expected a dictionary of crystals, found {found}")
    return [(on_one_line(name), entry) for name, entry in content.items()]


def _of_entry(entry: Any) -> Atoms:
    """The structure of an entry: cell lengths, Å, angles, degrees, and sites in fractions.

    A site is its element, symbol or atomic number, and three coordinates. The space group (`sg`)
    is not taken over: it is found again from the structure.
    """
    if not isinstance(entry, dict):
        raise StructureError(f"expected a crystal, found {type(entry).__name__}")
    for key in (*LENGTHS_AND_ANGLES, SITES):
        if key not in entry:
            raise StructureError(f"expected the key {key!r}, found {', '.join(list(entry)[:10])}")
    try:
        cell = [float(entry[key]) for key in LENGTHS_AND_ANGLES]
        symbols = [_symbol(site[0]) for site in entry[SITES]]
        sites = np.array([[float(value) for value in site[1]] for site in entry[SITES]])
        sites = sites.reshape(len(symbols), 3)
        if not np.isfinite([*cell, *sites.ravel()]).all():
            raise StructureError("expected finite numbers, found NaN or infinity")
        return Atoms(symbols, scaled_positions=sites, cell=cell, pbc=True)
    except (TypeError, ValueError, IndexError, KeyError, AssertionError) as error:
        found = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        raise StructureError(f"expected cell and sites, found {found}") from None


def _symbol(element: Any) -> str:
    if isinstance(element, int | float):
        return chemical_symbols[int(element)]
    return "H" if element == "D" else str(element)
