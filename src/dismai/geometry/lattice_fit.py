"""The fcc lattice of a crystal that is displaced, strained, shifted or turned, from all its atoms.

A crystal shows in its Fourier coefficients at the reciprocal vectors (111),

    rho(h) = 1/N sum_j exp(2 pi i h . f_j),

f the fractional positions. In a periodic box h is a triple of integers, so a crystal that fits
into its box is found exactly, however it is turned; Gaussian displacements of sigma (per
coordinate) lower |rho| to exp(-|G|^2 sigma^2 / 2), 0.66 at 0.3 Å in the alloys here. Three such
vectors that add up to a fourth are coordinates in which every site is a triple of integers.
"""

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from scipy.optimize import linear_sum_assignment

from dismai.geometry.cluster_expansion import PAIR_INDEX
from dismai.geometry.fcc import shell_vectors

LEAST_ORDER = 0.4
"""Mean |rho| from which atoms count as a crystal; of atoms at random 0.06 (256), 0.16 (32)."""
LEAST_STRENGTH = 0.2  # of one wave
LENGTH_TOLERANCE = 0.08
ANGLE_TOLERANCE = 0.1  # of a cosine
AROUND = np.array(list(product((-1, 0, 1), repeat=3)))
FAR_SQUARED = 1e6  # Å^2

TO_INTEGERS = np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]])
"""Half of this times a vector in units of a/2 gives its integer coordinates."""


@dataclass(frozen=True)
class LatticeFit:
    """Sites of a lattice in a box: f with waves @ f - shift all integers.

    waves: reciprocal vectors, (3, 3), integers.  shift: (3,).  box: edges, Å, (3,).
    """

    waves: np.ndarray
    shift: np.ndarray
    box: np.ndarray

    @property
    def n_sites(self) -> int:
        return round(abs(np.linalg.det(self.waves)))

    def positions(self, sites: np.ndarray) -> np.ndarray:
        """Places of sites given by integers, Å, not wrapped, (..., 3)."""
        return (sites + self.shift) @ np.linalg.inv(self.waves).T * self.box

    def codes(self, sites: np.ndarray) -> np.ndarray:
        """One number per site, the same for periodic images, (...,)."""
        determinant = np.linalg.det(self.waves)
        adjugate = np.rint(determinant * np.linalg.inv(self.waves)).astype(np.int64)
        n = self.n_sites
        place = (np.sign(round(determinant)) * sites @ adjugate.T) % n
        return (place[..., 0] * n + place[..., 1]) * n + place[..., 2]

    def all_sites(self) -> np.ndarray:
        """Integers of every site of the box once, (n_sites, 3)."""
        corners = np.array(list(product((0, 1), repeat=3))) @ self.waves.T - self.shift
        low, high = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0)) + 1
        ranges = (np.arange(a, b, dtype=np.int64) for a, b in zip(low, high, strict=True))
        points = np.array(list(product(*ranges)))
        _, first = np.unique(self.codes(points), return_index=True)
        return points[np.sort(first)]

    def axes(self) -> np.ndarray:
        """Cubic axes of the crystal, rows of unit length, (3, 3)."""
        vectors = TO_INTEGERS.T @ np.linalg.inv(self.waves).T * self.box
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def assign(self, positions: np.ndarray) -> np.ndarray | None:
        """A site of its own for every atom, integers, (n, 3), the nearest where possible.

        positions: Å, (n, 3). Where atoms share their nearest site the sum of the squared
        distances is least; None where there are not enough sites nearby.
        """
        nearest = np.rint(positions / self.box @ self.waves.T - self.shift).astype(np.int64)
        near = nearest[:, None, :] + AROUND  # (n, 27, 3)
        squared = ((self.positions(near) - positions[:, None, :]) ** 2).sum(axis=-1)
        chosen = near[np.arange(len(near)), squared.argmin(axis=1)]
        if len(np.unique(self.codes(chosen))) == len(chosen):
            return chosen
        codes, column = np.unique(self.codes(near), return_inverse=True)
        column = column.reshape(squared.shape)
        cost = np.full((len(near), len(codes)), FAR_SQUARED)
        row = np.repeat(np.arange(len(near)), len(AROUND))
        np.minimum.at(cost, (row, column.ravel()), squared.ravel())
        if len(codes) < len(near):
            return None
        atoms, taken = linear_sum_assignment(cost)
        if cost[atoms, taken].max() >= FAR_SQUARED:
            return None
        images = np.where(column == taken[:, None], squared, np.inf).argmin(axis=1)
        return near[np.arange(len(near)), images]


