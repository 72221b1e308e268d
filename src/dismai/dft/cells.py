"""Single labels by an engine, each kept: energies and forces of cells to learn from."""

from pathlib import Path

import numpy as np
from ase import Atoms

from dismai import dft
from dismai.base import kept
from dismai.dft.settings import Dft
from dismai.files.structures import hash_structures

CELLS = kept.Pieces("cell or engine", "this cell is labelled again")


def kept_label(atoms: Atoms, settings: Dft, state: Path) -> tuple[float, np.ndarray]:
    """Energy, eV, and forces, eV/Å, (n_atoms, 3), of a cell as it stands.

    Args:
        atoms: periodic structure.
        settings: section `dft`.
        state: folder of finished labels, so that a killed job goes on with the next cell.

    Raises:
        InputError: the engine cannot run here.
        StructureError: its result cannot be trusted.
    """
    engine = dft.identity(settings, dict.fromkeys(atoms.symbols))
    made_for = kept.digest({"dft": engine, "structure": hash_structures([atoms])})

    def make() -> dict:
        done = dft.label(atoms, settings, state / "engine")
        return {"energy_eV": done.energy_eV, "forces_eV_per_A": done.forces_eV_per_A.tolist()}

    label = CELLS.take_or_make(state / f"{made_for[:32]}.json", made_for, make)
    return label["energy_eV"], np.array(label["forces_eV_per_A"])
