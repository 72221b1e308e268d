"""Comparisons of sets with 95 % bootstrap intervals: the values of `dismai.metrics.sets`.

Whole generated structures are resampled, the training set is held fixed; shares have Wilson's
interval. A generated structure drawn twice is no pair of structures: such pairs are left out, or
every resample would look less diverse. Pairs are gone through in tiles (`pairs`): the memory does
not grow with their number.
"""

from functools import partial

import numpy as np
from scipy.spatial.distance import cdist

from dismai.metrics.pairs import TILE, Pairs, across
from dismai.metrics.soap import soap_kernel
from dismai.metrics.statistics import (
    UNDEFINED,
    Interval,
    bootstrap_counts,
    interval_of,
    only_values,
    resampled_means,
    share_ci,
)

K_NEIGHBORS = 5
KERNEL_WIDTHS = (1.0, 4.0, 16.0, 64.0)
"""Widths of the kernel of the MMD, times the median distance of training structures."""


def compare_sets(
    generated: np.ndarray, training: np.ndarray, held_out: np.ndarray | None
) -> dict[str, Interval]:
    """MMD, fidelity, coverage, diversity and memorisation of a generated set, dimensionless.

    Undefined with fewer than 2 generated or K_NEIGHBORS + 1 different training structures.

    Args:
        generated: one vector per structure, (n_generated, n_features).
        training: the same of the training set, (n_training, n_features).
        held_out: the same of held-out structures; None: each training structure is held out of
            the others in turn.
    """
    names = ("mmd", "fidelity", "coverage", "diversity", "memorisation")
    pairs = Pairs(training)
    if len(generated) < 2 or len(training) <= K_NEIGHBORS or not pairs.median_square > 0:
        return dict.fromkeys(names, UNDEFINED)
    kernel = partial(_kernel, median=np.sqrt(pairs.median_square))
    nearest = pairs.smallest(K_NEIGHBORS)
    met = across(generated, training, nearest[:, K_NEIGHBORS], kernel)
    new = nearest[:, 1] if held_out is None else across(held_out, training).nearest
    scale = pairs.mean()
    counts = bootstrap_counts(len(generated))
    (among, spread), (among_drawn, spread_drawn) = Pairs(generated).weighted_means(
        counts, [kernel, lambda distance: distance]
    )
    diversity = interval_of(spread / scale, spread_drawn / scale, (0.0, np.inf))
    return {
        "mmd": _discrepancy(among, among_drawn, met.mean, pairs.mean(kernel)),
        "fidelity": share_ci(met.inside),
        "coverage": share_ci(met.covered),
        "diversity": diversity,
        "memorisation": share_ci(_nearer(met.nearest, new)),
    }


def expected_coverage(n_generated: int, n_training: int, k: int = K_NEIGHBORS) -> float:
    """Coverage of n_generated new structures of the training distribution (NAEEM 2020, Eq. 9)."""
    i = np.arange(k)
    return float(1 - np.prod((n_training - 1 - i) / (n_training + n_generated - 1 - i)))


def expected_mmd(training: np.ndarray, n_generated: int) -> float:
    """Root mean square of the MMD of n_generated new structures of the training distribution."""
    pairs = Pairs(_some(training))
    if not pairs.median_square > 0:
        return np.nan
    kernel = _kernel(cdist(pairs.vectors, pairs.vectors), np.sqrt(pairs.median_square))
    return _null_spread(kernel, len(training), n_generated)


def expected_soap_mmd(training: np.ndarray, n_generated: int) -> float:
    """The same of the discrepancy by the SOAP kernel."""
    some = _some(training)
    return _null_spread(soap_kernel(some, some), len(training), n_generated)


def _some(vectors: np.ndarray) -> np.ndarray:
    """At most TILE rows, evenly spread: enough for a second moment."""
    return vectors[:: -(-len(vectors) // TILE)]


def _null_spread(kernel: np.ndarray, n_training: int, n_generated: int) -> float:
    """Standard deviation of an unbiased discrepancy whose expectation is 0.

    sqrt(2 E[k'^2]) (1 / n + 1 / m), k' the kernel less its means, E over pairs of different
    structures (GRETTON 2012, Sec. 3, for the degenerate case).
    """
    n = len(kernel)
    if n < 3:
        return np.nan
    row = kernel.mean(axis=1)
    centred = kernel - row[:, None] - row[None, :] + row.mean()
    np.fill_diagonal(centred, 0.0)
    second = (centred**2).sum() / (n * (n - 1))
    return float(np.sqrt(2 * second) * (1 / n_generated + 1 / n_training))


def _kernel(distance: np.ndarray, median: float) -> np.ndarray:
    """Mean over the widths of the kernel.

    One width would stop growing for sets that are further away than it.
    """
    total = np.zeros_like(distance)
    for width in KERNEL_WIDTHS:
        total += np.exp(-0.5 * (distance / (width * median)) ** 2)
    return total / len(KERNEL_WIDTHS)


def soap_mmd_ci(generated: np.ndarray, training: np.ndarray) -> Interval:
    """`dismai.metrics.soap.soap_mmd` of two sets of SOAP vectors with its interval.

    Undefined with fewer than 2 structures in either, and of draws with replacement.
    """
    if only_values() or min(len(generated), len(training)) < 2:
        return UNDEFINED
    to_training = across(generated, training, matrix=soap_kernel).mean
    (among,), (drawn,) = Pairs(generated, soap_kernel).weighted_means(
        bootstrap_counts(len(generated)), [lambda kernel: kernel]
    )
    return _discrepancy(among, drawn, to_training, Pairs(training, soap_kernel).mean())


def _discrepancy(
    among: float, among_drawn: np.ndarray, to_training: np.ndarray, constant: float
) -> Interval:
    """Unbiased squared discrepancy with its interval, GRETTON 2012 Eq. 3.

    among, among_drawn: mean kernel of generated pairs, of the set and of resamples.
    to_training: mean kernel of each generated structure with the training set, (n,).
    constant: mean kernel of pairs of training structures.
    """
    drawn = resampled_means(to_training[:, None])[:, 0]
    value = among + constant - 2 * to_training.mean()
    return interval_of(float(value), among_drawn + constant - 2 * drawn)


def _nearer(own: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Share of the distances of new structures that exceed each own distance; ties count half."""
    ordered = np.sort(new)
    below = np.searchsorted(ordered, own, side="left")
    up_to = np.searchsorted(ordered, own, side="right")
    return 1.0 - (below + up_to) / (2.0 * len(new))
