"""CIF, block by block: damage to one costs that one, and every listed site is kept.

ASE parses the text. Its way from sites to atoms drops sites within a thousandth of a cell edge of
another one and fills partially occupied ones, so that is done here: every site is repeated by the
symmetry operations, and only images of the same site that coincide are one atom.
"""

import io
import re
import warnings
from collections.abc import Iterator

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from ase.io.cif import CIFBlock, parse_cif
from ase.spacegroup.spacegroup import parse_sitesym

from dismai.base.errors import StructureError
from dismai.base.text import to_lines
from dismai.files.reading.sites import is_full, partial_occupancy
from dismai.files.reading.xyz import FORTRAN

SAME_SITE = 1e-3
"""Fractions of the cell edges within which images of one site are one atom."""
COORDINATES = [("_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z"),
               ("_atom_site_cartn_x", "_atom_site_cartn_y", "_atom_site_cartn_z")]  # fmt: skip
UNKNOWN = ("?", ".")
CAPITALS = re.compile(r"[A-Z]{2}(?![A-Za-z])")
MIXED_TYPE = re.compile(r"[^A-Z]*[A-Z][^A-Z]*[A-Z]")
"""A species that names two elements: Si0.5Ge0.5."""
MIXED_LABEL = re.compile(r"[^A-Z]*[A-Z][a-z]?(\d*\.\d+|[/,])[A-Z]")
"""A label that does: in most, such as Si1A, a second capital only counts sites."""
OPERATIONS = (
    "_space_group_symop_operation_xyz",
    "_space_group_symop.operation_xyz",
    "_symmetry_equiv_pos_as_xyz",
)
HALL = {"_space_group_name_hall", "_symmetry_space_group_name_hall"}
NAMED = {
    "_space_group_name_h-m_alt",
    "_symmetry_space_group_name_h-m",
    "_space_group_it_number",
    "_symmetry_int_tables_number",
}


def read(text: str) -> list[Atoms | StructureError]:
    """Structures of the blocks of a CIF, in order; blocks without cell and sites hold none."""
    blocks = list(_blocks(to_lines(text)))
    frames = []
    for name, lines in blocks:
        place = f"block {name}: " if len(blocks) > 1 else ""
        try:
            frames += _structures(lines)
        except StructureError as error:
            frames.append(StructureError(f"{place}{error}"))
        except Exception as error:  # ASE's parser raises anything on damaged text
            found = " ".join(f"{type(error).__name__}: {error}".split())[:120]
            reason = f"expected a structure in CIF, found {found}"
            frames.append(StructureError(f"{place}{reason}"))
    return frames


