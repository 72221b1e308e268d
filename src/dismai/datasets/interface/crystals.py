"""The two crystals of an interface, relaxed by the engine of the labels before it is cut."""

import logging
from pathlib import Path

from ase import Atoms

from dismai import dft
from dismai.base.errors import InputError, StructureError
from dismai.datasets.interface.slabs import LCO_110, LSC_100, read_crystal
from dismai.dft.settings import Dft
from dismai.files.structures import read_structures, write_structures

logger = logging.getLogger(__name__)

SURFACES = {"substrate": LCO_110, "film": LSC_100}
"""Keys of the crystals in the geometry of a dataset, and the surface that is cut from each."""


def relax_crystal(name: str, path: Path, settings: Dft, workdir: Path, target: Path) -> Atoms:
    """Write a crystal with positions and cell at the minimum of the engine, and return it.

    Args:
        name: substrate or film.
        path: file of its conventional cell.
        settings: section `dft`.
        workdir: folder for the files of the engine.
        target: extended XYZ that takes the place of `path` in the geometry.

    Raises:
        InputError: the engine cannot run here or reaches no minimum, or the crystal is not the one
            expected, before or after.
    """
    read_crystal(path, SURFACES[name])
    (given,) = read_structures(path)
    try:
        done = dft.relax_cell(given, settings, workdir, getattr(settings.bulk, name))
    except StructureError as error:
        raise InputError(f"{path}: expected a crystal that relaxes, found: {error}") from None
    if not done.converged:
        raise InputError(
            f"{path}: expected forces below {settings.bulk.fmax_eV_per_A:g} eV/Å within "
            f"{settings.bulk.max_steps} steps (dft.bulk), found "
            f"{done.steps[-1].fmax_eV_per_A:.3g} eV/Å"
        )
    last = done.steps[-1]
    relaxed = last.atoms.copy()
    relaxed.info = {**last.provenance, "energy_eV_per_atom": last.energy_eV / len(relaxed)}
    write_structures([relaxed], target)
    read_crystal(target, SURFACES[name])
    before, after = (
        " ".join(f"{x:.4f}" for x in atoms.cell.cellpar()) for atoms in (given, relaxed)
    )
    logger.info("%s, %d steps: cell %s, now %s (Å, degrees)", name, done.n_steps, before, after)
    return relaxed
