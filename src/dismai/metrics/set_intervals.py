"""Comparisons of sets with 95 % bootstrap intervals: the values of `dismai.metrics.sets`.

Whole generated structures are resampled, the training set is held fixed; for the coverage, a share
of training structures, it is the other way round. A generated structure drawn twice
is no pair of structures: such pairs are left out, or every resample would look less diverse.
"""

from collections.abc import Callable

import numpy as np
from scipy.spatial.distance import cdist, pdist, squareform

from dismai.metrics.sets import inside_manifold
from dismai.metrics.soap import soap_kernel
from dismai.metrics.statistics import (
    BOOTSTRAP_SEED,
    N_RESAMPLES,
    UNDEFINED,
    Interval,
    bootstrap_weights,
    mean_ci,
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
    within = squareform(pdist(training))
    if len(generated) < 2 or len(training) <= K_NEIGHBORS or not np.median(within) > 0:
        return dict.fromkeys(names, UNDEFINED)
    across = cdist(generated, training)
    own = squareform(pdist(generated))
    inside = inside_manifold(across, within, K_NEIGHBORS)
    if held_out is None:
        new = np.where(np.eye(len(within), dtype=bool), np.inf, within).min(axis=1)
    else:
        new = cdist(held_out, training).min(axis=1)
    return {
        "mmd": _mmd(own, across, within),
        "fidelity": mean_ci(inside.any(axis=1).astype(float)),
        "coverage": mean_ci(inside.any(axis=0).astype(float)),
        "diversity": _diversity(own, within),
        "memorisation": mean_ci(_nearer(across.min(axis=1), new)),
    }


def expected_coverage(n_generated: int, n_training: int, k: int = K_NEIGHBORS) -> float:
    """Coverage of n_generated new structures of the training distribution (NAEEM 2020, Eq. 9)."""
    i = np.arange(k)
    return float(1 - np.prod((n_training - 1 - i) / (n_training + n_generated - 1 - i)))


def _mmd(own: np.ndarray, across: np.ndarray, within: np.ndarray) -> Interval:
    """Unbiased squared discrepancy, mean over the widths of the kernel.

    One width would stop growing for sets that are further away than it.
    """
    pairs = within[np.triu_indices(len(within), 1)]
    median = np.sqrt(np.median(pairs**2))

    def kernel(distance):
        widths = median * np.array(KERNEL_WIDTHS)
        return np.mean([np.exp(-0.5 * (distance / width) ** 2) for width in widths], axis=0)

    return _discrepancy(kernel(own), kernel(across).mean(axis=1), kernel(pairs).mean())


def soap_mmd_ci(generated: np.ndarray, training: np.ndarray) -> Interval:
    """`dismai.metrics.soap.soap_mmd` of two sets of SOAP vectors with its interval.

    Undefined with fewer than 2 structures in either.
    """
    if min(len(generated), len(training)) < 2:
        return UNDEFINED
    within = soap_kernel(training, training)
    constant = within[np.triu_indices(len(within), 1)].mean()
    to_training = soap_kernel(generated, training).mean(axis=1)
    return _discrepancy(soap_kernel(generated, generated), to_training, constant)


def _discrepancy(among: np.ndarray, to_training: np.ndarray, constant: float) -> Interval:
    """Squared discrepancy with its interval, GRETTON 2012 Eq. 3.

    among: kernel of generated pairs, (n, n).  to_training: its mean over the training set for each
    generated structure, (n,).  constant: its mean over pairs of training structures.
    """
    return _interval(len(among), lambda w: _pair_mean(among, w) + constant - 2 * w @ to_training)


def _diversity(own: np.ndarray, within: np.ndarray) -> Interval:
    scale = within[np.triu_indices(len(within), 1)].mean()
    return _interval(len(own), lambda w: _pair_mean(own, w) / scale)


def _pair_mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted mean over pairs of different structures, (n_resamples,)."""
    total = ((weights @ values) * weights).sum(axis=1) - weights**2 @ np.diag(values)
    share = 1.0 - (weights**2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):  # one structure drawn n times
        return np.where(share > 1e-12, total / share, values.mean())


def _interval(n: int, statistic: Callable[[np.ndarray], np.ndarray]) -> Interval:
    """Pivotal interval of a statistic of the shares of the structures, (n_resamples, n)."""
    value = float(statistic(np.full((1, n), 1.0 / n))[0])
    resampled = statistic(bootstrap_weights(n, N_RESAMPLES, BOOTSTRAP_SEED))
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Interval(value, float(2 * value - high), float(2 * value - low))


def _nearer(own: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Share of the distances of new structures that exceed each own distance; ties count half."""
    ordered = np.sort(new)
    below = np.searchsorted(ordered, own, side="left")
    up_to = np.searchsorted(ordered, own, side="right")
    return 1.0 - (below + up_to) / (2.0 * len(new))
