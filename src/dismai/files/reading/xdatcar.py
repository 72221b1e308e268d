"""XDATCAR of VASP, configuration by configuration.

ASE takes none where one is damaged, or only those before it without a word.
"""

from typing import NamedTuple

import numpy as np
from ase import Atoms

from dismai.base.errors import StructureError
from dismai.base.text import to_lines

CONFIGURATION = "direct configuration"
N_HEADER = 7
"""Title, scale, three vectors, symbols, their numbers."""


class Header(NamedTuple):
    """Atomic numbers, (n,), and cell, Å, (3, 3), of the configurations that follow."""

    species: np.ndarray
    cell: np.ndarray


def read(text: str) -> list[Atoms | StructureError]:
    """Structures of a text, a damaged one as an error in its place; none without a whole header.

    A header stands once, or, where the cell changes, before every configuration.
    """
    lines = to_lines(text)
    starts = [i for i, line in enumerate(lines) if line.strip().lower().startswith(CONFIGURATION)]
    headers = [_header(lines[max(0, start - N_HEADER) : start]) for start in starts]
    if not headers or headers[0] is None:
        return []
    frames, current = [], headers[0]
    for k, (start, own) in enumerate(zip(starts, headers, strict=True)):
        current = own or current
        end = len(lines) if k + 1 == len(starts) else starts[k + 1]
        if k + 1 < len(starts) and headers[k + 1] is not None:
            end -= N_HEADER
        frames.append(_structure(lines[start + 1 : end], current, k + 1))
    return frames


def _header(lines: list[str]) -> Header | None:
    """What seven lines say of a cell; None if they are no header."""
    if len(lines) < N_HEADER:
        return None
    try:
        scale = float(lines[1])
        cell = scale * np.array([line.split() for line in lines[2:5]], dtype=float)
        counts = [int(word) for word in lines[6].split()]
        species = Atoms(np.repeat(lines[5].split(), counts)).numbers
    except (ValueError, KeyError):
        return None
    whole = scale > 0 and cell.shape == (3, 3) and len(species) > 0
    return Header(species, cell) if whole else None


def _structure(body: list[str], header: Header, number: int) -> Atoms | StructureError:
    rows = [line.split() for line in body if line.strip()]
    place, n_atoms = f"configuration {number}", len(header.species)
    if len(rows) != n_atoms:
        return StructureError(f"{place}: expected {n_atoms} atoms, found {len(rows)}")
    try:
        sites = np.array([row[:3] for row in rows], dtype=float)
    except ValueError:
        return StructureError(f"{place}: expected three coordinates of every atom, found others")
    return Atoms(header.species, scaled_positions=sites, cell=header.cell, pbc=True)
