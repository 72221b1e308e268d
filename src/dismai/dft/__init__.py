"""Energies, forces and stresses by an engine of the configuration: one interface for all.

`surrogate` (CHGNet) and `gpaw` are ASE calculators driven from here; `vasp` relaxes by itself and
is read afterwards.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from dismai.dft.settings import Dft

if TYPE_CHECKING:
    import numpy as np
    from ase import Atoms

    from dismai.dft.labels import Label, Relaxation


def check(settings: Dft) -> None:
    """InputError in one line if the engine cannot run here: what is missing, what to set."""
    if settings.engine == "vasp":
        from dismai.dft.vasp import check_installation

        check_installation(settings.vasp)
    else:
        from dismai.dft.calculators import check_installation

        check_installation(settings)


def label(atoms: "Atoms", settings: Dft, workdir: Path) -> "Label":
    """Energy, forces and stress of a structure as it stands.

    Args:
        atoms: periodic structure.
        settings: section `dft`.
        workdir: folder for the files of the engine.

    Raises:
        InputError: the engine cannot run here.
        StructureError: its result cannot be trusted, e.g. electrons that do not converge.
    """
    return _engine(settings).label(atoms, settings, Path(workdir))


def relax(
    atoms: "Atoms", settings: Dft, workdir: Path, region: "np.ndarray | None" = None
) -> "Relaxation":
    """Relax positions in the fixed cell and keep every ionic step of the last stage.

    Args:
        atoms: periodic structure.
        settings: section `dft`.
        workdir: folder for the files of the engine.
        region: mask of the interface region, (n_atoms,): stage 1 moves these atoms only. None
            leaves stage 1 out, as after a relaxation by the potential.

    Raises:
        InputError: the engine cannot run here.
        StructureError: its result cannot be trusted.
    """
    return _engine(settings).relax(atoms, settings, Path(workdir), region)


def _engine(settings: Dft):
    if settings.engine == "vasp":
        from dismai.dft import vasp

        return vasp
    from dismai.dft import calculators

    return calculators
