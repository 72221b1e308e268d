"""Folders and archives of files of structures: which files count, in which order."""

import lzma
import re
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from dismai.base.errors import InputError, StructureError
from dismai.base.text import found_in, on_one_line

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
COMPRESSED = (".gz", ".bz2", ".xz")
SUFFIXES = frozenset(
    ".extxyz .xyz .cif .vasp .poscar .contcar .traj .db .aselmdb .pdb .xsf .axsf .res .cell "
    ".gen .cfg .lammpstrj .dump .xtl .gro .mol .sdf .cube .magres .rmc6f .con .struct .xsd .xtd "
    ".car .arc .g96 .cml".split()
)
NAMES = re.compile(r"(POSCAR|CONTCAR|XDATCAR|OUTCAR|geometry\.in|vasprun.*\.xml)", re.IGNORECASE)
FOREIGN = ("thumbs.db",)
SETS = frozenset(f"{name}.extxyz" for name in ("train", "val", "raw", "clean", "relaxed"))
"""Files of the workflow that are a whole set each."""
MAX_BYTES = 4 * 2**30
MAX_RATIO = 100
"""Content of an archive over its size: text of structures is packed to a third."""
SMALL_BYTES = 10_000_000
"""Content that is not compared with the size of its archive."""
DAMAGED = (OSError, EOFError, RuntimeError, ValueError, OverflowError, struct.error, zlib.error,
           lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError)  # fmt: skip
"""What the readers of archives raise on damage."""


class Member(NamedTuple):
    """A file of a folder or archive, and where its content is; an error if it has none."""

    name: str
    path: Path | StructureError


class Members(NamedTuple):
    """Files of structures in natural order, and how many files and folders are left out."""

    files: list[Member]
    ignored: list[str]
    folders: list[str]

    def note(self) -> str:
        """What was left out, in one sentence; empty if nothing was."""
        parts = []
        if self.ignored:
            parts.append(_counted(self.ignored, "file that is no structure", "files that are no "
                                  "structures"))  # fmt: skip
        if self.folders:
            parts.append(_counted(self.folders, "folder", "folders"))
        return f"Not read: {' and '.join(parts)}." if parts else ""


def _counted(names: list[str], one: str, many: str) -> str:
    listed = ", ".join(on_one_line(name) for name in names[:3]) + (
        ", ..." if len(names) > 3 else ""
    )
    return f"{len(names)} {one if len(names) == 1 else many} ({listed})"


def natural_order(name: str) -> tuple:
    """Key that sorts gen_2 before gen_10."""
    parts = re.split(r"([0-9]+)", name)
    return ([int(part) if index % 2 else part for index, part in enumerate(parts)], name)


def is_archive(path: Path) -> bool:
    """Whether the name of a file is that of a zip or tar archive."""
    return path.name.lower().endswith(ARCHIVES)


def format_suffix(path: Path) -> str:
    """Ending of a name that tells the format, in small letters, without that of compression."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def is_structure_file(name: str) -> bool:
    """Whether a file of this name may hold structures."""
    if name.startswith((".", "~")) or name.endswith("~") or name.lower() in FOREIGN:
        return False
    return format_suffix(Path(name)) in SUFFIXES or NAMES.match(name) is not None


def in_folder(path: Path) -> Members:
    """Files of structures in a folder; folders inside are not searched.

    Raises:
        InputError: a folder that cannot be listed, or more than one set in it.
    """
    try:
        entries = list(path.iterdir())
    except OSError as error:
        raise InputError(f"{path}: expected a folder, found {found_in(error)}") from None
    folders = sorted(entry.name for entry in entries if entry.is_dir())
    names = sorted((entry.name for entry in entries if not entry.is_dir()), key=natural_order)
    files = [Member(name, path / name) for name in names if is_structure_file(name)]
    ignored = [name for name in names if not is_structure_file(name)]
    return _one_set(path, Members(files, ignored, folders))


def _one_set(path: Path, members: Members) -> Members:
    names = [member.name for member in members.files]
    sets = [name for name in names if PurePosixPath(name).name in SETS]
    if sets and len(names) > 1:
        found = ", ".join(map(on_one_line, names[:3])) + (", ..." if len(names) > 3 else "")
        raise InputError(f"{path}: expected one set of structures, found {found}: give one file")
    if not names:
        hint = f", but folders ({', '.join(members.folders[:3])}): give one" * bool(members.folders)
        raise InputError(
            f"{path}: expected files of structures (.cif, .extxyz, ...), found none{hint}"
            + (f". {members.note()[:-1]}" if members.ignored and not hint else "")
        )
    return members


@contextmanager
def in_archive(path: Path) -> Iterator[Members]:
    """Files of structures in an archive, each copied to a place of its own until the block ends.

    No path inside the archive is written to; links and other things that are no files are left
    out; what is unpacked is limited in size. A member that is damaged is an error in its place.

    Raises:
        InputError: no archive, files in several folders, or more content than is allowed.
    """
    with tempfile.TemporaryDirectory(prefix="dismai") as folder:
        yield _one_set(path, _unpacked(path, Path(folder)))


def _unpacked(path: Path, folder: Path) -> Members:
    files, ignored = [], []
    left = min(MAX_BYTES, max(SMALL_BYTES, MAX_RATIO * path.stat().st_size))
    try:
        for number, (name, stream) in enumerate(_members(path)):
            base = PurePosixPath(name.replace("\\", "/")).name
            if not is_structure_file(base) or "__MACOSX" in name:
                ignored.append(name)
                continue
            place = folder / str(number) / base[-100:]
            place.parent.mkdir()
            try:
                left -= copy_limited(stream, place, left, path)
                files.append(Member(name, place))
            except InputError:
                raise
            except DAMAGED as error:
                found = " ".join(str(error).split())[:120]
                reason = f"expected a file of the archive, found {found}"
                files.append(Member(name, StructureError(reason)))
    except InputError:
        raise
    except DAMAGED as error:
        found = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        if not files:
            raise InputError(f"{path}: expected a zip or tar archive, found {found}") from None
        reason = f"{files[-1].name} and what follows: expected an archive, found {found}"
        files.append(Member("~", StructureError(reason)))
    folders = sorted({str(PurePosixPath(file.name).parent) for file in files if file.name != "~"})
    if len(folders) > 1:
        raise InputError(f"{path}: expected structures in one folder, found {len(folders)}: "
                         f"{', '.join(folders[:3])}")  # fmt: skip
    return Members(sorted(files, key=lambda member: natural_order(member.name)), ignored, [])


def _members(path: Path) -> Iterator[tuple[str, IO[bytes] | Exception]]:
    """Names of the plain files of an archive, in its order, each with its content."""
    if path.name.lower().endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    with archive.open(info) as stream:
                        yield info.filename, stream
        return
    with tarfile.open(path) as archive:
        for info in archive:
            if info.isfile():
                yield info.name, archive.extractfile(info)


def copy_limited(stream: IO[bytes], target: Path, limit: int, source: Path) -> int:
    """Copy a stream to a file and count its bytes; InputError beyond the limit."""
    n_bytes = 0
    with open(target, "wb") as copy:
        while chunk := stream.read(2**20):
            n_bytes += len(chunk)
            if n_bytes > limit:
                raise InputError(
                    f"{source}: expected at most {limit // 2**20} MiB more in the archive, found "
                    "more: give the unpacked folder"
                )
            copy.write(chunk)
    return n_bytes
