"""One large cell of silicon as a NumPy archive."""

import zipfile
from pathlib import Path

import numpy as np
from ase import Atoms

from dismai.base.errors import InputError


def read_cell(path: Path) -> Atoms:
    """One large periodic cell of silicon as a NumPy archive; InputError if it is anything else.

    scaled_positions: (n_atoms, 3).  cell: rows, Å, (3, 3).  Nothing in the file is unpickled.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            scaled = np.asarray(data["scaled_positions"], dtype=float)
            cell = np.asarray(data["cell"], dtype=float)
    except FileNotFoundError:
        raise InputError(f"{path}: expected a cell, found no such file") from None
    except (KeyError, TypeError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        found = " ".join(str(error).split())[:120]
        raise InputError(
            f"{path}: expected an archive of scaled_positions and cell, found {found}"
        ) from None
    if scaled.ndim != 2 or scaled.shape[1] != 3 or len(scaled) == 0 or cell.shape != (3, 3):
        raise InputError(
            f"{path}: expected scaled_positions (n_atoms, 3) and cell (3, 3), found "
            f"{scaled.shape} and {cell.shape}"
        )
    if not (np.isfinite(scaled).all() and np.isfinite(cell).all()):
        raise InputError(f"{path}: expected finite positions and cell, found NaN or infinity")
    if not abs(np.linalg.det(cell)) > 1e-6:
        raise InputError(f"{path}: cell: expected one with a volume, found none")
    return Atoms(f"Si{len(scaled)}", scaled_positions=scaled, cell=cell, pbc=True)
