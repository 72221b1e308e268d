"""The large cell of amorphous silicon that blocks are cut from."""

from collections import Counter
from pathlib import Path

from ase import Atoms

from dismai.base.atomic import sha256 as digest_of
from dismai.base.card import formula
from dismai.base.errors import InputError, StructureError
from dismai.files.structures import read_frames


def read_bulk(path: Path, sha256: str | None = None) -> Atoms:
    """One periodic cell of silicon: an archive of `files.structures.write_cell`, or what ASE reads.

    Args:
        path: the file.
        sha256: its checksum, compared before the file is read; None: not compared.

    Raises:
        InputError: another checksum, no structure or several, another element, no cell.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: expected a cell of silicon, found no such file")
    if sha256 is not None and digest_of(path) != sha256:
        raise InputError(f"{path}: expected SHA-256 {sha256}, found {digest_of(path)}")
    frames = read_frames(path)
    if len(frames) != 1:
        raise InputError(f"{path}: expected one cell, found {len(frames)} structures")
    atoms = frames[0]
    if isinstance(atoms, StructureError):
        raise InputError(f"{path}: {atoms}")
    found = Counter(atoms.get_chemical_symbols())
    if set(found) != {"Si"}:
        raise InputError(f"{path}: expected silicon only, found {formula(found)}")
    if not abs(atoms.cell.volume) > 1e-6:
        raise InputError(f"{path}: expected a cell with a volume, found none")
    atoms.pbc = True
    return atoms
