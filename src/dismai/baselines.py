"""Trivial generators that every model has to beat, and the noise floor that none can."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from dismai.datasets.alloy import to_atoms
from dismai.datasets.spec import DatasetSpec
from dismai.seeds import generator_for


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
    if name == "held_out":
        return list(val)
    if name == "random_decoration":
        return random_decoration(spec, n, seed)
    return gaussian_displacement(train, spec, sigma_A, n, seed)


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
