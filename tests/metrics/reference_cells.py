"""Cells defined in golden/reference_vectors.json, and random cells for comparisons."""

import json
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.cell import Cell

GOLDEN = json.loads(
    (Path(__file__).parents[1] / "golden" / "reference_vectors.json").read_text(encoding="utf-8")
)
OXIDATION_STATES = {"Li": 1, "Sc": 3, "Co": 3, "Cl": -1, "O": -2}


def lcg(seed):
    """Uniform numbers in [0, 1) of the generator named in the golden file."""
    state = seed
    while True:
        state = (1103515245 * state + 12345) % 2**31
        yield state / 2**31


def si256(seed):
    u, edge = lcg(seed), 17.35 / 4
    basis = [(0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)]
    sites = [
        np.add((i, j, k), b) for i in range(4) for j in range(4) for k in range(4) for b in basis
    ]
    positions = [[edge * x + 0.55 * (2 * next(u) - 1) for x in site] for site in sites]
    return Atoms("Si256", positions=positions, cell=[17.35] * 3, pbc=True)


def interface264(seed=3, amplitude=0.25):
    cell = Cell.fromcellpar([12.46997, 17.19967, 32.0, 90, 90, 75.6674]).array
    u, positions = lcg(seed), []
    for k in range(11):
        h = 0.5 * (k % 2)
        for i in range(4):
            for j in range(6):
                site = (i + h) / 4 * cell[0] + (j + h) / 6 * cell[1] + [0, 0, 1.0 + 1.7 * k]
                positions.append(site + [amplitude * (2 * next(u) - 1) for _ in range(3)])
    q = 5 * np.arange(264) % 264
    symbols = np.select([q < 72, q < 108, q < 120, q < 192], ["Li", "Co", "Sc", "Cl"], "O")
    return Atoms(list(symbols), positions=positions, cell=cell, pbc=True)


def random_cell(rng, n_atoms, symbols=("Si",), volume_per_atom=20.0, min_distance=1.6):
    """Atoms at random in a skewed cell, not closer than min_distance (Å), not wrapped."""
    edge = (n_atoms * volume_per_atom) ** (1 / 3)
    cell = edge * (np.eye(3) + rng.normal(0, 0.08, (3, 3)))
    atoms = Atoms(cell=cell, pbc=True)
    while len(atoms) < n_atoms:
        trial = atoms + Atoms(rng.choice(symbols), positions=rng.random((1, 3)) @ cell)
        others = np.arange(len(trial) - 1)
        if len(others) == 0 or trial.get_distances(-1, others, mic=True).min() > min_distance:
            atoms = trial
    atoms.positions += rng.integers(-2, 3, (n_atoms, 3)) @ cell
    return atoms


def rattled_crystal(rng):
    """A common crystal, repeated, strained and rattled."""
    crystals = [
        bulk("Si", a=5.43),
        bulk("Cu", a=3.61),
        bulk("Fe", a=2.87),
        bulk("Mg"),
        bulk("Po", "sc", a=3.35),
    ]
    atoms = crystals[rng.integers(len(crystals))].repeat(2)
    atoms.set_cell(atoms.cell + rng.normal(0, 0.05, (3, 3)), scale_atoms=True)
    atoms.positions += rng.normal(0, 0.1, (len(atoms), 3))
    return atoms


def slab(rng, rattle=0.15):
    """Layers of ions below a vacuum, all five elements of the interface."""
    edge, layers = 3.1, 5
    grid = [(i, j, k) for k in range(layers) for i in range(2) for j in range(3)]
    positions = np.array(grid) * [edge, edge, 1.9] + [0.3, 0.3, 1.0]
    positions[:, 0] += 0.5 * edge * (np.array(grid)[:, 2] % 2)
    symbols = rng.permutation(["Li"] * 8 + ["Co"] * 4 + ["Sc"] * 3 + ["Cl"] * 7 + ["O"] * 8)
    atoms = Atoms(list(symbols), positions, cell=[2 * edge, 3 * edge, 1.9 * layers + 10], pbc=True)
    atoms.positions += rng.normal(0, rattle, (len(atoms), 3))
    return atoms