def fit_lattice(
    positions: np.ndarray, box: np.ndarray, a_A: float, turned: bool = True
) -> LatticeFit | None:
    """The fcc lattice of atoms in a periodic box, or None where they form none that fits the box.

    Args:
        positions: Å, (n, 3).
        box: edges of the box, whole numbers of conventional cells, Å, (3,).
        a_A: edge of a conventional cell, Å.
        turned: look for every orientation, not only for axes along the box.
    """
    fractional = positions / box
    n_sites = round(4 * float(np.prod(box / a_A)))
    straight = TO_INTEGERS * np.rint(box / a_A).astype(np.int64)
    fit = _strongest([straight], fractional, box, n_sites)
    if fit is None and turned:
        fit = _strongest(_turned(fractional, box, a_A), fractional, box, n_sites)
    return fit


def _strongest(
    candidates: list[np.ndarray], fractional: np.ndarray, box: np.ndarray, n_sites: int
) -> LatticeFit | None:
    best, most = None, LEAST_ORDER
    for waves in candidates:
        rho = _rho(fractional, np.vstack([waves, waves.sum(axis=0)]))
        complete = round(abs(np.linalg.det(waves))) == n_sites
        if complete and np.abs(rho).mean() >= most:
            most = np.abs(rho).mean()
            best = LatticeFit(waves, np.angle(rho[:3]) / (2 * np.pi), box)
    return best


def _turned(fractional: np.ndarray, box: np.ndarray, a_A: float) -> list[np.ndarray]:
    """Triples of strong waves of about the length and the angles of (111), (n, 3, 3)."""
    length = np.sqrt(3.0) / a_A
    reach = np.floor(box * length * (1 + LENGTH_TOLERANCE)).astype(int)
    waves = np.array(list(product(*(range(-n, n + 1) for n in reach))))
    waves = waves[len(waves) // 2 + 1 :]  # one of every h and -h
    lengths = np.linalg.norm(waves / box, axis=1)
    waves = waves[np.abs(lengths / length - 1) <= LENGTH_TOLERANCE]
    strength = np.abs(_rho(fractional, waves))
    order = np.argsort(-strength, kind="stable")[:8]
    waves = waves[order[strength[order] >= LEAST_STRENGTH]]
    found = []
    for triple in combinations(waves, 3):
        first, *others = triple
        signed = [first, *(-h if first / box @ (h / box) > 0 else h for h in others)]
        units = np.array(signed) / box
        units /= np.linalg.norm(units, axis=1, keepdims=True)
        cosines = (units @ units.T)[np.triu_indices(3, 1)]
        if np.abs(cosines + 1 / 3).max() <= ANGLE_TOLERANCE:
            found.append(np.array(signed))
    return found


def _rho(fractional: np.ndarray, waves: np.ndarray) -> np.ndarray:
    """Fourier coefficients of the atoms at some waves, (n_waves,)."""
    return np.exp(2j * np.pi * (waves @ fractional.T)).mean(axis=1)


def count_pairs_on_sites(fit: LatticeFit, sites: np.ndarray, species: np.ndarray) -> np.ndarray:
    """Unordered pairs of shells 1 to 7 by species pair, (7, 6), exact.

    sites: a site of its own for every atom, integers, (n, 3).  species: index of each, (n,).
    """
    codes = fit.codes(sites)
    order = np.argsort(codes)
    dimers = np.zeros((7, 6))
    for shell in range(7):
        steps = shell_vectors(shell + 1) @ TO_INTEGERS.T // 2
        reached = fit.codes(sites[:, None, :] + steps)  # (n, n_vectors)
        place = np.searchsorted(codes, reached, sorter=order)
        other = order[np.minimum(place, len(order) - 1)]
        met = codes[other] == reached
        pairs = PAIR_INDEX[np.broadcast_to(species[:, None], other.shape)[met], species[other[met]]]
        dimers[shell] = np.bincount(pairs, minlength=6)
    return dimers / 2
