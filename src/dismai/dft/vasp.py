"""VASP as an engine: stages of the paper, each run kept, continued after a kill, read once done.

A run is kept in a folder that is named after its inputs, so that a finished one answers its own
question only. Its parts are numbered: a part that was killed keeps its whole ionic steps, and the
next one goes on from its CONTCAR. VASP is licensed software; its program and its potentials are the
user's own.
"""

import hashlib
import logging
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.geometry import find_mic

from dismai.base import kept
from dismai.base.atomic import locked, sha256, write_atomically
from dismai.base.errors import InputError, StructureError
from dismai.dft.potcar import POTENTIALS, library, read_potcar
from dismai.dft.settings import Dft, Mesh, Protocol
from dismai.dft.vasp_inputs import (
    Stage,
    block_order,
    bulk_stage,
    incar,
    order_of_any,
    stages,
    successive_stages,
    write_inputs,
)
from dismai.dft.vasp_outputs import next_structure, parse, whole_steps
from dismai.dft.vasp_program import run_program
from dismai.potentials.labels import Label, Trajectory

logger = logging.getLogger(__name__)

SAME_PLACE_A = 1e-5


def check_installation(
    settings: Dft, elements: Iterable[str] = POTENTIALS, key: str = "command"
) -> None:
    """InputError unless the program of a key and the potentials of elements are there."""
    words = getattr(settings.vasp, key)
    for word in {words[0], words[-1]}:
        if shutil.which(word) is None:
            raise InputError(
                f"dft.engine: vasp: expected the program {word} of dft.vasp.{key} on the PATH, "
                f"found none; set dft.vasp.{key}, or dft.engine to surrogate or gpaw"
            )
    library()
    for element in elements:
        read_potcar(element)


def _needed(atoms: Atoms) -> Iterable[str]:
    """Elements whose potentials must be there: all of the interface, or those of silicon."""
    own = dict.fromkeys(atoms.symbols)
    return POTENTIALS if own.keys() <= POTENTIALS.keys() else own


def code_identity(settings: Dft, elements: Iterable[str] = POTENTIALS) -> str:
    """SHA-256 over potentials of the user's library; the program is only known by its name."""
    text = "".join(read_potcar(element) for element in elements)
    return hashlib.sha256(text.encode()).hexdigest()


def label(atoms: Atoms, settings: Dft, workdir: Path) -> Label:
    """Energy, forces and stress of a structure as it stands, with the settings of stage 2."""
    order = block_order(atoms)
    check_installation(settings, _needed(atoms))
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


def relax_cell(atoms: Atoms, settings: Dft, workdir: Path, kpoints: Mesh) -> Trajectory:
    """A crystal whose cell is free, with a program for k-points."""
    check_installation(settings, key="bulk_command")
    order = block_order(atoms)
    result = run_stage(atoms[order], settings, bulk_stage(settings, kpoints), workdir)
    return replace(result, steps=[_in_order(step, order) for step in result.steps])


def relax_successively(
    atoms: Atoms, settings: Dft, protocol: Protocol, workdir: Path
) -> list[Label]:
    """A crystal as it is, and relaxed again and again, each time from the last CONTCAR."""
    check_installation(settings, dict.fromkeys(atoms.symbols), key="bulk_command")
    order = order_of_any(atoms)
    sorted_atoms, labels = atoms[order], []
    for stage in successive_stages(protocol):
        folder = _folder(workdir, stage, inputs_digest(sorted_atoms, settings, stage))
        last = run_stage(sorted_atoms, settings, stage, workdir).steps[-1]
        sorted_atoms = next_structure(folder / str(_n_parts(folder)), last.atoms)
        labels.append(_in_order(last, order))
    return labels


def _folder(workdir: Path, stage: Stage, digest: str) -> Path:
    """Of one run, named after the stage and the SHA-256 of its inputs."""
    return Path(workdir) / f"{stage.name}-{digest[:16]}"


def _n_parts(folder: Path) -> int:
    return sum(part.is_dir() for part in folder.iterdir())


