"""VASP under custodian: inputs written, program run, vasprun.xml checked and read.

A run is kept in a folder that is named after its inputs, so that a finished one answers its own
question only. VASP is licensed software; its program and its potentials are the user's own.
"""

import contextlib
import hashlib
import logging
import shutil
import tempfile
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from pymatgen.io.vasp.outputs import Vasprun

from dismai.base import kept
from dismai.base.atomic import locked, sha256, write_atomically
from dismai.base.errors import InputError, StructureError
from dismai.dft.potcar import POTENTIALS, library, read_potcar
from dismai.dft.settings import Dft, Vasp
from dismai.dft.vasp_inputs import Stage, block_order, incar, stages, write_inputs
from dismai.potentials.labels import EV_PER_A3_TO_GPA, Label, Trajectory

logger = logging.getLogger(__name__)

POLLING_S = 1
MONITOR_EVERY = 300
"""Custodian looks every second whether VASP has ended, and every five minutes at its output."""
KBAR_PER_GPA = 10.0
VOIGT = ([0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1])
CHECKED_TAGS = ("ENCUT", "ISIF", "LDAU")
"""Of the run against what was asked for: custodian corrects inputs after errors."""


def check_installation(settings: Dft) -> None:
    """InputError unless the program and all potentials are there."""
    for word in {settings.vasp.command[0], settings.vasp.command[-1]}:
        if shutil.which(word) is None:
            raise InputError(
                f"dft.engine: vasp: expected the program {word} of dft.vasp.command on the PATH, "
                "found none; set dft.vasp.command, or dft.engine to surrogate or gpaw"
            )
    library()
    for element in POTENTIALS:
        read_potcar(element)


def code_identity(settings: Dft) -> str:
    """SHA-256 over the potentials of the user's library; the program is only known by its name."""
    text = "".join(read_potcar(element) for element in POTENTIALS)
    return hashlib.sha256(text.encode()).hexdigest()


def label(atoms: Atoms, settings: Dft, workdir: Path) -> Label:
    """Energy, forces and stress of a structure as it stands, with the settings of stage 2."""
    check_installation(settings)
    order = block_order(atoms)
    stage = replace(stages(settings, with_region=False)[-1], name="single", max_steps=0)
    steps = run_stage(atoms[order], settings, stage, workdir)
    return _in_order(steps.steps[-1], order)


def relax(atoms: Atoms, settings: Dft, workdir: Path, region: np.ndarray | None) -> Trajectory:
    """Stage 1 (the region) and stage 2 (all atoms), or stage 2 alone without a region."""
    check_installation(settings)
    order = block_order(atoms)
    sorted_atoms = atoms[order]
    moving = None if region is None else np.asarray(region, dtype=bool)[order]
    region_steps = 0
    for stage in stages(settings, with_region=region is not None):
        result = run_stage(sorted_atoms, settings, stage, workdir, moving)
        sorted_atoms = result.steps[-1].atoms
        if not stage.all_atoms:
            region_steps = result.n_steps + 1
    steps = [_in_order(step, order) for step in result.steps]
    return Trajectory(steps, region_steps, result.converged)


def run_stage(
    atoms: Atoms, settings: Dft, stage: Stage, workdir: Path, moving: np.ndarray | None = None
) -> Trajectory:
    """Run one stage, or read it if this very run has finished in the working folder.

    Args:
        atoms: structure in blocks of species.
        settings: section `dft`.
        stage: what is run.
        workdir: holds one folder a run, named after the stage and the SHA-256 of its inputs.
        moving: mask of the atoms that stage 1 moves, (n_atoms,).

    Raises:
        InputError: another process is at the same run.
        StructureError: the result cannot be trusted.
    """
    asked = incar(atoms, settings, stage)
    digest = inputs_digest(atoms, settings, stage, moving)
    folder = Path(workdir) / f"{stage.name}-{digest[:16]}"
    try:
        with locked(folder):
            runs = kept.Pieces("run", "it runs again", partial(_read, asked=asked))
            result = runs.finished(folder, digest)
            if result is None:
                _clear(folder)
                write_inputs(atoms, settings, stage, folder, moving)
                run_custodian(folder, settings.vasp)
                result = parse(folder / "vasprun.xml", asked)
                write_atomically(folder / "finished", digest)
            return result
    except StructureError as error:
        raise StructureError(f"{stage.name}: {error}") from None


def inputs_digest(
    atoms: Atoms, settings: Dft, stage: Stage, moving: np.ndarray | None = None
) -> str:
    """SHA-256 over INCAR, KPOINTS, POSCAR and POTCAR of a run: what its result depends on."""
    with tempfile.TemporaryDirectory() as folder:
        write_inputs(atoms, settings, stage, Path(folder), moving)
        names = ("INCAR", "KPOINTS", "POSCAR", "POTCAR")
        return kept.digest({name: sha256(Path(folder) / name) for name in names})


