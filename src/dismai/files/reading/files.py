"""Sets of structures from a file, a folder or an archive; a bad structure costs only itself."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ase import Atoms

from dismai.base.errors import InputError, StructureError
from dismai.base.text import decode, found_in, on_one_line, to_lines
from dismai.files.reading import cif, collections, other, xyz
from dismai.files.reading.cell import read_cell
from dismai.files.reading.xyz import SOURCE_FILE

XYZ_SUFFIXES = (".extxyz", ".xyz")
CIF_SUFFIX = ".cif"
OPENERS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
QUOTES = "\"'\\{}[]"
"""What quotes or escapes words in the comments of extended XYZ."""
MAX_TEXT_BYTES = 8 * 2**30
READ_BYTES = 2**24
"""At a time: where memory is limited, room for the largest text at once is refused."""

Frames = list[Atoms | StructureError]


class FrameSet(NamedTuple):
    """Structures in order, a bad one as an error in its place, and what was left out, if any."""

    frames: Frames
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
        text, lost = _text(Path(path))
        return sum(1 for _ in xyz.split_blocks(to_lines(text))) + len(lost)
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
        text, lost = _text(path)
        return [*_of_xyz(text, only), *lost]
    if suffix == CIF_SUFFIX:
        text, lost = _text(path)
        return [*cif.read(text), *lost]
    return other.read(path)


def _of_xyz(text: str, only: range | None) -> Frames:
    frames: Frames = []
    for index, block in enumerate(xyz.split_blocks(to_lines(text))):
        if isinstance(block, StructureError):
            frames.append(block)
        else:
            frames.append(xyz.parse_block(block) if only is None or index in only else None)
    return frames


def _text(path: Path) -> tuple[str, list[StructureError]]:
    """Text of a file, and an error if it ends where its compressed content is damaged."""
    opened, data, lost = OPENERS.get(path.suffix.lower(), open), bytearray(), []
    try:
        with opened(path, "rb") as stream:
            while chunk := stream.read1(READ_BYTES):  # damage spoils what follows it
                data += chunk
                if len(data) > MAX_TEXT_BYTES:
                    raise StructureError(
                        f"expected at most {MAX_TEXT_BYTES // 2**30} GiB of text, found more"
                    )
    except FileNotFoundError:
        raise StructureError(f"{other.EXPECTED}, found no such file") from None
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        found = " ".join(str(error).split())[:120]
        if not data:
            raise StructureError(f"{other.EXPECTED}, found {found}") from None
        lost = [StructureError(f"what follows: expected compressed text, found {found}")]
    except OSError as error:
        raise StructureError(f"{other.EXPECTED}, found {found_in(error)}") from None
    try:
        return decode(bytes(data)), lost
    except ValueError:
        raise StructureError(f"{other.EXPECTED}, found binary data") from None