def run_stage(
    atoms: Atoms, settings: Dft, stage: Stage, workdir: Path, moving: np.ndarray | None = None
) -> Trajectory:
    """Run one stage, go on with it, or read it if this very run has finished.

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
    asked = _asked(atoms, settings, stage)
    digest = inputs_digest(atoms, settings, stage, moving)
    folder = _folder(workdir, stage, digest)
    try:
        with locked(folder):
            runs = kept.Pieces("run", "it runs again", partial(_read, asked))
            result = runs.finished(folder, digest)
            if result is None:
                (folder / "finished").unlink(missing_ok=True)
                result = _run_parts(atoms, settings, stage, folder, moving)
                write_atomically(folder / "finished", digest)
            return result
    except StructureError as error:
        raise StructureError(f"{stage.name}: {error}") from None


def _run_parts(
    atoms: Atoms, settings: Dft, stage: Stage, folder: Path, moving: np.ndarray | None
) -> Trajectory:
    """Take the whole steps of parts that were killed, then run VASP until the stage has ended.

    Stage 1 ends with its run; other stages go on until forces are small or no step is left.
    """
    asked = _asked(atoms, settings, stage)
    steps, number = _steps_of_killed(folder, asked)
    command = settings.vasp.bulk_command if stage.of_crystal else settings.vasp.command
    start = atoms
    if steps:
        logger.info("%s: %d ionic steps are there, it goes on from CONTCAR", folder, len(steps))
        start = next_structure(folder / str(number), steps[-1].atoms)
    if stage.max_steps and len(steps) >= stage.max_steps:
        small = steps[-1].fmax_eV_per_A <= stage.fmax_eV_per_A
        return Trajectory(steps, 0, small and not stage.cell_free)
    while True:
        number += 1
        part = folder / str(number)
        left = replace(stage, max_steps=max(0, stage.max_steps - len(steps)))
        write_inputs(start, settings, left, part, moving)
        run_program(part, command, settings.vasp.max_errors)
        ran = parse(part / "vasprun.xml", asked)
        n_before = len(steps)
        steps = _joined(steps, ran.steps)
        ended = ran.converged or not stage.all_atoms or len(steps) >= stage.max_steps
        if ended or len(steps) == n_before:
            return Trajectory(steps, 0, ran.converged)
        start = next_structure(part, steps[-1].atoms)
        logger.info("%s: VASP ended after %d ionic steps, it goes on", folder, len(steps))


def _asked(atoms: Atoms, settings: Dft, stage: Stage) -> dict[str, Any]:
    """What a run must not have changed: custodian corrects inputs after errors."""
    tags = incar(atoms, settings, stage)
    return {**tags, "KPOINTS": stage.kpoints.divisions} if stage.of_crystal else tags


def _steps_of_killed(folder: Path, asked: dict[str, Any]) -> tuple[list[Label], int]:
    """Steps of the parts that have any, and their number; whatever else is there is removed."""
    steps: list[Label] = []
    for number in count(1):
        found = whole_steps(folder / str(number) / "vasprun.xml", asked)
        if not found:
            break
        steps = _joined(steps, found)
    for part in folder.iterdir():
        if part.is_dir() and int(part.name) >= number:
            shutil.rmtree(part)
    return steps, number - 1


def _joined(steps: list[Label], more: list[Label]) -> list[Label]:
    """Steps of one part after another; a geometry at which both stand counts once."""
    if steps and more:
        shift = more[0].atoms.positions - steps[-1].atoms.positions
        _, lengths = find_mic(shift, steps[-1].atoms.cell, pbc=True)
        cell = np.abs(more[0].atoms.cell - steps[-1].atoms.cell).max()
        if max(lengths.max(), cell) < SAME_PLACE_A:
            more = more[1:]
    return [*steps, *more]


def inputs_digest(
    atoms: Atoms, settings: Dft, stage: Stage, moving: np.ndarray | None = None
) -> str:
    """SHA-256 over INCAR, KPOINTS, POSCAR and POTCAR of a run: what its result depends on."""
    with tempfile.TemporaryDirectory() as folder:
        write_inputs(atoms, settings, stage, Path(folder), moving)
        names = ("INCAR", "KPOINTS", "POSCAR", "POTCAR")
        return kept.digest({name: sha256(Path(folder) / name) for name in names})


def _read(asked: dict[str, Any], folder: Path) -> tuple[Trajectory, str]:
    """What a finished run has given, all parts, and the digest of its inputs."""
    made_for = (folder / "finished").read_text()
    n_parts = _n_parts(folder)
    steps: list[Label] = []
    for number in range(1, n_parts):
        steps = _joined(steps, whole_steps(folder / str(number) / "vasprun.xml", asked))
    last = parse(folder / str(n_parts) / "vasprun.xml", asked)
    return Trajectory(_joined(steps, last.steps), 0, last.converged), made_for


def _in_order(label: Label, order: np.ndarray) -> Label:
    """The label with atoms as they were before they were sorted into blocks."""
    back = np.argsort(order)
    return replace(label, atoms=label.atoms[back], forces_eV_per_A=label.forces_eV_per_A[back])
