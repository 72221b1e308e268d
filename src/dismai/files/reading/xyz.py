"""Extended and plain XYZ, structure by structure: damage to one costs that one.

A structure is a line with the number of its atoms, a comment and one line an atom. Where these do
not agree the next beginning is looked for: a whole number on a line of its own, followed by a
comment with `Lattice=` or `Properties=`, or by any comment and an atom. What lies before it is one
lost structure, or as many as have a comment of their own.
"""

import io
import re
import warnings
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ase import Atoms
from ase.data import atomic_numbers, chemical_symbols
from ase.io.extxyz import read_xyz

from dismai.base.errors import StructureError
from dismai.files.reading.sites import fully_occupied

MAX_ATOMS = 1_000_000
"""Per structure; a larger count in a header is taken for damage, not for a structure."""

COUNT = re.compile(r"\s*([+-]?[0-9]{1,18})\s*(?:[#!].*|atoms?\b.*)?$", re.IGNORECASE)
KEYS = re.compile(r"(?:^|\s)(?:lattice|properties)\s*=", re.IGNORECASE)
NUMBER = re.compile(
    r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[ed][+-]?\d+)?|nan|inf(?:inity)?)$", re.IGNORECASE
)
FORTRAN = re.compile(r"(?<=[0-9.])[dD](?=[+-]?[0-9]+\b)")
"""The letter of an exponent in double precision, as Fortran writes it."""
LATTICE = re.compile(r"lattice\s*=\s*(?:\"[^\"]*\"|'[^']*'|\{[^}]*\}|\[[^\]]*\])", re.IGNORECASE)
PROPERTIES = re.compile(r"properties\s*=\s*[\"']?([^\s\"']+)", re.IGNORECASE)
VECTOR = re.compile(r"\s*VEC[1-3]\b")
SOURCE_FILE, UNREADABLE = "source_file", "unreadable"
"""Keys of a comment: the file of a folder or archive that a structure comes from; of an empty
structure, why that file gave none."""


class Block(NamedTuple):
    """Lines of one structure, and the number of the first one in its file, from 1."""

    lines: list[str]
    line: int


def is_atom(line: str) -> bool:
    """Whether a line looks like an atom: at least four words, three of them numbers."""
    words = line.split()
    if len(words) < 4 or KEYS.search(line):
        return False
    return sum(NUMBER.match(word) is not None for word in words) >= 3


