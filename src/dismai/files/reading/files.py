"""Sets of structures from a file, a folder or an archive; a bad structure costs only itself."""

import bz2
import gzip
import lzma
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ase import Atoms

from dismai.base.errors import InputError, StructureError
from dismai.base.text import found_in, on_one_line
from dismai.files.reading import cif, collections, other, xyz
from dismai.files.reading.cell import read_cell
from dismai.files.reading.on_demand import OnDemand, Place
from dismai.files.reading.text import Text
from dismai.files.reading.xyz import SOURCE_FILE

XYZ_SUFFIXES = (".extxyz", ".xyz")
CIF_SUFFIX = ".cif"
OPENERS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
QUOTES = "\"'\\{}[]"
"""What quotes or escapes words in the comments of extended XYZ."""
MAX_TEXT_BYTES = 8 * 2**30

Frames = list[Atoms | StructureError]


class FrameSet(NamedTuple):
    """Structures in order, a bad one as an error in its place, and what was left out, if any."""

    frames: Sequence[Atoms | StructureError]
    notes: tuple[str, ...] = ()


def read_set(path: Path, only: range | None = None) -> FrameSet:
    """Structures of a file, a folder or an archive, in order.

    XYZ and CIF are read structure by structure, so that damage costs what it touches. Other
    files go through ASE. Files of a folder or archive follow each other in natural order
    (gen_2 before gen_10), each is read by its own format, and those that hold no structures by
    their names are left out, which the notes say.

    Args:
        path: file, folder or archive (.zip, .tar, .tar.gz, ...).
        only: parse these structures of an XYZ file and leave None for the others.

    Raises:
        InputError: no such file, no text, or not even a first structure.
    """
    path = Path(path)
    if is_folder(path):
        members = collections.in_folder(path)
        found = FrameSet(read_members(members.files), _notes(members))
    elif collections.is_archive(path):
        with collections.in_archive(path) as members:
            found = FrameSet(read_members(members.files), _notes(members))
    else:
        try:
            found = FrameSet(_read_any(path, only))
        except StructureError as error:
            raise InputError(f"{path}: {error}") from None
    return _with_a_structure(path, found)


def find_set(path: Path) -> FrameSet:
    """The set of `read_set`, whose structures stay in an XYZ file until each is asked for.

    Memory holds their places alone, where the file is not packed. A structure whose lines count
    right and mean nothing is an error only when it is asked for.
    """
    path = Path(path)
    if path.suffix.lower() in XYZ_SUFFIXES and not is_folder(path):
        try:
            text = _text(path)
        except StructureError as error:
            raise InputError(f"{path}: {error}") from None
        if text.lies_open:
            return _with_a_structure(path, FrameSet(OnDemand([*_places(text), *text.lost])))
    frames, notes = read_set(path)
    return FrameSet(OnDemand(frames), notes)


def _with_a_structure(path: Path, found: FrameSet) -> FrameSet:
    if not found.frames:
        raise InputError(f"{path}: expected at least one structure, found none")
    if all(isinstance(frame, StructureError) for frame in found.frames):
        raise InputError(f"{path}: structure 0: {found.frames[0]}")
    return found


def read_frames(path: Path, only: range | None = None) -> Frames:
    """The structures of `read_set`, without its notes."""
    return read_set(path, only).frames


def read_structures(path: Path) -> list[Atoms]:
    """Structures of a file that must be whole, such as a training set; InputError otherwise."""
    frames = read_frames(path)
    for index, frame in enumerate(frames):
        if isinstance(frame, StructureError):
            raise InputError(f"{path}: structure {index}: {frame}")
    return frames


def count_frames(path: Path) -> int:
    """Number of structures in an extended XYZ file, damaged ones included."""
    try:
        text = _text(Path(path))
        return sum(1 for _ in xyz.split_blocks(text.lines())) + len(text.lost)
    except StructureError as error:
        raise InputError(f"{path}: {error}") from None


def is_folder(path: Path) -> bool:
    """Whether a path is a folder; InputError if there is nothing, or the system refuses it."""
    try:
        path.stat()
        return path.is_dir()
    except FileNotFoundError:
        found = "no such file"
    except OSError as error:
        found = found_in(error)
    except ValueError as error:  # a null character
        found = str(error)
    raise InputError(f"{path}: expected a file of structures, found {found}")


def _notes(members: collections.Members) -> tuple[str, ...]:
    note = members.note()
    return (note,) if note else ()


def read_members(files: Iterable[collections.Member]) -> Frames:
    """Structures of files of a folder or archive, in order; a file without any is one error."""
    frames: Frames = []
    for name, path in files:
        shown = on_one_line(name, without=QUOTES)
        try:
            if isinstance(path, StructureError):
                raise path
            own = _read_any(path, None) or [StructureError("expected a structure, found none")]
        except (StructureError, InputError) as error:
            own = [StructureError(str(error).removeprefix(f"{path}: "))]
        for number, frame in enumerate(own):
            place = shown if len(own) == 1 else f"{shown} [{number}]"
            if isinstance(frame, StructureError):
                frame = StructureError(f"{place}: {frame}")
                frame.source_file = place
            else:
                frame.info[SOURCE_FILE] = place
            frames.append(frame)
    return frames


def _read_any(path: Path, only: range | None) -> Frames:
    """Structures of one file; StructureError if it is not what its name says."""
    suffix = collections.format_suffix(path)
    if suffix == ".npz":
        return [read_cell(path)]
    if suffix in XYZ_SUFFIXES:
        text = _text(path)
        return [*_of_xyz(text, only), *text.lost]
    if suffix == CIF_SUFFIX:
        text = _text(path)
        lines = (line for part in text.lines() for line in part)
        return [*cif.read("\n".join(lines)), *text.lost]
    return other.read(path)


def _places(text: Text) -> Iterator[Place | StructureError]:
    """Where the structures of an XYZ file stand."""
    sizes: deque[int] = deque()  # bytes of the lines that are read, from `line` on
    position, line = text.coding.start, 1

    def lines() -> Iterator[list[str]]:
        for part in text.parts():
            sizes.extend(map(len, part))
            yield text.decoded(part)

    for block in xyz.split_blocks(lines()):
        if isinstance(block, StructureError):
            yield block
            continue
        position += sum(sizes.popleft() for _ in range(block.line - line))
        size = sum(sizes.popleft() for _ in block.lines)
        yield Place(text.path, position, size, block.line, text.coding)
        position, line = position + size, block.line + len(block.lines)


def _text(path: Path) -> Text:
    return Text(path, OPENERS.get(path.suffix.lower(), open), MAX_TEXT_BYTES)


def _of_xyz(text: Text, only: range | None) -> Frames:
    frames: Frames = []
    for index, block in enumerate(xyz.split_blocks(text.lines())):
        if isinstance(block, StructureError):
            frames.append(block)
        else:
            frames.append(xyz.parse_block(block) if only is None or index in only else None)
    return frames
