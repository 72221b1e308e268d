"""Geometry of the face-centred cubic lattice: sites, neighbour shells, neighbour tables.

Lengths are integers in units of half the conventional lattice parameter (a/2), so that a site is
a triple of integers with an even sum and every neighbour relation is exact.
"""

from functools import lru_cache
from itertools import permutations, product

import numpy as np

SHELLS = ((1, 1, 0), (2, 0, 0), (2, 1, 1), (2, 2, 0), (3, 1, 0), (2, 2, 2), (3, 2, 1))
"""One vector of each of the first seven neighbour shells, in units of a/2."""

MULTIPLICITY = np.array([6, 3, 12, 6, 12, 4, 24])
"""Unordered pairs per site in shells 1 to 7."""

BASIS = ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0))


@lru_cache(maxsize=8)
def shell_vectors(shell: int) -> np.ndarray:
    """All symmetry-equivalent vectors of a shell (1 to 7), in units of a/2, (n_vectors, 3).

    The second half holds the negatives of the first half, so that the first half meets every
    unordered pair of sites once.
    """
    distinct = {
        tuple(sign * component for sign, component in zip(signs, permutation, strict=True))
        for permutation in permutations(SHELLS[shell - 1])
        for signs in product((1, -1), repeat=3)
    }
    half = sorted(vector for vector in distinct if vector > (0, 0, 0))
    vectors = np.array(half + [tuple(-component for component in vector) for vector in half])
    vectors.setflags(write=False)
    return vectors


def site_coordinates(supercell: tuple[int, int, int]) -> np.ndarray:
    """Sites in units of a/2, (n_sites, 3): cells with the third axis fastest, then the basis."""
    cells = np.array(list(product(*(range(n) for n in supercell))))
    return (2 * cells[:, None, :] + np.array(BASIS)[None]).reshape(-1, 3)


def fractional_sites(supercell: tuple[int, int, int]) -> np.ndarray:
    """Fractional coordinates of the sites, (n_sites, 3)."""
    return site_coordinates(supercell) / (2.0 * np.array(supercell))


@lru_cache(maxsize=8)
def site_index(supercell: tuple[int, int, int]) -> np.ndarray:
    """Index of the site at integer coordinates (a/2), (2 n_1, 2 n_2, 2 n_3); -1 between sites."""
    index = np.full(tuple(2 * n for n in supercell), -1, dtype=np.int32)
    sites = site_coordinates(supercell)
    index[tuple(sites.T)] = np.arange(len(sites))
    index.setflags(write=False)
    return index


@lru_cache(maxsize=8)
def neighbor_table(supercell: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours of every site along the 67 vectors that meet each pair of shells 1 to 7 once.

    Returns:
        table: site reached from each site along each vector, periodic, (n_sites, 67).
        shells: shell (0 to 6) of each vector, (67,).

    In a small cell several vectors of one shell can reach the same site; each counts.
    """
    halves = [shell_vectors(shell)[: MULTIPLICITY[shell - 1]] for shell in range(1, 8)]
    shells = np.repeat(np.arange(7), MULTIPLICITY).astype(np.int8)
    reached = site_coordinates(supercell)[:, None, :] + np.concatenate(halves)[None]
    reached %= 2 * np.array(supercell)
    table = site_index(supercell)[tuple(np.moveaxis(reached, -1, 0))]
    for array in (table, shells):
        array.setflags(write=False)
    return table, shells