def _read(folder: Path, asked: dict[str, Any]) -> tuple[Trajectory, str]:
    """What a finished run has given, and the digest of its inputs."""
    made_for = (folder / "finished").read_text()
    return parse(folder / "vasprun.xml", asked), made_for


def _clear(folder: Path) -> None:
    """Empty the folder of a run but for its lock."""
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name != ".lock":
            entry.unlink()


def run_custodian(folder: Path, settings: Vasp) -> None:
    """Run VASP in a folder with its inputs; custodian mends common errors and starts it again."""
    from custodian import Custodian
    from custodian.custodian import CustodianError
    from custodian.vasp.handlers import (
        FrozenJobErrorHandler,
        NonConvergingErrorHandler,
        StdErrHandler,
        VaspErrorHandler,
    )
    from custodian.vasp.jobs import VaspJob

    handlers = [
        VaspErrorHandler(),
        NonConvergingErrorHandler(),
        FrozenJobErrorHandler(),
        StdErrHandler(),
    ]
    job = VaspJob(settings.command, backup=False, auto_gamma=False)
    keeper = Custodian(
        handlers,
        [job],
        max_errors=max(1, settings.max_errors),
        polling_time_step=POLLING_S,
        monitor_freq=MONITOR_EVERY,
        directory=str(folder),
    )
    try:
        with contextlib.chdir(folder):
            keeper.run()
    except CustodianError as error:
        found = " ".join(str(error).split())[:120]
        raise StructureError(f"VASP failed under custodian: {found}") from None


def parse(path: Path, asked: dict[str, Any] | None = None) -> Trajectory:
    """Ionic steps of a vasprun.xml.

    The energy is the one for zero smearing. A run of no ionic steps (NSW 0) counts as converged.

    Args:
        path: vasprun.xml.
        asked: INCAR tags that the run must have kept.

    Raises:
        StructureError: no or cut-off file, other settings than asked for, or electrons that did
            not converge in some ionic step.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run = Vasprun(str(path), parse_dos=False, parse_eigen=False, parse_potcar_file=False)
    except FileNotFoundError:
        raise StructureError("expected vasprun.xml, found no such file") from None
    except (SyntaxError, ValueError, KeyError, IndexError) as error:
        found = " ".join(str(error).split())[:100]
        raise StructureError(f"expected a whole vasprun.xml, found {found}") from None
    for tag in CHECKED_TAGS:
        if asked is not None and run.parameters.get(tag, run.incar.get(tag)) != asked[tag]:
            found = run.parameters.get(tag, run.incar.get(tag))
            raise StructureError(f"{tag}: expected {asked[tag]}, found {found}")
    most = int(run.parameters["NELM"])
    notes = _provenance(run)
    steps = [_step(i, step, most, notes) for i, step in enumerate(run.ionic_steps)]
    if not steps:
        raise StructureError("expected ionic steps in vasprun.xml, found none")
    n_steps = int(run.parameters.get("NSW", 0))
    force = -float(run.parameters.get("EDIFFG", -0.1))
    fixed = n_steps == 0
    return Trajectory(steps, 0, fixed or steps[-1].fmax_eV_per_A <= force)


def _step(index: int, step: dict[str, Any], most: int, notes: dict[str, Any]) -> Label:
    """One ionic step; StructureError if its electrons did not converge."""
    n_iterations = len(step["electronic_steps"])
    if n_iterations >= most:
        raise StructureError(
            f"ionic step {index}: expected fewer than {most} electronic iterations, found "
            f"{n_iterations}: not converged"
        )
    structure = step["structure"]
    atoms = Atoms(
        [site.specie.symbol for site in structure],
        positions=structure.cart_coords,
        cell=structure.lattice.matrix,
        pbc=True,
    )
    # VASP prints the pressure tensor in kbar: positive under compression.
    stress = -np.array(step["stress"], dtype=float) / KBAR_PER_GPA / EV_PER_A3_TO_GPA
    return Label(
        atoms,
        float(step["e_0_energy"]),
        np.array(step["forces"], dtype=float),
        stress[VOIGT],
        converged=True,
        provenance=notes,
    )


def _provenance(run: Vasprun) -> dict[str, Any]:
    """Engine, version, hash of INCAR, k-points and titles of the potentials."""
    settings = {
        "incar": {key: str(value) for key, value in sorted(run.incar.items())},
        "kpoints": np.array(run.actual_kpoints).tolist(),
        "potentials": run.potcar_symbols,
    }
    return {
        "engine": "vasp",
        "engine_version": str(run.vasp_version),
        "settings_sha256": kept.digest(settings),
    }


def _in_order(label: Label, order: np.ndarray) -> Label:
    """The label with atoms as they were before they were sorted into blocks."""
    back = np.argsort(order)
    return replace(label, atoms=label.atoms[back], forces_eV_per_A=label.forces_eV_per_A[back])
