"""Files of LAMMPS: dumps snapshot by snapshot, if they name elements; types alone name none."""

import io
import re
import warnings
from itertools import pairwise

import ase.io
from ase import Atoms

from dismai.base.errors import StructureError
from dismai.base.text import to_lines
from dismai.files.reading.sites import fully_occupied

SNAPSHOT = "ITEM: TIMESTEP"
NUMBER = "ITEM: NUMBER OF ATOMS"
ATOMS = "ITEM: ATOMS"
DATA = re.compile(r"^\s*\S+\s+\S+\s+xlo\s+xhi", re.MULTILINE)


def is_dump(head: str) -> bool:
    """Whether a text begins as a dump does."""
    return head.lstrip().startswith("ITEM:")


def refuse_types(head: str) -> None:
    """StructureError for data or a dump whose atoms have numbers of types and no elements."""
    if DATA.search(head):
        raise StructureError(
            "expected elements, found LAMMPS data, which numbers types; write extended XYZ"
        )
    columns = next((line.split()[2:] for line in to_lines(head) if line.startswith(ATOMS)), None)
    if is_dump(head) and columns is not None and "element" not in columns:
        raise StructureError(
            f"expected a column element in the LAMMPS dump, found {' '.join(columns)[:80]}; "
            "dump custom and dump_modify element write it"
        )


def read_dump(text: str) -> list[Atoms | StructureError]:
    """Snapshots of a dump in order, a damaged one as an error in its place."""
    lines = to_lines(text.strip())
    starts = [index for index, line in enumerate(lines) if line.startswith(SNAPSHOT)] or [0]
    return [_snapshot(lines[start:stop], start + 1) for start, stop in
            pairwise([*starts, len(lines)])]  # fmt: skip


def _snapshot(lines: list[str], line: int) -> Atoms | StructureError:
    place = f"line {line}"
    try:
        n_atoms = int(lines[lines.index(NUMBER) + 1])
        first = next(index for index, one in enumerate(lines) if one.startswith(ATOMS)) + 1
        n_found = sum(bool(one.strip()) for one in lines[first:])
        if n_found != n_atoms:
            return StructureError(f"{place}: expected {n_atoms} atoms, found {n_found}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            text = io.StringIO("\n".join(lines) + "\n")
            return fully_occupied(ase.io.read(text, index=0, format="lammps-dump-text"))
    except StructureError as error:
        return error
    except (ValueError, IndexError, StopIteration):
        return StructureError(f"{place}: expected a snapshot of a LAMMPS dump, found damage")
    except Exception as error:  # ASE's reader raises anything on damaged lines
        found = " ".join(str(error).split())[:120]
        return StructureError(f"{place}: expected a snapshot of a LAMMPS dump, found {found}")
