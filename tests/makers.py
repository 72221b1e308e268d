"""Small structures of every kind, their cards, and the cells that golden numbers belong to."""

import json
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.cell import Cell

from dismai.base.card import DatasetSpec, FccLattice, cell_rows
from dismai.datasets.alloy.build import to_atoms
from dismai.datasets.crystals.filter import space_group
from dismai.geometry.cluster_expansion import SPECIES
from dismai.geometry.fcc import fractional_sites
from dismai.models import paper_spec

GOLDEN = json.loads(
    (Path(__file__).parent / "golden" / "reference_vectors.json").read_text(encoding="utf-8")
)
THIN_INTERFACE = {
    "lco_layers": 1,
    "lsc_layers": 3,
    "region_formula_units": 1,
    "match": {"max_area_A2": 75, "length_tolerance": 0.15, "angle_tolerance": 0.16},
}
"""Geometry of small interfaces, found in a moment."""
OXIDATION_STATES = {"Li": 1, "Sc": 3, "Co": 3, "Cl": -1, "O": -2}


def alloy_spec(name: str = "alloy_300K_wide") -> DatasetSpec:
    """Card of the small alloy of most tests: 32 sites of fcc with 6 Cr, 20 Fe, 6 Ni."""
    fcc = FccLattice(supercell=(2, 2, 2))
    return DatasetSpec(
        name=name,
        kind="alloy",
        composition={"Cr": 6, "Fe": 20, "Ni": 6},
        cell_A=cell_rows(fcc.cell),
        fcc=fcc,
    )


def crystal(occupancy: np.ndarray, supercell: tuple[int, int, int] = (4, 4, 4)) -> Atoms:
    """A perfect crystal with species indices on its sites, in the order of the sites."""
    lattice = FccLattice(supercell=supercell)
    return Atoms(
        [SPECIES[species] for species in occupancy],
        scaled_positions=fractional_sites(supercell),
        cell=lattice.cell,
        pbc=True,
    )


def random_crystal(seed: int, supercell: tuple[int, int, int] = (4, 4, 4)) -> Atoms:
    """A perfect crystal with every site's species drawn at random."""
    n_sites = len(fractional_sites(supercell))
    return crystal(np.random.default_rng(seed).integers(0, 3, n_sites), supercell)


def permuted_alloys(n):
    """Decorations of the perfect lattice, each another permutation of the sites."""
    grid = np.array(np.meshgrid(*[range(4)] * 3, indexing="ij")).reshape(3, -1).T
    sites = grid[grid.sum(1) % 2 == 0] * 1.8  # Å
    spec = alloy_spec()
    random = np.random.default_rng(0)
    return [
        Atoms(spec.symbols, positions=random.permutation(sites), cell=spec.cell, pbc=True)
        for _ in range(n)
    ]


def diamonds(n, seed=0):
    """Rattled diamond of 64 atoms, as a stand-in for amorphous silicon."""
    crystal = bulk("Si", a=5.43, cubic=True).repeat(2)
    structures = []
    for i in range(seed, seed + n):
        atoms = crystal.copy()
        atoms.rattle(0.04 + 0.02 * np.random.default_rng(i).random(), seed=i)
        structures.append(atoms)
    return structures


def rattled_cells(n, width=0.3):
    """Cubic cells of diamond, atoms displaced at random."""
    structures = []
    for seed in range(n):
        atoms = bulk("Si", a=5.43, cubic=True)
        atoms.rattle(width, seed=seed)
        structures.append(atoms)
    return structures


def slabs(n, seed=0):
    """Rattled layers of all five ions below a vacuum, 60 atoms, elements in layers."""
    cell = [6.2, 9.3, 18.0]
    grid = np.array([(i, j, k) for k in range(5) for i in range(2) for j in range(3)])
    positions = grid * [3.1, 3.1, 1.9] + [0.3, 0.3, 1.0]
    positions[:, 0] += 1.55 * (grid[:, 2] % 2)
    blocks = {"Li": 6, "O": 6, "Co": 3, "Sc": 3, "Cl": 6}
    symbols = [symbol for symbol, count in blocks.items() for _ in range(count)]
    symbols += ["Li"] * 3 + ["O"] * 3
    crystal = Atoms(symbols, positions, cell=cell, pbc=True).repeat((2, 1, 1))
    structures = []
    for i in range(seed, seed + n):
        atoms = crystal.copy()
        atoms.rattle(0.05, seed=i)
        structures.append(atoms)
    return structures


def ordered_alloys(n, seed=0):
    """Alloys of 32 atoms with layers of one element, a few atoms exchanged in each."""
    lattice = FccLattice(supercell=(2, 2, 2))
    layered = np.argsort(np.argsort(to_atoms(np.zeros(32, int), lattice).positions[:, 2]))
    species = np.repeat([0, 1, 2], [6, 20, 6])[layered]
    structures = []
    for i in range(seed, seed + n):
        rng = np.random.default_rng(i)
        own = species.copy()
        for _ in range(rng.integers(1, 4)):
            a, b = rng.choice(32, 2, replace=False)
            own[[a, b]] = own[[b, a]]
        structures.append(to_atoms(own, lattice))
    return structures


PROTOTYPES = (
    ("NaCl", "rocksalt", 5.64),
    ("MgO", "rocksalt", 4.21),
    ("CsCl", "cesiumchloride", 4.12),
    ("ZnS", "zincblende", 5.41),
    ("Si", "diamond", 5.43),
    ("Cu", "fcc", 3.61),
)


def common_crystals(n, seed=0):
    """Conventional cells of common crystals, each of another lattice constant and shear."""
    structures = []
    for i in range(seed, seed + n):
        rng = np.random.default_rng(i)
        formula, lattice, a = PROTOTYPES[rng.integers(len(PROTOTYPES))]
        atoms = bulk(formula, lattice, a=a * rng.uniform(0.95, 1.1), cubic=True)
        atoms.info["space_group"] = space_group(atoms, 0.1)
        strain = np.diag(rng.uniform(0.97, 1.03, 3))
        strain[0, 1] = rng.uniform(0, 0.05)
        atoms.set_cell(atoms.cell.array @ strain, scale_atoms=True)
        structures.append(atoms)
    return structures


MAKERS = {
    "alloy": ordered_alloys,
    "amorphous_si": diamonds,
    "interface": slabs,
    "crystals": common_crystals,
}
DATASET = {
    "alloy": "alloy_300K_wide",
    "amorphous_si": "amorphous_si",
    "interface": "interface",
    "crystals": "crystals",
}
FIXED_CELL = [kind for kind in MAKERS if kind != "crystals"]
"""Kinds whose structures have one composition and one cell."""


def card(kind):
    """The card of these sets."""
    if kind == "crystals":
        return paper_spec(kind)
    atoms = MAKERS[kind](1)[0]
    symbols = atoms.get_chemical_symbols()
    return DatasetSpec(
        name=DATASET[kind],
        kind=kind,
        composition={symbol: symbols.count(symbol) for symbol in dict.fromkeys(symbols)},
        cell_A=cell_rows(atoms.cell.array),
        fcc=FccLattice(supercell=(2, 2, 2)) if kind == "alloy" else None,
    )


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