def _past_the_last(lines: list[str]) -> int:
    """Index after the last line that is not blank."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    return end


def split_blocks(parts: Iterable[list[str]]) -> Iterator[Block | StructureError]:
    """The blocks of a file in order, a lost one as an error in its place.

    parts: its lines, some at a time; no more are read, and kept, than a block needs.
    """
    return _Splitter(parts).blocks()


class _Splitter:
    """Lines of a file as far as they are read, whole numbers among them, and sure beginnings.

    Lines before `start`, and what is known of them, are forgotten when further ones are read.
    """

    def __init__(self, parts: Iterable[list[str]]) -> None:
        self.parts = iter(parts)
        self.start = 0
        self.first = 0  # index of the first line that is kept
        self.lines: list[str] = []
        self.blank: list[str] = []  # behind them: the end of the file, or not
        self.counts: dict[int, int] = {}
        self.undecided: deque[int] = deque()  # those that may begin a structure
        self.headers: list[int] = []

    def _read(self) -> bool:
        """Read the next part; False at the end of the file, after its last line with content."""
        for part in self.parts:
            end = _past_the_last(part)
            if end:
                self._forget()
                self._append([*self.blank, *part[:end]])
                self.blank = part[end:]
                return True
            self.blank += part
        return False

    def _append(self, lines: list[str]) -> None:
        for index, line in enumerate(lines, self.first + len(self.lines)):
            if not line[:1].isalpha() and (match := COUNT.match(line)):  # most begin with a symbol
                self.counts[index] = int(match[1])
                self.undecided.append(index)
        self.lines += lines

    def _forget(self) -> None:
        del self.lines[: self.start - self.first]
        self.first = self.start
        self.counts = {i: count for i, count in self.counts.items() if i >= self.start}
        del self.headers[: max(0, bisect_left(self.headers, self.start) - 1)]  # but the last one

    def _has(self, index: int) -> bool:
        """Whether the file has a line of this index."""
        while index >= self.first + len(self.lines):
            if not self._read():
                return False
        return True

    def _line(self, index: int) -> str:
        return self.lines[index - self.first]

    def _between(self, start: int, stop: int) -> list[str]:
        return self.lines[start - self.first : stop - self.first]

    def _has_keys(self, index: int) -> bool:
        return self._has(index) and KEYS.search(self._line(index)) is not None

    def _is_atom(self, index: int) -> bool:
        return self._has(index) and is_atom(self._line(index))

    def _is_header(self, index: int) -> bool:
        """Whether a structure surely begins with this whole number."""
        of_header_before = bool(self.headers) and index == self.headers[-1] + 1
        return self._has_keys(index + 1) or (not of_header_before and self._begins(index))

    def _begins(self, index: int) -> bool:
        """Whether any comment and then an atom follow, or the end of the file."""
        if not self._has(self._not_blank(index + 1)):
            return True
        return not self._is_atom(index + 1) and self._is_atom(index + 2)

    def _next_header(self, index: int) -> int:
        """The first sure beginning after a line; the end of the file if there is none."""
        while not self.headers or self.headers[-1] <= index:
            if self.undecided:
                if self._is_header(self.undecided[0]):
                    self.headers.append(self.undecided[0])
                self.undecided.popleft()
            elif not self._read():
                return self.first + len(self.lines)
        return self.headers[bisect_right(self.headers, index)]

    def _not_blank(self, index: int) -> int:
        while self._has(index) and not self._line(index).strip():
            index += 1
        return index

    def blocks(self) -> Iterator[Block | StructureError]:
        self.start = self._not_blank(0)
        while self._has(start := self.start):
            stop = self._next_header(start)
            n_atoms = self.counts.get(start)
            if n_atoms is not None and 0 < n_atoms <= MAX_ATOMS:
                end = self._end(start + 2 + n_atoms)
                if end <= stop and self._is_over(end, n_atoms):
                    yield Block(self._between(start, end), start + 1)
                    self.start = self._not_blank(end)
                    continue
            if n_atoms == 0 and stop > start + 2 and self._is_over(start + 2, 0):
                stop = self._not_blank(start + 2)
            yield from self._lost(start, stop)
            self.start = self._not_blank(stop)

    def _end(self, index: int) -> int:
        """Past up to three lines with the vectors of the cell, as older ASE wrote them."""
        end = index
        while end < index + 3 and self._has(end) and VECTOR.match(self._line(end)):
            end += 1
        return end

    def _is_over(self, end: int, n_atoms: int) -> bool:
        """Whether a structure is over here: the file's end follows, or another structure."""
        if not self._has(end - 1):
            return False
        following = self._not_blank(end)
        if not self._has(following) or following in self.counts:
            return True
        if self._has_keys(following) and self._is_atom(following + 1):
            return True  # a structure that lost its number of atoms
        apart = following > end or not self._is_atom(following)
        if apart and self._has_keys(following + 1) and self._is_atom(following + 2):
            return True
        rest = range(following, self._next_header(following))
        if not apart or any(self.counts.get(i) == n_atoms or self._has_keys(i) for i in rest):
            return False
        return sum(map(self._is_atom, rest)) >= max(1, n_atoms / 2)

    def _lost(self, start: int, stop: int) -> Iterator[StructureError]:
        """One error for every structure in lines that are not as they should be."""
        has_count = start in self.counts
        has_atoms = any(self._is_atom(index) for index in range(start, stop))
        if not has_atoms and self._has(stop) and (not has_count or stop == start + 1):
            return  # a title, or a number twice: nothing of a structure
        begins = self._beginnings(start, stop)
        if has_count:
            yield self._miscounted(start, begins[1] if len(begins) > 1 else stop)
        for index in begins[1:] if has_count else begins:
            above = index > start and self._line(index - 1).strip() and not self._is_atom(index - 1)
            place = index - 1 if above else index
            found = self._line(place).strip()[:40]
            yield StructureError(f"line {place + 1}: expected a number of atoms, found {found!r}")

    def _beginnings(self, start: int, stop: int) -> list[int]:
        """Where structures begin in damaged lines: at the first one, and at comments after atoms.

        A comment is one with keys; a number of atoms as before or after is as good. Without any,
        a run of about as many atoms as a structure has.
        """
        begins, runs, in_run = [start], [], False
        usual = {self.counts[index] for index in (start, stop) if index in self.counts}
        since = 0  # atoms since the last beginning
        for index in range(start, stop):
            if self._is_atom(index):
                runs += [] if in_run else [[index, 0]]
                runs[-1][1] += 1
                since, in_run = since + 1, True
                continue
            in_run = False
            if since and (self._has_keys(index) or self.counts.get(index) in usual):
                begins.append(index)
                since = 0
        if len(runs) < 2 or len(begins) > 1 or any(map(self._has_keys, range(start, stop))):
            return begins
        n_atoms = max(1, self.counts.get(start) or max(size for _, size in runs))
        n_lost = round(sum(size for _, size in runs) / n_atoms)
        long = [index - 1 for index, size in runs[1:] if size >= n_atoms / 2]
        return begins + long[: max(0, n_lost - 1)]

    def _miscounted(self, start: int, stop: int) -> StructureError:
        """What is wrong with a structure whose number of atoms stands in the first line."""
        n_atoms, place = self.counts[start], f"line {start + 1}"
        body = self._between(start + 2, stop)
        n_found = sum(bool(line.strip()) for line in body)
        if n_atoms == 0 and n_found == 0:
            comment = "".join(self._between(start + 1, start + 2))
            error = StructureError(
                _value(comment, UNREADABLE) or f"{place}: expected atoms, found an empty structure"
            )
            error.source_file = _value(comment, SOURCE_FILE)
            return error
        if not 0 <= n_atoms <= MAX_ATOMS:
            return StructureError(f"{place}: expected 1 to {MAX_ATOMS} atoms, found {n_atoms}")
        if n_found == n_atoms:
            return StructureError(f"{place}: expected lines of {n_atoms} atoms, found a blank one")
        ends = "" if self._has(stop) else " before the end of the file"
        return StructureError(f"{place}: expected {n_atoms} atoms, found {n_found}{ends}")


