"""Formats that ASE reads, as ASE reads them; names of files are only names."""

import re
import tempfile
import warnings
from pathlib import Path

import ase.io
from ase import Atoms
from ase.io.formats import UnknownFileTypeError

from dismai.base.errors import StructureError
from dismai.base.text import decode, to_lines
from dismai.files.reading import lammps, xdatcar
from dismai.files.reading.sites import fully_occupied, is_full, partial_occupancy
from dismai.files.reading.xyz import FORTRAN

EXPECTED = "expected a structure file that ASE reads"
HEAD_BYTES = 65536
MAX_REWRITTEN_BYTES = 100_000_000
SHELX_ATOM = re.compile(r"[A-Za-z]\S*\s+\d+(\s+-?\d*\.\d+){4}")
SPEAKING = (UnknownFileTypeError, AttributeError, TypeError, IndexError, KeyError, AssertionError)
"""Errors of readers that mean another format and whose text helps nobody."""


def read(path: Path) -> list[Atoms | StructureError]:
    """All structures of a file; what follows a damaged one is one error at the end.

    Raises:
        StructureError: not even a first structure.
    """
    head = _head(path)
    lammps.refuse_types(head)
    if lammps.is_dump(head):
        return lammps.read_dump(decode(path.read_bytes()))
    if path.name.upper().startswith("XDATCAR") and head:
        if frames := xdatcar.read(decode(path.read_bytes())):
            return frames
    _refuse_what_ase_ignores(path.suffix.lower(), head)
    frames, error = _through_ase(path)
    if error is not None and not frames:
        with tempfile.TemporaryDirectory() as folder:
            plain = _rewritten(path, Path(folder))
            if plain is not None:
                frames, error = _through_ase(plain)
    if error is not None:
        if not frames:
            raise StructureError(f"{EXPECTED}, found {_reason_of(error)}")
        reason = f"structure {len(frames)} and what follows: {EXPECTED}, found {_reason_of(error)}"
        frames.append(StructureError(reason))
    return frames


def _through_ase(path: Path) -> tuple[list[Atoms | StructureError], Exception | None]:
    """Structures up to the first that ASE does not read, and what it says of that one."""
    frames: list[Atoms | StructureError] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Absolute: ASE takes names such as postgres.cif for addresses of databases.
            for atoms in ase.io.iread(
                str(path.absolute()), index=":", do_not_split_by_at_sign=True
            ):
                try:
                    frames.append(fully_occupied(atoms))
                except StructureError as error:
                    frames.append(error)
    except Exception as error:  # ASE's readers raise anything on damaged files
        return frames, error
    return frames, None


def _reason_of(error: Exception) -> str:
    if isinstance(error, SPEAKING):
        return "another format, or a damaged file"
    return " ".join(f"{type(error).__name__}: {error}".split())[:120]


def _head(path: Path) -> str:
    """The first lines of a text; nothing of a binary file."""
    try:
        with open(path, "rb") as stream:
            return decode(stream.read(HEAD_BYTES))
    except OSError as error:
        found = (error.strerror or type(error).__name__).lower()
        raise StructureError(f"{EXPECTED}, found {found}") from None
    except ValueError:
        return ""


def _refuse_what_ase_ignores(suffix: str, head: str) -> None:
    """StructureError for partial occupancies and symmetry that ASE's readers leave out."""
    if suffix == ".cell" and (mixed := re.search(r"mixture\s*[:=]?\s*\([^)]*\)", head, re.I)):
        raise partial_occupancy("site", mixed[0][:40])
    if suffix != ".res":
        return
    for line in to_lines(head):
        words = line.split()
        if words[:1] == ["SYMM"] or (words[:1] == ["LATT"] and words[1:2] != ["-1"]):
            raise StructureError(f"expected all atoms (LATT -1), found {line.strip()[:40]!r}")
        if SHELX_ATOM.match(line) and len(words) > 5:
            occupancy = float(words[5])
            occupancy -= 10.0 * (occupancy >= 10.0)  # ten more: not refined
            if not is_full(occupancy):
                raise partial_occupancy(f"site {words[0]}", f"{occupancy:g}")


def _rewritten(path: Path, folder: Path) -> Path | None:
    """A copy in plain UTF-8 with exponents as ASE reads them; None if that changes nothing."""
    if path.stat().st_size > MAX_REWRITTEN_BYTES:
        return None
    data = path.read_bytes()
    try:
        text = "\n".join(to_lines(decode(data)))
    except ValueError:
        return None
    plain = FORTRAN.sub("e", re.sub(r"[\v\f\x1c-\x1e\x85\u2028\u2029]", " ", text)).encode()
    if plain == data:
        return None
    copy = folder / path.name
    copy.write_bytes(plain)
    return copy
