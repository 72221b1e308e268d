"""Structures that stay in their file until they are asked for: a place in it instead of atoms."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ase import Atoms

from dismai.base.atomic import printable_name
from dismai.base.errors import StructureError
from dismai.base.text import Coding, found_in
from dismai.files.reading.xyz import SOURCE_FILE, Block, parse_block

Frame = Atoms | StructureError


@dataclass(frozen=True, slots=True)
class Place:
    """Where the lines of a structure stand in an XYZ file.

    start: its first byte.  size: bytes.  line: its first one, from 1.
    file: of several files, the one that it comes from.
    """

    path: Path
    start: int
    size: int
    line: int
    coding: Coding
    file: str = ""

    def read(self) -> Frame:
        try:
            with open(self.path, "rb") as stream:
                stream.seek(self.start)
                data = stream.read(self.size)
        except OSError as error:
            found = found_in(error)
            return StructureError(f"line {self.line}: expected a structure, found {found}")
        coding = self.coding
        lines = [line.decode(coding.encoding, coding.errors) for line in data.splitlines()]
        frame = parse_block(Block(lines, self.line))
        return placed(frame, self.file) if self.file else frame


Part = Frame | Place


def as_read(part: Part) -> Frame:
    """A structure, or the error in its place."""
    return part.read() if isinstance(part, Place) else part


def placed(part: Part, file: str) -> Part:
    """A structure that knows its file, where it was not told by a folder or an archive."""
    file = printable_name(file)
    if isinstance(part, Place):
        return replace(part, file=file)
    if isinstance(part, StructureError):
        part.source_file = "/".join(filter(None, (file, part.source_file)))
    else:
        own = part.info.get(SOURCE_FILE, "")
        part.info[SOURCE_FILE] = "/".join(filter(None, (file, str(own))))
    return part


@dataclass(frozen=True)
class OnDemand(Sequence[Frame]):
    """Structures in order, each read when it is asked for, where it stays in its file."""

    parts: Sequence[Part]

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [as_read(part) for part in self.parts[index]]
        return as_read(self.parts[index])

    def __len__(self) -> int:
        return len(self.parts)


@dataclass(frozen=True)
class Numbered(Mapping[int, Frame]):
    """The same by number."""

    parts: Mapping[int, Part]

    def these(self, numbers: Iterable[int]) -> OnDemand:
        return OnDemand([self.parts[number] for number in numbers])

    def __getitem__(self, number: int) -> Frame:
        return as_read(self.parts[number])

    def __iter__(self) -> Iterator[int]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)
