"""Canonical Metropolis Monte Carlo of a pair cluster expansion, with exact swap energies.

Every site keeps the energy that each species would have there (its field). The energy of a swap
is then four look-ups and one pair correction, and the fields change only when a swap is accepted.
"""

from typing import Literal

import numpy as np

from dismai.base.kernels import njit
from dismai.geometry.cluster_expansion import ClusterExpansion
from dismai.geometry.fcc import neighbor_table, shell_vectors, site_coordinates, site_index

BOLTZMANN_eV_PER_K = 8.617333262e-5
NO_ENERGY_eV = 1e-12
SwapRange = Literal["any_pair", "nearest_neighbors"]


def interaction_matrices(expansion: ClusterExpansion, supercell: tuple[int, int, int]):
    """Total interaction of two sites, summed over all periodic vectors that join them.

    Returns energies, eV, (3, 3, n_sites, n_sites): `[a, b, i, j]` is the energy of species a on
    site i with species b on site j.
    """
    table, shells = neighbor_table(supercell)
    n_sites = len(table)
    pair = expansion.pair_energies  # (7, 3, 3)
    energies = np.zeros((3, 3, n_sites, n_sites))
    rows = np.arange(n_sites)
    for vector, shell in enumerate(shells):
        ends = table[:, vector]
        for a in range(3):
            for b in range(3):
                np.add.at(energies[a, b], (rows, ends), pair[shell, a, b])
                np.add.at(energies[a, b], (ends, rows), pair[shell, b, a])
    return energies


def total_energy(
    occupancy: np.ndarray, expansion: ClusterExpansion, supercell: tuple[int, int, int]
) -> float:
    """Formation energy of one decoration, eV per cell (not per atom). occupancy: (n_sites,)."""
    table, shells = neighbor_table(supercell)
    pairs = expansion.pair_energies[shells[None, :], occupancy[:, None], occupancy[table]]
    monomers = expansion.monomers[occupancy]
    return float(len(occupancy) * expansion.constant + monomers.sum() + pairs.sum())


def nearest_neighbors(supercell: tuple[int, int, int]) -> np.ndarray:
    """The twelve nearest neighbours of every site, (n_sites, 12)."""
    reached = site_coordinates(supercell)[:, None, :] + shell_vectors(1)[None]
    reached %= 2 * np.array(supercell)
    return site_index(supercell)[tuple(np.moveaxis(reached, -1, 0))]


@njit(cache=True, nogil=True)
def _metropolis(
    occupancy, changes, kinds, couplings, neighbors, beta, n_passes, interval, any_pair, rng, out
):
    """Run in place; write a snapshot to `out` every `interval` passes.

    changes: fields of all sites when site i turns from a to b > a, flattened, (3, n, 2 n).
    kinds, couplings: pair correction of swapping a on i with b on j is
        couplings[kinds[i, j], a, b], (n, n) and (n_kinds, 3, 3).
    Returns attempted and accepted swaps.
    """
    n = len(occupancy)
    # fields[2 t + c]: energy of species c + 1 at site t relative to species 0.
    fields = np.zeros(2 * n)
    for i in range(n):
        if occupancy[i] > 0:
            for t in range(2 * n):
                fields[t] += changes[occupancy[i] - 1, i, t]
    # Sites ordered by species, to draw a partner of another species without rejection.
    order = np.argsort(occupancy, kind="mergesort")
    position = np.empty(n, np.int64)
    for k in range(n):
        position[order[k]] = k
    starts = np.zeros(4, np.int64)
    for i in range(n):
        starts[occupancy[i] + 1] += 1
    for s in range(3):
        starts[s + 1] += starts[s]

    attempts = 0
    accepted = 0
    n_snapshots = 0
    for step in range(n_passes):
        for _ in range(n):
            # One double has bits enough for both sites.
            draw = rng.random() * n
            i = int(draw)
            a = occupancy[i]
            if any_pair:
                n_same = starts[a + 1] - starts[a]
                k = int((draw - i) * (n - n_same))
                if k >= starts[a]:
                    k += n_same
                j = order[k]
            else:
                j = neighbors[i, int((draw - i) * 12)]
            b = occupancy[j]
            if a == b:  # a like pair of neighbours is a null move and counts as one
                continue
            attempts += 1
            if a > b:  # a swap has no direction; with a < b one table serves
                i, j = j, i
                a, b = b, a
            energy = fields[2 * i + b - 1] - fields[2 * j + b - 1]
            if a > 0:
                energy += fields[2 * j + a - 1] - fields[2 * i + a - 1]
            energy -= couplings[kinds[i, j], a, b]
            # Rounding must not decide whether a swap of no energy draws a random number.
            if energy > NO_ENERGY_eV:
                exponent = -beta * energy
                if exponent < -40.0 or rng.random() >= np.exp(exponent):
                    continue
            accepted += 1
            occupancy[i] = b
            occupancy[j] = a
            order[position[i]], order[position[j]] = j, i
            position[i], position[j] = position[j], position[i]
            which = a + b - 1
            for t in range(2 * n):
                fields[t] += changes[which, i, t] - changes[which, j, t]
        if (step + 1) % interval == 0:
            out[n_snapshots] = occupancy
            n_snapshots += 1
    return attempts, accepted


class CanonicalSampler:
    """Metropolis sampling at fixed composition; the tables are shared by all runs of a lattice.

    Swap partners are any two unlike sites (`any_pair`; an attempt is a pair of unlike atoms) or
    nearest neighbours (a like pair counts as a null attempt). A pass is n_sites attempts.
    """

    def __init__(
        self,
        expansion: ClusterExpansion,
        supercell: tuple[int, int, int],
        swaps: SwapRange = "any_pair",
    ):
        energies = interaction_matrices(expansion, supercell)
        n_sites = energies.shape[-1]
        self.any_pair = swaps == "any_pair"
        self.neighbors = nearest_neighbors(supercell)
        # Energies of species 1 and 2 over species 0 at site t, by species on site i. Monomer
        # energies and the field of an all-0 lattice are the same at every site: no swap sees them.
        relative = (energies[1:] - energies[:1]).transpose(1, 3, 2, 0)  # (species on i, i, t, 2)
        self.changes = np.stack(
            [relative[1] - relative[0], relative[2] - relative[0], relative[2] - relative[1]]
        ).reshape(3, n_sites, 2 * n_sites)
        # The fields of both ends count the pair between them, which a swap leaves as it is.
        like = np.einsum("aaij->aij", energies)
        couplings = like[:, None] + like[None] - energies - energies.swapaxes(0, 1)
        rows = couplings.transpose(2, 3, 0, 1).reshape(n_sites**2, 9)
        kinds, inverse = np.unique(rows, axis=0, return_inverse=True)
        self.couplings = kinds.reshape(-1, 3, 3)
        self.kinds = inverse.reshape(n_sites, n_sites).astype(np.uint16)

    def run(
        self,
        occupancy: np.ndarray,
        temperature_K: float,
        n_passes: int,
        interval: int,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, int, int]:
        """Snapshots (n_passes // interval, n_sites) int8, attempted and accepted swaps.

        occupancy: species index of every site, int8, (n_sites,); changed in place.
        """
        snapshots = np.empty((n_passes // interval, len(occupancy)), np.int8)
        beta = 1.0 / (BOLTZMANN_eV_PER_K * temperature_K)
        attempts, accepted = _metropolis(
            occupancy, self.changes, self.kinds, self.couplings, self.neighbors, beta, n_passes,
            interval, self.any_pair, rng, snapshots,
        )  # fmt: skip
        return snapshots, attempts, accepted
