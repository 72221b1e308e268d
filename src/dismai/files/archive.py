"""Ready-made sets of structures: a file, an archive or a URL, told by its checksum."""

import logging
import shutil
import tarfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from ase import Atoms

from dismai.base.atomic import replacing
from dismai.base.atomic import sha256 as digest_of
from dismai.base.card import formula
from dismai.base.errors import InputError
from dismai.base.text import is_url
from dismai.files.structures import read_structures

logger = logging.getLogger(__name__)

TIMEOUT_S = 60
CELL_TOLERANCE = 1e-3
"""Relative difference of the cells of a set."""


def fetch(source: str, sha256: str, target: Path) -> None:
    """Copy a file, or what a URL holds, to target, and check it.

    Raises:
        InputError: it cannot be had, or has another SHA-256; target is not written then.
    """
    with replacing(target) as temporary:
        try:
            if is_url(source):
                with urllib.request.urlopen(source, timeout=TIMEOUT_S) as stream:
                    with open(temporary, "wb") as copy:
                        shutil.copyfileobj(stream, copy)
            else:
                shutil.copyfile(source, temporary)
        except (OSError, urllib.error.URLError, ValueError) as error:
            found = " ".join(str(error).split())[:120]
            raise InputError(f"{source}: expected a file, found {found}") from None
        if digest_of(temporary) != sha256:
            raise InputError(f"{source}: expected SHA-256 {sha256}, found {digest_of(temporary)}")
    logger.info("%s: %d bytes", source, target.stat().st_size)


def extract(archive: Path, member: str | None, target: Path) -> None:
    """Copy one file of a zip or tar archive to target; a file that is no archive as it is.

    Nothing else of an archive is unpacked, and no path inside it is written to.

    Raises:
        InputError: no such member, or an archive of which none is named.
    """
    with replacing(target) as temporary, open(temporary, "wb") as copy:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as content:
                files = [info.filename for info in content.infolist() if not info.is_dir()]
                with content.open(_chosen(archive, member, files)) as stream:
                    shutil.copyfileobj(stream, copy)
        elif tarfile.is_tarfile(archive):
            with tarfile.open(archive) as content:
                files = [info.name for info in content.getmembers() if info.isfile()]
                with content.extractfile(_chosen(archive, member, files)) as stream:
                    shutil.copyfileobj(stream, copy)
        elif member is not None:
            raise InputError(
                f"{archive}: expected a zip or tar with {member!r}, found another file"
            )
        else:
            with open(archive, "rb") as stream:
                shutil.copyfileobj(stream, copy)


def _chosen(archive: Path, member: str | None, files: list[str]) -> str:
    if member in files:
        return member
    if member is None and len(files) == 1:
        return files[0]
    found = ", ".join(sorted(files)[:10]) + (" ..." if len(files) > 10 else "")
    wanted = "a member to be named" if member is None else repr(member)
    raise InputError(f"{archive}: expected {wanted}, found {found}")


def read_ready_made(
    path: Path, composition: Mapping[str, int], n_structures: int, first: Atoms | None = None
) -> list[Atoms]:
    """Structures of a ready-made set: number, species, number of atoms and cell are checked.

    Args:
        path: of the file.
        composition: atoms per species that every structure must have.
        n_structures: number of structures in the file.
        first: a structure whose cell all must have; the first of the file by default.

    Raises:
        InputError: names the first structure that does not fit, and what was found.
    """
    structures = read_structures(path)
    if len(structures) != n_structures:
        raise InputError(f"{path}: expected {n_structures} structures, found {len(structures)}")
    cell = (first or structures[0]).cell.array
    whose = "structure 0" if first is None else "the training structures"
    for number, atoms in enumerate(structures):
        symbols = atoms.get_chemical_symbols()
        found = {symbol: symbols.count(symbol) for symbol in dict.fromkeys(symbols)}
        if found != dict(composition):
            raise InputError(
                f"{path}: structure {number}: expected {formula(composition, composition)}, "
                f"found {formula(found, composition)}"
            )
        if not np.isfinite(atoms.positions).all():
            raise InputError(f"{path}: structure {number}: expected finite positions, found NaN")
        if np.abs(atoms.cell.array - cell).max() > CELL_TOLERANCE * np.abs(cell).max():
            lengths = " x ".join(f"{length:.4g}" for length in atoms.cell.lengths())
            raise InputError(
                f"{path}: structure {number}: expected the cell of {whose}, found one of "
                f"{lengths} Å"
            )
        if not abs(atoms.cell.volume) > 1e-6:
            raise InputError(f"{path}: structure {number}: expected a cell, found none")
        atoms.pbc = True
    return structures
