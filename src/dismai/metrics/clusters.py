"""Alloy metrics: cluster probabilities, formation energy, Warren-Cowley short-range order.

On the lattice the published counting has a closed form: with N occupied sites, the count of a
species is N_s / N and that of a pair is (occupied pairs of that shell and species) / N, so that
vacancies lower the pair counts. Off the lattice (displaced atoms, turned crystals)
`geometry.count_pairs` first finds the lattice.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
from ase import Atoms

from dismai.base.errors import StructureError
from dismai.base.kernels import njit
from dismai.base.resources import resource
from dismai.geometry.axes import count_pairs, upright
from dismai.geometry.cluster_expansion import (
    CLUSTER_MULTIPLICITY,
    N_SHELLS,
    PAIR_INDEX,
    PAIRS,
    SPECIES,
    ClusterExpansion,
    read_cluster_expansion,
)
from dismai.geometry.fcc import neighbor_table, site_index

SRO_PAIRS = ("Fe-Ni", "Cr-Fe", "Cr-Ni", "Fe-Fe", "Cr-Cr", "Ni-Ni")
"""Order of the Warren-Cowley parameters of one shell."""

SRO_SHELLS = 2
EMPTY = -1
ON_LATTICE_TOLERANCE = 0.02
"""Largest distance from a site, in units of a/2, of an atom that counts as exactly on it."""


def sro_names() -> list[str]:
    """Names of the twelve Warren-Cowley parameters: shell 1, then shell 2."""
    return [f"{shell}NN_{pair}" for shell in range(1, SRO_SHELLS + 1) for pair in SRO_PAIRS]


@njit(cache=True, nogil=True)
def _count(occupancy, table, shells, pair_index, monomers, dimers):
    for s in range(len(occupancy)):
        for i in range(occupancy.shape[1]):
            a = occupancy[s, i]
            if a < 0:
                continue
            monomers[s, a] += 1
            for k in range(table.shape[1]):
                b = occupancy[s, table[i, k]]
                if b >= 0:
                    dimers[s, shells[k], pair_index[a, b]] += 1


def count_clusters(occupancy: np.ndarray, supercell: tuple[int, int, int]) -> np.ndarray:
    """Clusters per atom of decorations of an ideal lattice.

    occupancy: species index, -1 for an empty site, (n_structures, n_sites).
    Returns counts per atom present, (n_structures, 45), in the order of `cluster_names`.
    """
    table, shells = neighbor_table(supercell)
    occupancy = np.ascontiguousarray(occupancy, dtype=np.int8)
    n_structures = len(occupancy)
    monomers = np.zeros((n_structures, len(SPECIES)), np.int64)
    dimers = np.zeros((n_structures, N_SHELLS, len(PAIRS)), np.int64)
    _count(occupancy, table, shells, PAIR_INDEX, monomers, dimers)
    n_atoms = monomers.sum(axis=1, keepdims=True)
    if not n_atoms.all():
        raise StructureError("expected atoms on the lattice, found none")
    return np.hstack([monomers, dimers.reshape(n_structures, -1)]) / n_atoms


def probabilities_of_counts(counts: np.ndarray) -> np.ndarray:
    """Probability of each cluster, count / multiplicity, (..., 45)."""
    return counts / CLUSTER_MULTIPLICITY


def warren_cowley_of_counts(counts: np.ndarray) -> np.ndarray:
    """Warren-Cowley parameters of shells 1 and 2, (..., 2, 6), columns in the order of SRO_PAIRS.

    alpha_AA = 1 - (2 n_AA / Z_A) / c_A and, symmetrised,
    alpha_AB = 1 - [(n_AB / Z_A) / c_B + (n_AB / Z_B) / c_A] / 2,
    with Z_A all neighbours of A in the shell. An absent species gives NaN.
    """
    fractions = counts[..., : len(SPECIES)]
    dimers = counts[..., len(SPECIES) :].reshape(*counts.shape[:-1], N_SHELLS, len(PAIRS))
    directed = dimers[..., :SRO_SHELLS, PAIR_INDEX] * (1 + np.eye(len(SPECIES)))
    neighbors = directed.sum(axis=-1)  # Z, (..., 2, 3)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = directed / neighbors[..., None] / fractions[..., None, None, :]
    alpha = 1 - (ratio + np.swapaxes(ratio, -1, -2)) / 2
    alpha[~np.isfinite(alpha)] = np.nan
    pairs = [tuple(SPECIES.index(name) for name in pair.split("-")) for pair in SRO_PAIRS]
    return np.stack([alpha[..., a, b] for a, b in pairs], axis=-1)


def lattice_occupancy(atoms: Atoms, a_A: float) -> tuple[np.ndarray, tuple[int, int, int]] | None:
    """Decoration of an unrotated fcc lattice, or None where an atom is off its site.

    The lattice may be shifted as a whole; the cell is divided into conventional cells of an
    edge near a_A (Å), so that a slightly larger or smaller cell is rescaled.
    Returns the occupancy, (n_sites,), and the number of conventional cells per axis.
    """
    lengths = atoms.cell.lengths()
    cells = tuple(max(1, round(length / a_A)) for length in lengths)
    if np.abs(atoms.cell.angles() - 90).max() > 5:
        return None
    doubled = 2 * np.array(cells)
    relative = atoms.get_scaled_positions(wrap=False) * doubled
    relative -= relative[0]
    nearest = np.rint(relative)
    if np.abs(relative - nearest).max() > ON_LATTICE_TOLERANCE or np.any(nearest.sum(axis=1) % 2):
        return None
    index = site_index(cells)[tuple(np.moveaxis(nearest.astype(int) % doubled, -1, 0))]
    occupancy = np.full(4 * int(np.prod(cells)), EMPTY, np.int8)
    if len(np.unique(index)) != len(index):
        return None
    occupancy[index] = species_indices(atoms)
    return occupancy, cells


def species_indices(atoms: Atoms) -> np.ndarray:
    """Index of every atom's species in SPECIES; StructureError for another element."""
    symbols = atoms.get_chemical_symbols()
    unknown = sorted(set(symbols) - set(SPECIES))
    if unknown:
        raise StructureError(f"expected only {', '.join(SPECIES)}, found {', '.join(unknown)}")
    return np.array([SPECIES.index(symbol) for symbol in symbols], dtype=np.int8)


