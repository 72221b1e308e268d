"""Sums and extremes over all pairs of structures in constant memory: square tiles, one at a time.

Every function takes vectors, one row a structure, and holds a few tiles of TILE x TILE numbers
beside them, however many structures there are; the time grows with the number of pairs, but for
those of very large sets, of which `weighted_means` takes a part.
"""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

TILE = 1024
GROUP = 8 * TILE
KEPT = 2 * TILE
"""Up to this many structures all tiles are kept, so that they are computed once."""
SORTED_AT_ONCE = 4_000_000  # distances
N_BINS = 4096

Matrix = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Vectors of two sets to a number for every pair, (n_a, n_b)."""


def tile_slices(n: int) -> Iterator[slice]:
    """Consecutive parts of at most TILE structures."""
    for first in range(0, n, TILE):
        yield slice(first, min(first + TILE, n))


class Pairs:
    """All pairs of structures of one set.

    vectors: (n, n_features).  matrix: what is computed of a pair, symmetric; the distance.
    """

    def __init__(self, vectors: np.ndarray, matrix: Matrix = cdist):
        self.vectors = np.ascontiguousarray(vectors, dtype=float)
        self.matrix = matrix
        self._kept: list | None = None

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def number(self) -> int:
        """Of pairs of different structures."""
        return len(self) * (len(self) - 1) // 2

    def tiles(self) -> Iterator[tuple[slice, slice, np.ndarray]]:
        """Rows, columns from the rows on, and the numbers of that part; do not change them."""
        if self._kept is not None:
            yield from self._kept
            return
        kept = []
        for rows in tile_slices(len(self)):
            for columns in tile_slices(len(self)):
                if columns.start < rows.start:
                    continue
                tile = rows, columns, self.matrix(self.vectors[rows], self.vectors[columns])
                if len(self) <= KEPT:
                    kept.append(tile)
                yield tile
        if len(self) <= KEPT:
            self._kept = kept

    def different(self) -> Iterator[np.ndarray]:
        """The numbers of all pairs of different structures, each once, in parts."""
        for rows, columns, tile in self.tiles():
            upper = np.triu_indices(len(tile), 1)
            yield tile[upper] if rows == columns else tile.ravel()

    def mean(self, function: Callable[[np.ndarray], np.ndarray] = lambda tile: tile) -> float:
        """Mean of a function of the numbers over all pairs of different structures."""
        return float(sum(function(part).sum() for part in self.different()) / self.number)

    def smallest(self, k: int) -> np.ndarray:
        """The k + 1 smallest numbers of every structure, itself among them, sorted, (n, k + 1)."""
        least = np.full((len(self), k + 1), np.inf)
        for rows, columns, tile in self.tiles():
            least[rows] = _smallest(least[rows], tile, k)
            if rows != columns:
                least[columns] = _smallest(least[columns], tile.T, k)
        return np.sort(least, axis=1)

    @cached_property
    def median_square(self) -> float:
        """Median of the squared numbers of all pairs of different structures, exact."""
        if self.number <= SORTED_AT_ONCE:
            return float(np.median(np.concatenate(list(self.different())) ** 2))
        low, high = 0.0, max(part.max() for part in self.different()) * (1 + 1e-12)
        middle = np.array([(self.number - 1) // 2, self.number // 2])
        below, inside = 0, self.number
        while inside > SORTED_AT_ONCE and high - low > 1e-12 * high:
            edges = np.linspace(low, high, N_BINS + 1)
            counts = sum(np.histogram(part, edges)[0] for part in self.different())
            total = below + np.concatenate([[0], np.cumsum(counts)])
            first, last = np.searchsorted(total, middle, side="right") - 1
            below, inside = int(total[first]), int(total[last + 1] - total[first])
            low, high = edges[first], edges[last + 1]
        if inside > SORTED_AT_ONCE:  # that many equal numbers
            return float(low**2)
        found = np.sort(
            np.concatenate([part[(part >= low) & (part < high)] for part in self.different()])
        )
        return float(np.mean(found[middle - below] ** 2))

    def weighted_means(
        self, counts: np.ndarray, functions: list[Callable[[np.ndarray], np.ndarray]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Means over pairs of different structures, and of those of resamples of the structures.

        counts: how often each structure is drawn, (n_resamples, n). A structure drawn twice is no
        pair. Returns the means, (n_functions,), and the resampled ones, (n_functions,
        n_resamples); a resample of a single structure gives the mean itself.

        Of more than GROUP structures only pairs within groups count, each of every m-th structure:
        the means stay unbiased, and the time grows with the number of structures (ZAREMBA 2013,
        arXiv:1307.1954).
        """
        n_groups = -(-len(self) // GROUP)
        groups = [slice(first, None, n_groups) for first in range(n_groups)]
        totals, drawn, pairs = np.zeros(len(functions)), 0.0, 0
        for group in groups:
            own = counts[:, group]
            total, resampled = Pairs(self.vectors[group], self.matrix)._sums(own, functions)
            totals, drawn = totals + total, drawn + resampled
            squares = np.array([(row.astype(np.int64) ** 2).sum() for row in own])
            pairs = pairs + own.sum(axis=1, dtype=np.int64) ** 2 - squares
        sizes = [len(self.vectors[group]) for group in groups]
        means = totals / sum(n * (n - 1) for n in sizes)
        with np.errstate(invalid="ignore", divide="ignore"):
            return means, np.where(pairs > 0, drawn / pairs, means[:, None])

    def _sums(
        self, counts: np.ndarray, functions: list[Callable[[np.ndarray], np.ndarray]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Sums of functions over ordered pairs, (n_functions,), and of those that are drawn."""
        totals = np.zeros(len(functions))
        drawn = np.zeros((len(functions), len(counts)))
        for rows, columns, tile in self.tiles():
            left, right = (counts[:, part].astype(float) for part in (rows, columns))
            twice = 1 if rows == columns else 2
            for k, function in enumerate(functions):
                values = np.array(function(tile))
                if rows == columns:
                    np.fill_diagonal(values, 0.0)
                totals[k] += twice * values.sum()
                drawn[k] += twice * np.einsum("ij,ij->i", left @ values, right)
        return totals, drawn


def _smallest(least: np.ndarray, more: np.ndarray, k: int) -> np.ndarray:
    return np.partition(np.hstack([least, more]), k, axis=1)[:, : k + 1]


class Across(NamedTuple):
    """What pairs of a structure of one set and a structure of another tell of each.

    nearest: distance of each of the first set to the nearest of the second, (n_a,).
    inside: whether each of the first is within the radius of one of the second, (n_a,).
    covered: whether one of the first is within the radius of each of the second, (n_b,).
    mean: mean of a function of the distances of each of the first, (n_a,).
    """

    nearest: np.ndarray
    inside: np.ndarray
    covered: np.ndarray
    mean: np.ndarray


def pairs_between(
    a: np.ndarray,
    b: np.ndarray,
    radius: np.ndarray | float = 0.0,
    function: Callable[[np.ndarray], np.ndarray] = lambda tile: tile,
    matrix: Matrix = cdist,
) -> Across:
    """Pairs of two sets of vectors; radius: of each structure of the second, (n_b,)."""
    a, b = (np.ascontiguousarray(vectors, dtype=float) for vectors in (a, b))
    radius = np.broadcast_to(radius, len(b))
    nearest, total = np.full(len(a), np.inf), np.zeros(len(a))
    inside, covered = np.zeros(len(a), dtype=bool), np.zeros(len(b), dtype=bool)
    for rows in tile_slices(len(a)):
        for columns in tile_slices(len(b)):
            tile = matrix(a[rows], b[columns])
            within = tile <= radius[columns]
            nearest[rows] = np.minimum(nearest[rows], tile.min(axis=1))
            inside[rows] |= within.any(axis=1)
            covered[columns] |= within.any(axis=0)
            total[rows] += function(tile).sum(axis=1)
    return Across(nearest, inside, covered, total / len(b))