def _value(comment: str, key: str) -> str:
    """The text of a key in a comment; empty if it has none."""
    match = re.search(rf'(?:^|\s){key}=(?:"([^"]*)"|([^\s"]+))', comment)
    return (match[1] or match[2] or "") if match else ""


def parse_block(block: Block) -> Atoms | StructureError:
    """The structure of a block; what ASE does not take is mended where its meaning is clear.

    That are exponents as Fortran writes them (1.0D+00) and atomic numbers instead of symbols.
    """
    try:
        return fully_occupied(_parsed(block.lines))
    except StructureError as error:
        return error
    except Exception as error:  # ASE's parser raises anything on damaged lines
        reason = " ".join(str(error).split())[:120]
    try:
        return fully_occupied(_parsed(_as_usual(block)))
    except StructureError as error:
        return error
    except Exception:
        return StructureError(f"line {block.line}: expected extended XYZ, found {reason}")


def _parsed(lines: list[str]) -> Atoms:
    n_atoms = COUNT.match(lines[0])[1]
    text = io.StringIO("\n".join([n_atoms, *lines[1:]]) + "\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return next(read_xyz(text, 0))


def _as_usual(block: Block) -> list[str]:
    """Lines of a block with symbols and exponents that ASE reads; an error that says why not."""
    n_atoms = int(COUNT.match(block.lines[0])[1])
    column = _species_column(block.lines[1])
    rows = [line.split() for line in block.lines[2 : n_atoms + 2]]
    for index, row in enumerate(rows):
        if not is_atom(" ".join(row)):
            found = block.lines[index + 2].strip()[:40]
            raise StructureError(
                f"line {block.line + index + 2}: expected a species and three coordinates, "
                f"found {found!r}"
            )
    species = [row[column] for row in rows]
    if all(word.isdecimal() for word in species):
        species = _symbols({int(word) for word in species}, species, block)
    for index, (row, symbol) in enumerate(zip(rows, species, strict=True)):
        if symbol.capitalize() not in atomic_numbers:
            raise StructureError(
                f"line {block.line + index + 2}: expected a chemical symbol, found {symbol!r}"
            )
        row[:] = [FORTRAN.sub("e", word) for word in row]
        row[column] = symbol
    lattice = LATTICE.sub(lambda match: FORTRAN.sub("e", match[0]), block.lines[1])
    atoms = [" ".join(row) for row in rows]
    return [block.lines[0], lattice, *atoms, *block.lines[n_atoms + 2 :]]


def _species_column(comment: str) -> int:
    """Which column holds the species; the first one if the comment does not say."""
    match = PROPERTIES.search(comment)
    fields = match[1].split(":") if match else []
    column = 0
    for name, n_columns in zip(fields[::3], fields[2::3], strict=False):
        if name.lower() == "species":
            return column
        column += int(n_columns)
    return 0


def _symbols(numbers: set[int], species: list[str], block: Block) -> list[str]:
    """Symbols of atomic numbers; an error if they are numbers of types, as LAMMPS counts them."""
    if max(numbers) <= 2 or numbers == set(range(1, max(numbers) + 1)):
        found = ", ".join(str(number) for number in sorted(numbers)[:5])
        raise StructureError(
            f"line {block.line + 2}: expected chemical symbols, found numbers of types ({found}); "
            "LAMMPS writes symbols with dump_modify element"
        )
    if not 0 < min(numbers) <= max(numbers) < len(chemical_symbols):
        raise StructureError(
            f"line {block.line + 2}: expected chemical symbols or atomic numbers, found "
            f"{max(numbers)}"
        )
    return [chemical_symbols[int(word)] for word in species]
