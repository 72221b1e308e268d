"""Relaxation of structures: positions only, cell fixed, periodic in three dimensions."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.calculators.singlepoint import SinglePointCalculator
from ase.optimize import FIRE, LBFGS
from ase.optimize.sciopt import OptimizerConvergenceError, SciPyFminCG

from dismai.base.device import is_fault_of_machine
from dismai.base.errors import StructureError

logger = logging.getLogger(__name__)

SLACK_EV_PER_A = 0.001
"""The final geometry may have forces this much above the stop, as published."""
CURVATURE = 70.0  # eV/Å^2, scales the objective of the conjugate gradient
OPTIMIZERS = {"fire": FIRE, "lbfgs": LBFGS, "scipy_cg": SciPyFminCG}


@dataclass(frozen=True)
class RelaxedStructure:
    """A structure where its relaxation ended.

    status: ok, or why it is rejected.  steps: iterations of the minimiser.
    energy_eV, fmax_eV_per_A: there; nan if the potential failed.
    """

    atoms: Atoms
    steps: int
    energy_eV: float
    fmax_eV_per_A: float
    status: str


def relax_structure(
    atoms: Atoms,
    potential: Calculator,
    fmax: float = 0.05,
    max_steps: int = 1000,
    optimizer: str = "scipy_cg",
    trajectory: list[Atoms] | None = None,
) -> RelaxedStructure:
    """Relax one structure; what goes wrong is its status, unless it is a fault of the machine.

    The published minimiser is the nonlinear conjugate gradient of SciPy (Polak-Ribière) with
    energy and gradient divided by 70 eV/Å². It stops when the largest force on an atom is below
    `fmax`, tested before the first iteration and after each one; the geometry is the iterate that
    it ends with. The structure is accepted if its largest force is at most fmax + 0.001 eV/Å.

    Args:
        atoms: the structure; a copy is relaxed.
        potential: calculator of energy and forces.
        fmax: eV/Å.
        max_steps: iterations, after which the structure is rejected.
        optimizer: scipy_cg, fire or lbfgs.
        trajectory: takes the geometry before the first and after every step, with energy and
            forces.
    """
    moving = Atoms(atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=True)
    moving.calc = potential
    iterates: list[np.ndarray] = []

    def remember() -> None:
        _check_finite(moving)
        iterates.append(moving.positions.copy())
        if trajectory is not None:
            trajectory.append(_frozen(moving))

    energy = largest = np.nan
    try:
        remember()
        _minimise(moving, fmax, max_steps, optimizer, remember)
        moving.positions = iterates[-1]
        energy, largest = _check_finite(moving)
        status = "ok"
        if not largest <= fmax + SLACK_EV_PER_A:
            status = f"not converged: expected {fmax:g} eV/Å, found {largest:.3g}"
    except StructureError as error:
        status = str(error)
    except Exception as error:  # a potential may raise anything; it costs this structure
        if is_fault_of_machine(error):
            raise
        found = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        status = f"the potential failed: {found}"
    moving.calc = None
    moving.info.update(atoms.info)
    return RelaxedStructure(moving, max(0, len(iterates) - 1), energy, largest, status)


def _minimise(atoms: Atoms, fmax: float, max_steps: int, optimizer: str, remember) -> None:
    """Run a minimiser; `remember` is called after every step."""
    if _largest_force(atoms) < fmax:  # ASE tests the conjugate gradient only after a step
        return
    settings = {"alpha": CURVATURE} if optimizer == "scipy_cg" else {}
    minimiser = OPTIMIZERS[optimizer](atoms, logfile=None, **settings)

    def after_step() -> None:
        if minimiser.nsteps > 0:  # ASE reports the start, too
            remember()

    minimiser.attach(after_step)
    try:
        with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is refused later
            minimiser.run(fmax=fmax, steps=max_steps)
    except OptimizerConvergenceError:
        pass  # the line search found no better point: the forces decide


def _largest_force(atoms: Atoms) -> float:
    return float(np.sqrt((atoms.get_forces() ** 2).sum(axis=1).max()))


def _check_finite(atoms: Atoms) -> tuple[float, float]:
    """Energy, eV, and largest force, eV/Å; StructureError unless both are finite."""
    energy, largest = float(atoms.get_potential_energy()), _largest_force(atoms)
    if not np.isfinite([energy, largest]).all():
        raise StructureError(
            f"expected finite energy and forces, found {energy:.3g} eV and {largest:.3g} eV/Å"
        )
    return energy, largest


def _frozen(atoms: Atoms) -> Atoms:
    copy = atoms.copy()
    energy, forces = float(atoms.get_potential_energy()), atoms.get_forces().copy()
    copy.calc = SinglePointCalculator(copy, energy=energy, forces=forces)
    return copy


def relax(
    atoms_list: Sequence[Atoms],
    potential: Calculator,
    fmax: float = 0.05,
    max_steps: int = 1000,
    optimizer: str = "scipy_cg",
    trajectories: list[list[Atoms]] | None = None,
) -> tuple[list[Atoms], pd.DataFrame]:
    """Relax structures one after another.

    Args:
        atoms_list: the structures.
        potential: calculator, as `dismai.potentials.load` makes it.
        fmax: eV/Å.
        max_steps: iterations, after which a structure is rejected.
        optimizer: scipy_cg, fire or lbfgs.
        trajectories: takes the trajectory of every structure.

    Returns:
        All structures where they ended, and one row each: structure (from 0), steps, energy_eV,
        fmax_eV_per_A, status (ok, or why it is rejected).
    """
    ended: list[RelaxedStructure] = []
    for atoms in atoms_list:
        trajectory: list[Atoms] | None = None if trajectories is None else []
        ended.append(relax_structure(atoms, potential, fmax, max_steps, optimizer, trajectory))
        if trajectories is not None:
            trajectories.append(trajectory)
    return [one.atoms for one in ended], table_of(ended)


def table_of(ended: Sequence[RelaxedStructure]) -> pd.DataFrame:
    """One row a structure: structure (from 0), steps, energy_eV, fmax_eV_per_A, status."""
    n_accepted = sum(one.status == "ok" for one in ended)
    logger.info("relaxed %d of %d structures", n_accepted, len(ended))
    columns = ["steps", "energy_eV", "fmax_eV_per_A", "status"]
    rows = [[getattr(one, name) for name in columns] for one in ended]
    table = pd.DataFrame(rows, columns=columns)
    table.insert(0, "structure", np.arange(len(ended)))
    return table