def counts(atoms: Atoms, a_A: float = 3.6) -> np.ndarray:
    """Clusters per atom of one structure, (45,), exact and unrounded.

    Atoms exactly on an fcc lattice parallel to the cell are counted in closed form, all others
    by `geometry.count_pairs`. StructureError if no fcc axes can be found.
    """
    if len(atoms) == 0:
        raise StructureError("expected atoms, found an empty structure")
    atoms = upright(atoms)
    on_lattice = lattice_occupancy(atoms, a_A)
    if on_lattice is not None:
        occupancy, cells = on_lattice
        return count_clusters(occupancy[None], cells)[0]
    species = species_indices(atoms)
    dimers = count_pairs(atoms, species, a_A)
    monomers = np.bincount(species, minlength=len(SPECIES))
    return np.concatenate([monomers, dimers.ravel()]) / len(atoms)


def probabilities(atoms: Atoms, a_A: float = 3.6) -> np.ndarray:
    """Cluster probabilities, (45,): monomers, then pairs of shells 1 to 7; exact, unrounded."""
    return probabilities_of_counts(counts(atoms, a_A))


@lru_cache(maxsize=1)
def published_expansion() -> ClusterExpansion:
    """The cluster expansion shipped with the package."""
    return read_cluster_expansion(Path(resource("eci.yaml")))


def formation_energy(
    atoms: Atoms, round_counts: bool = True, expansion: ClusterExpansion | None = None
) -> float:
    """Formation energy, eV/atom, of the shipped cluster expansion (or another one).

    round_counts: round the counts to 5 decimals first, as the published evaluation does.
    """
    expansion = expansion or published_expansion()
    values = counts(atoms, expansion.a_A)
    return float(expansion.energy(np.round(values, 5) if round_counts else values))


def warren_cowley(atoms: Atoms, round_counts: bool = True, a_A: float = 3.6) -> np.ndarray:
    """Warren-Cowley parameters, (2, 6): shells 1 and 2 by SRO_PAIRS; NaN for absent species.

    round_counts: round the counts to 5 decimals first, as the published evaluation does.
    """
    values = counts(atoms, a_A)
    return warren_cowley_of_counts(np.round(values, 5) if round_counts else values)