def _blocks(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Name and lines of every block; what stands between semicolons does not begin one."""
    starts = _starts(lines, between_semicolons=False)
    if starts is None:  # a text that does not end
        starts = _starts(lines, between_semicolons=True)
    for start, stop in zip(starts, [*starts[1:], len(lines)], strict=False):
        yield lines[start].split()[0][len("data_") :][:40], lines[start:stop]


def _starts(lines: list[str], between_semicolons: bool) -> list[int] | None:
    starts, in_text = [], False
    for index, line in enumerate(lines):
        if line.startswith(";") and not between_semicolons:
            in_text = not in_text
        elif not in_text and line[:5].lower() == "data_":
            starts.append(index)
    return None if in_text else starts


def _structures(lines: list[str]) -> list[Atoms]:
    """The structure of a block, or none if it speaks of none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("error", message="Wrong number .* of tokens")  # ASE drops the row
        blocks = list(parse_cif(io.StringIO("\n".join(lines))))
        return [_structure(block) for block in blocks if _speaks_of_atoms(block)]


def _speaks_of_atoms(block: CIFBlock) -> bool:
    return any(tag.startswith(("_cell_length", "_atom_site_")) for tag in block)


def _structure(block: CIFBlock) -> Atoms:
    if not block.has_structure():
        raise StructureError("expected species and coordinates of sites, found none")
    labels = _labels(block)
    _check_occupancies(block, labels)
    cell = block.get_cell()
    if cell.rank not in (0, 3):
        raise StructureError("expected a cell with a volume, found none")
    names = COORDINATES[0] if COORDINATES[0][0] in block else COORDINATES[1]
    sites = np.transpose([_numbers(block, name, labels) for name in names])
    symbols = _symbols(block, labels)
    if cell.rank == 0:
        if names is COORDINATES[0]:
            raise StructureError("expected a cell, found none")
        return Atoms(symbols, positions=sites)
    if names is COORDINATES[1]:
        sites = sites @ np.linalg.inv(cell.array)
    orbits = _orbits(block, sites)
    numbers = np.repeat(Atoms(symbols).numbers, [len(orbit) for orbit in orbits])
    return Atoms(numbers, scaled_positions=np.concatenate(orbits), cell=cell, pbc=True)


def _orbits(block: CIFBlock, sites: np.ndarray) -> list[np.ndarray]:
    """Fractional positions of the atoms that every site stands for, each (n_images, 3)."""
    rotations, translations = _operations(block)
    orbits = []
    for site in sites:
        images = (rotations @ site + translations) % 1.0
        orbit = images[:1]
        for image in images[1:]:
            apart = image - orbit
            same = np.abs(apart - np.rint(apart)) < SAME_SITE
            if not same.all(axis=1).any():
                orbit = np.vstack([orbit, image])
        orbits.append(orbit)
    return orbits


def _operations(block: CIFBlock) -> tuple[np.ndarray, np.ndarray]:
    """Rotations, (n, 3, 3), and translations, (n, 3), of the symmetry operations of a block.

    Those that are listed, whatever the name of their group; else those of the group.
    """
    for name in OPERATIONS:
        if name in block:
            words = [str(word).lower() for word in np.ravel(block[name])]
            rotations, translations = parse_sitesym(words)
            for word, size in zip(words, np.abs(np.linalg.det(rotations)), strict=True):
                if round(size) != 1:
                    raise StructureError(f"expected a symmetry operation, found {word[:40]!r}")
            return rotations, translations
    if HALL & set(block) and not NAMED & set(block):
        raise StructureError("expected symmetry operations, or the name or number of the group")
    group = block.get_spacegroup(subtrans_included=True)
    rotations, translations = zip(*group.get_symop(), strict=True)
    return np.array(rotations), np.array(translations)


def _labels(block: CIFBlock) -> list[str]:
    labels = block.get("_atom_site_label")
    if isinstance(labels, list):
        return [str(label) for label in labels]
    symbols = block.get_symbols()
    return [f"{symbol} {number}" for number, symbol in enumerate(symbols, 1)]


def _symbols(block: CIFBlock, labels: list[str]) -> list[str]:
    """The element of every site, as ASE reads it; StructureError for a site of two elements."""
    symbols = block.get_symbols()
    words, mixed = block.get("_atom_site_type_symbol"), MIXED_TYPE
    if words is None:
        words, mixed = labels, MIXED_LABEL
    for index, (label, word) in enumerate(zip(labels, map(str, words), strict=True)):
        if CAPITALS.match(word) and mixed is MIXED_TYPE and word[:2].title() in atomic_numbers:
            symbols[index] = word[:2].title()
        elif mixed.match(word):
            raise StructureError(f"site {label}: expected one element, found {word[:40]!r}")
    return symbols


def _check_occupancies(block: CIFBlock, labels: list[str]) -> None:
    """StructureError if a site is not occupied by one whole atom."""
    values = block.get("_atom_site_occupancy")
    if values is None:
        return
    for label, value in zip(labels, values, strict=True):
        if value in UNKNOWN:
            continue
        try:
            occupancy = _number(value)
        except ValueError:
            raise partial_occupancy(f"site {label}", repr(str(value)[:40])) from None
        if not is_full(occupancy):
            raise partial_occupancy(f"site {label}", f"{occupancy:g}")


def _numbers(block: CIFBlock, name: str, labels: list[str]) -> list[float]:
    numbers = []
    for label, value in zip(labels, block[name], strict=True):
        try:
            numbers.append(_number(value))
        except ValueError:
            found = repr(str(value)[:40])
            raise StructureError(f"site {label}: expected a coordinate, found {found}") from None
    return numbers


def _number(value: str | int | float) -> float:
    """A number of a CIF: ASE has cut uncertainties, but leaves exponents of Fortran."""
    return float(FORTRAN.sub("e", value) if isinstance(value, str) else value)
