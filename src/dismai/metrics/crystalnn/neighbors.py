"""Neighbours by CrystalNN, for any elements: the fast counterpart of pymatgen's class."""

import numpy as np
from ase import Atoms

from dismai.base.errors import InputError
from dismai.geometry.voronoi import Tessellation, tessellate
from dismai.metrics.crystalnn.elements import States, site_table
from dismai.metrics.crystalnn.weights import DEFAULT, Settings, bonds, likelihoods, likely_numbers


def neighbors(
    atoms: Atoms,
    site: int,
    settings: Settings = DEFAULT,
    oxidation_states: States | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Neighbours of one atom for its most likely coordination number, by decreasing weight.

    Returns their indices, (n,), lattice translations relative to the input positions, (n, 3), and
    weights in (0, 1], (n,): neighbour b is at positions[index[b]] + shift[b] @ cell.
    """
    if not 0 <= site < len(atoms):
        raise InputError(f"site: expected 0 to {len(atoms) - 1}, found {site}")
    cells = tessellate(atoms, np.array([site]), settings.search_radius)
    _, index, shift, weight = _likely_bonds(atoms, cells, settings, oxidation_states)
    return index, shift, weight


def neighbor_list(
    atoms: Atoms,
    settings: Settings = DEFAULT,
    oxidation_states: States | None = None,
    cells: Tessellation | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The same for all atoms: first and second atom of each bond, translation, weight.

    A bond i-j is listed from i if j is a neighbour of i; the reverse need not hold.
    """
    if cells is None:
        cells = tessellate(atoms, None, settings.search_radius)
    return _likely_bonds(atoms, cells, settings, oxidation_states)


def coordination_likelihoods(
    atoms: Atoms,
    settings: Settings = DEFAULT,
    oxidation_states: States | None = None,
    cells: Tessellation | None = None,
) -> np.ndarray:
    """Likelihood of each coordination number for all atoms, (n_atoms, largest + 1), from 0 on."""
    if cells is None:
        cells = tessellate(atoms, None, settings.search_radius)
    ranked = bonds(cells, site_table(atoms, oxidation_states), settings)
    most = int(np.diff(ranked.start).max(initial=0))
    out = np.zeros((len(cells.sites), most + 1))
    number, chance = np.empty(most + 1, np.int64), np.empty(most + 1)
    for s in range(len(out)):
        first, last = ranked.start[s], ranked.start[s + 1]
        n, out[s, 0] = likelihoods(ranked.weight, first, last, number, chance)
        out[s, number[:n]] = chance[:n]
    return out


def _likely_bonds(atoms, cells, settings, oxidation_states):
    """First atom, second atom, translation, weight of the bonds of the likely numbers."""
    ranked = bonds(cells, site_table(atoms, oxidation_states), settings)
    numbers = likely_numbers(ranked.start, ranked.weight)
    rank = np.arange(len(ranked.face)) - np.repeat(ranked.start[:-1], np.diff(ranked.start))
    kept = rank < np.repeat(numbers, np.diff(ranked.start))
    face = ranked.face[kept]
    first = np.repeat(cells.sites, numbers)
    return first, cells.neighbor[face], cells.shift[face], ranked.weight[kept]
