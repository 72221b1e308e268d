"""Trivial generators that every model has to beat, and the noise floor that none can."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms

from dismai.base.card import DatasetSpec
from dismai.base.kinds import KINDS
from dismai.base.seeds import generator_for, seed_for
from dismai.datasets.alloy.build import to_atoms
from dismai.datasets.amorphous_si.melt_quench import melt_quench
from dismai.datasets.amorphous_si.settings import Stage
from dismai.geometry.random_points import random_points


def make(
    name: str,
    train: Sequence[Atoms],
    val: Sequence[Atoms],
    spec: DatasetSpec,
    n: int,
    sigma_A: float,
    seed: int,
) -> list[Atoms]:
    """Structures of one baseline by its name.

    `held_out` is the validation set: what sampling noise alone makes of a perfect model.
    """
    generators = {**BASELINES, **(KINDS[spec.kind].extra("BASELINES") or {})}
    return generators[name](train, val, spec, n, sigma_A, seed)


def random_decoration(spec: DatasetSpec, n: int, seed: int) -> list[Atoms]:
    """Perfect lattices with the atoms of the dataset on random sites."""
    ordered = np.repeat(np.arange(len(spec.composition)), list(spec.composition.values()))
    return [
        to_atoms(
            generator_for(seed, "random_decoration", spec.name, i).permutation(ordered), spec.fcc
        )
        for i in range(n)
    ]


def gaussian_displacement(
    train: Sequence[Atoms], spec: DatasetSpec, sigma_A: float, n: int, seed: int
) -> list[Atoms]:
    """Training structures, in turn, with independent Gaussian displacements of every atom.

    sigma_A: standard deviation of each Cartesian component, Å.
    """
    displaced = []
    for i in range(n):
        atoms = train[i % len(train)].copy()
        rng = generator_for(seed, "gaussian_displacement", spec.name, i)
        atoms.positions += rng.normal(0.0, sigma_A, atoms.positions.shape)
        displaced.append(atoms)
    return displaced


def random_atoms(spec: DatasetSpec, n: int, seed: int) -> list[Atoms]:
    """The cell of the dataset with its atoms at random places, at least 1.9 Å apart."""
    structures = []
    for i in range(n):
        rng = generator_for(seed, "random_atoms", spec.name, i)
        points = random_points(spec.n_atoms, spec.cell, rng)
        structures.append(Atoms(spec.symbols, points, cell=spec.cell, pbc=True))
    return structures


BASELINES = {
    "held_out": lambda train, val, *_: list(val),
    "random_decoration": lambda train, val, spec, n, sigma_A, seed: random_decoration(
        spec, n, seed
    ),
    "gaussian_displacement": lambda train, val, spec, n, sigma_A, seed: gaussian_displacement(
        train, spec, sigma_A, n, seed
    ),
    "random_atoms": lambda train, val, spec, n, sigma_A, seed: random_atoms(spec, n, seed),
}
"""Generators by name; a kind may have more (`BASELINES` of its extras), or rules of its own."""


def fresh_quenches(
    spec: DatasetSpec,
    stages: Sequence[Stage],
    n: int,
    seed: int,
    state: Path,
    n_threads: int = 1,
) -> list[Atoms]:
    """Amorphous cells of the size of the dataset, each from a melt-quench of its own.

    Simulation as a model: it knows the physics and no training structure. Cells are those that
    the barostat found.

    Args:
        spec: card of the dataset.
        stages: temperature ramps.
        n: number of cells.
        seed: root seed; every cell has its own.
        state: folder of states; a killed call goes on there.
        n_threads: OpenMP threads.
    """
    return [
        melt_quench(
            spec.n_atoms,
            stages,
            Path(state) / str(i),
            seed_for(seed, "melt_quench", spec.name, i),
            n_threads,
            sum(stage.steps for stage in stages),
        )
        for i in range(n)
    ]
