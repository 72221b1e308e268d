"""Cells of silicon that a potential learns from: crystals out of shape, and frozen liquids."""

import logging
from collections.abc import Callable

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator

from dismai.base import stopping
from dismai.base.errors import InputError, StructureError
from dismai.base.seeds import generator_for
from dismai.geometry.random_points import random_points
from dismai.potentials.relax import relax_structure
from dismai.potentials.settings import GapFit

logger = logging.getLogger(__name__)

LATTICE_A = 5.43
STRAIN = 0.03  # standard deviation of the entries of the strain
RATTLE_A = (0.02, 0.15)
"""Standard deviation of the components of a displacement, Å; the larger costs 0.5 eV/atom, twice
the energy of vibrations at the melting point."""
REPELLED_A = 0.35
"""The larger one where the potential has to learn how atoms repel that come close to each other."""
CRYSTAL_SHARE = 0.25  # the others come from random atoms on their way to a minimum
STEPS = (5, 200)  # iterations on that way: from a hot liquid to a glass
ENERGY, FORCES = "label_energy", "label_forces"


def labelled_cells(
    settings: GapFit,
    labels: Calculator,
    n_cells: int,
    root: int,
    *names: str,
    rattle_A: tuple[float, float] = RATTLE_A,
    engine: Callable[[Atoms], tuple[float, np.ndarray]] | None = None,
) -> list[Atoms]:
    """Cells with `label_energy`, eV, in `info` and `label_forces`, eV/Å, in `arrays`.

    Args:
        settings: number of atoms.
        labels: calculator that relaxes random atoms, and labels where there is no engine.
        n_cells: how many; the first ones do not depend on it.
        root: root seed.
        names: names of the stream of random numbers.
        rattle_A: smallest and largest width of the displacements of crystals.
        engine: energy, eV, and forces, eV/Å, (n_atoms, 3), of a cell; a cell that it refuses
            with a StructureError is left out, and the next one taken.

    Raises:
        InputError: a cell whose labels are not finite, or an engine that refuses half of them.
    """
    cells: list[Atoms] = []
    number = 0
    while len(cells) < n_cells:
        if number == 2 * n_cells:
            raise InputError(f"training cells: expected {n_cells} labels, found {len(cells)}")
        atoms = _cell(settings, labels, rattle_A, generator_for(root, *names, number))
        number += 1
        try:
            energy, forces = engine(atoms) if engine else _labels_of(atoms, labels)
        except StructureError as error:
            logger.warning("training cell %d is left out: %s", number - 1, error)
            continue
        if not (np.isfinite(energy) and np.isfinite(forces).all()):
            raise InputError(
                f"training cell {number - 1}: expected finite labels, found NaN or infinity"
            )
        atoms.info[ENERGY] = energy
        atoms.arrays[FORCES] = forces
        cells.append(atoms)
        stopping.leave_if_asked()  # those of an engine are kept
    return cells


def _labels_of(atoms: Atoms, labels: Calculator) -> tuple[float, np.ndarray]:
    """Energy and forces of a cell, which is left without a calculator."""
    atoms.calc = labels
    energy, forces = float(atoms.get_potential_energy()), atoms.get_forces().copy()
    atoms.calc = None
    return energy, forces


def _cell(
    settings: GapFit, labels: Calculator, rattle_A: tuple[float, float], rng: np.random.Generator
) -> Atoms:
    if rng.random() < CRYSTAL_SHARE:
        return _crystal(settings.n_atoms, rattle_A, rng)
    return _glass(settings.n_atoms, labels, rng)


def _crystal(n_atoms: int, rattle_A: tuple[float, float], rng: np.random.Generator) -> Atoms:
    """Strained diamond, every atom displaced."""
    atoms = bulk("Si", a=LATTICE_A, cubic=True).repeat(_repeats(n_atoms // 8))
    strain = STRAIN * rng.standard_normal((3, 3))
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + (strain + strain.T) / 2), scale_atoms=True)
    atoms.positions += rng.uniform(*rattle_A) * rng.standard_normal((n_atoms, 3))
    return atoms


def _glass(n_atoms: int, labels: Calculator, rng: np.random.Generator) -> Atoms:
    """Random atoms after some steps on the way to a minimum, at densities 7 % around diamond's."""
    edges = np.array(_repeats(n_atoms // 8)) * LATTICE_A * rng.uniform(0.93, 1.07) ** (-1 / 3)
    cell = np.diag(edges)
    atoms = Atoms(["Si"] * n_atoms, random_points(n_atoms, cell, rng), cell=cell, pbc=True)
    n_steps = int(np.exp(rng.uniform(*np.log(STEPS))))
    ended = relax_structure(atoms, labels, max_steps=n_steps).atoms
    ended.positions += rng.uniform(0, 0.1) * rng.standard_normal((n_atoms, 3))
    return ended


def _repeats(n_cells: int) -> tuple[int, int, int]:
    """Three factors of a number, as equal as they can be."""
    best = (n_cells, 1, 1)
    for a in range(1, n_cells + 1):
        for b in range(1, n_cells // a + 1):
            if n_cells % (a * b) == 0:
                best = min(best, (a, b, n_cells // (a * b)), key=max)
    return best
