"""Distances between mean vectors and their bootstrap intervals."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from dismai.errors import InputError

N_RESAMPLES = 1000
BOOTSTRAP_SEED = 7
NORMAL_QUANTILE = 1.959963984540054  # of 97.5 %


class Interval(NamedTuple):
    """A value with the limits of its 95 % interval, in the unit of the value."""

    value: float
    low: float
    high: float


UNDEFINED = Interval(np.nan, np.nan, np.nan)


def euclidean(a: np.ndarray, b: np.ndarray) -> float:
    """Unnormalised Euclidean distance of two vectors."""
    return float(np.linalg.norm(np.asarray(a) - np.asarray(b)))


def cosine_distance(a: np.ndarray, b: np.ndarray) -> float:
    """One minus the cosine similarity of two vectors."""
    return float(1 - np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b)))


@lru_cache(maxsize=4)
def bootstrap_weights(n: int, n_resamples: int, seed: int) -> np.ndarray:
    """Share of each of n structures in every resample, (n_resamples, n).

    The indices are successive draws of NumPy's default generator, as in the published code, so
    that two quantities of one set are resampled alike. The array is shared: do not change it.
    """
    rng = np.random.default_rng(seed)
    weights = np.empty((n_resamples, n))
    for row in weights:
        row[:] = np.bincount(rng.choice(n, size=n), minlength=n)
    weights /= n
    weights.flags.writeable = False
    return weights


def bootstrap_ci(
    per_structure: np.ndarray,
    statistic: Callable[[np.ndarray], float],
    n_resamples: int = N_RESAMPLES,
    seed: int = BOOTSTRAP_SEED,
) -> Interval:
    """Pivotal 95 % bootstrap interval of a statistic of the mean vector.

    T = statistic(mean), q = 2.5 and 97.5 percentiles of the resampled T; the interval is
    [2 T - q_high, 2 T - q_low]. Whole structures are resampled. Near a noise floor the resampled
    distances are biased upwards and the interval can lie below T, even below zero: this is a
    property of the published recipe.

    Args:
        per_structure: one vector per structure, (n_structures, n_features).
        statistic: a number of a mean vector, (n_features,).
        n_resamples: number of resamples.
        seed: seed of the resampling.

    Raises:
        InputError: no structure, or a value that is not finite.
    """
    values = np.asarray(per_structure, dtype=float)
    if values.ndim == 1:
        values = values[:, None]
    if len(values) == 0:
        raise InputError("bootstrap: expected at least one structure, found none")
    if not np.isfinite(values).all():
        raise InputError("bootstrap: expected finite values, found NaN or infinity")
    value = statistic(values.mean(axis=0))
    means = bootstrap_weights(len(values), n_resamples, seed) @ values
    resampled = np.array([statistic(mean) for mean in means])
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Interval(float(value), float(2 * value - high), float(2 * value - low))


def distance_ci(per_structure: np.ndarray, reference_mean: np.ndarray) -> Interval:
    """Euclidean distance of the mean vector from a fixed reference mean, with its interval."""
    return bootstrap_ci(per_structure, lambda mean: euclidean(mean, reference_mean))


def mean_ci(values: np.ndarray) -> Interval:
    """Mean of one number per structure, with its interval."""
    return bootstrap_ci(values, lambda mean: float(mean[0]))


def percentage(n_hits: int, n_total: int) -> Interval:
    """100 n_hits / n_total with Wilson's 95 % interval."""
    if not 0 <= n_hits <= n_total:
        raise InputError(f"percentage: expected 0 to {n_total}, found {n_hits}")
    share = n_hits / n_total
    z2 = NORMAL_QUANTILE**2 / n_total
    centre = (share + z2 / 2) / (1 + z2)
    half = np.sqrt(z2 * share * (1 - share) + z2**2 / 4) / (1 + z2)
    return Interval(100 * share, float(100 * (centre - half)), float(100 * (centre + half)))
