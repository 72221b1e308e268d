"""Distances between mean vectors and their bootstrap intervals."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from dismai.base.errors import InputError

N_RESAMPLES = 1000
BOOTSTRAP_SEED = 7
PART = 1024
"""Structures that are resampled at once: it bounds the memory."""
UNBOUNDED = (-np.inf, np.inf)
DISTANCES = (0.0, np.inf)
NORMAL_QUANTILE = 1.959963984540054  # of 97.5 %


class Interval(NamedTuple):
    """A value with the limits of its 95 % interval, in the unit of the value."""

    value: float
    low: float
    high: float


UNDEFINED = Interval(np.nan, np.nan, np.nan)


class Resampled(NamedTuple):
    """A value, and that of every resample of the structures, (n_resamples,)."""

    value: float
    resamples: np.ndarray


NO_RESAMPLES = Resampled(np.nan, np.array([np.nan]))
"""Where there is nothing to resample."""


_values_only: ContextVar[bool] = ContextVar("values_only", default=False)


@contextmanager
def values_only() -> Iterator[None]:
    """Compute values without intervals: all limits are the value.

    For draws with replacement, whose values alone are of interest: what compares pairs of
    structures is undefined there, since a structure drawn twice is no pair.
    """
    token = _values_only.set(True)
    try:
        yield
    finally:
        _values_only.reset(token)


def only_values() -> bool:
    """Whether the work goes on within `values_only`."""
    return _values_only.get()


def euclidean(a: np.ndarray, b: np.ndarray) -> float:
    """Unnormalised Euclidean distance of two vectors."""
    return float(np.linalg.norm(np.asarray(a) - np.asarray(b)))


def cosine_distance(a: np.ndarray, b: np.ndarray) -> float:
    """One minus the cosine similarity of two vectors."""
    return float(1 - np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b)))


@lru_cache(maxsize=2)
def bootstrap_counts(n: int, n_resamples: int = N_RESAMPLES, seed: int = BOOTSTRAP_SEED):
    """How often each of n structures is drawn in every resample, (n_resamples, n), small integers.

    The indices are successive draws of NumPy's default generator, as in the published code, so
    that two quantities of one set are resampled alike. The array is shared: do not change it.
    """
    rng = np.random.default_rng(seed)
    counts = np.empty((n_resamples, n), np.uint8)
    for row in counts:
        drawn = np.bincount(rng.choice(n, size=n), minlength=n)
        if drawn.max() > 255:  # one structure 256 times: once in 10^500 resamples
            raise OverflowError("bootstrap: more draws of one structure than a byte holds")
        row[:] = drawn
    counts.flags.writeable = False
    return counts


def bootstrap_weights(n: int, n_resamples: int, seed: int) -> np.ndarray:
    """Share of each of n structures in every resample, (n_resamples, n)."""
    return bootstrap_counts(n, n_resamples, seed) / n


def resampled_means(values: np.ndarray) -> np.ndarray:
    """Means of resamples of rows, (n_resamples, n_features), in parts of the structures.

    values: one row per structure, (n_structures, n_features).
    """
    n = len(values)
    counts = bootstrap_counts(n)
    total = np.zeros((len(counts), values.shape[1]))
    for first in range(0, n, PART):
        part = slice(first, first + PART)
        total += counts[:, part].astype(float) @ values[part]
    return total / n


def interval_of(
    value: float, resampled: np.ndarray, bounds: tuple[float, float] = UNBOUNDED
) -> Interval:
    """The interval that people are shown: how a value scatters with other structures.

    The 2.5 and 97.5 percentiles of the resampled values, moved together so that their median is
    the value, and cut at the bounds. Resampled distances are biased upwards near their noise
    floor; the plain percentiles would lie above the value there, the pivotal limits
    (`published_ci`) below it.
    """
    low, middle, high = np.percentile(resampled, [2.5, 50.0, 97.5])
    return clipped_to(Interval(value, value - (middle - low), value + (high - middle)), bounds)


def clipped_to(interval: Interval, bounds: tuple[float, float]) -> Interval:
    """An interval cut at bounds; it keeps its value, also an estimate that noise puts outside."""
    value, low, high = (float(number) for number in interval)
    if not np.isfinite(value):
        return UNDEFINED
    return Interval(
        value,
        min(value, max(low, bounds[0])),
        max(value, min(high, bounds[1])),
    )


def bootstrap_ci(
    per_structure: np.ndarray,
    statistic: Callable[[np.ndarray], float],
    bounds: tuple[float, float] = UNBOUNDED,
) -> Interval:
    """A statistic of the mean vector with its 95 % interval (`interval_of`).

    Args:
        per_structure: one vector per structure, (n_structures, n_features).
        statistic: a number of a mean vector, (n_features,).
        bounds: least and greatest possible value.

    Raises:
        InputError: no structure, or a value that is not finite.
    """
    return interval_of(*resampled_statistic(per_structure, statistic), bounds)


def published_ci(per_structure: np.ndarray, statistic: Callable[[np.ndarray], float]) -> Interval:
    """The pivotal 95 % interval of the articles: [2 T - q_high, 2 T - q_low].

    T = statistic(mean), q = 2.5 and 97.5 percentiles of the resampled T. Near a noise floor it can
    lie below T, even below zero: no table shows it; it is here to compare with published limits.
    """
    value, resampled = resampled_statistic(per_structure, statistic)
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Interval(value, float(2 * value - high), float(2 * value - low))


def resampled_statistic(
    per_structure: np.ndarray, statistic: Callable[[np.ndarray], float]
) -> Resampled:
    """The statistic of the mean, and of the means of resamples of whole structures.

    Arguments and errors are those of `bootstrap_ci`.
    """
    values = np.asarray(per_structure, dtype=float)
    if values.ndim == 1:
        values = values[:, None]
    if len(values) == 0:
        raise InputError("bootstrap: expected at least one structure, found none")
    if not np.isfinite(values).all():
        raise InputError("bootstrap: expected finite values, found NaN or infinity")
    value = float(statistic(values.mean(axis=0)))
    if _values_only.get():
        return Resampled(value, np.array([value]))
    return Resampled(value, np.array([statistic(mean) for mean in resampled_means(values)]))


def distance_ci(per_structure: np.ndarray, reference_mean: np.ndarray) -> Interval:
    """Euclidean distance of the mean vector from a fixed reference mean, with its interval."""
    return interval_of(*resampled_distance(per_structure, reference_mean), DISTANCES)


def resampled_distance(per_structure: np.ndarray, reference_mean: np.ndarray) -> Resampled:
    """The same distance, and that of every resample of the structures."""
    return resampled_statistic(per_structure, lambda mean: euclidean(mean, reference_mean))


def mean_ci(values: np.ndarray) -> Interval:
    """Mean of one number per structure, with its interval."""
    return bootstrap_ci(values, lambda mean: float(mean[0]))


def count_ci(values: np.ndarray) -> Interval:
    """Mean number of rare things per structure; where none was seen, up to Poisson's limit."""
    found = clipped_to(mean_ci(values), (0.0, np.inf))
    if found.value > 0:
        return found
    return Interval(0.0, 0.0, float(-np.log(0.025) / len(values)))


def share_ci(values: np.ndarray) -> Interval:
    """Mean of shares, one of each structure, with Wilson's interval: 0 of 30 is not [0, 0].

    values: 0 to 1.  The interval is that of yes or no; of shares in between it is too wide rather
    than too narrow.
    """
    values = np.asarray(values, dtype=float)
    if len(values) == 0:
        raise InputError("shares: expected at least one structure, found none")
    value = float(values.mean())
    low, high = _wilson(value, len(values))
    return clipped_to(Interval(value, low, high), (0.0, 1.0))


def percentage(n_hits: int, n_total: int) -> Interval:
    """100 n_hits / n_total with Wilson's 95 % interval."""
    if not 0 <= n_hits <= n_total:
        raise InputError(f"percentage: expected 0 to {n_total}, found {n_hits}")
    share = n_hits / n_total
    low, high = _wilson(share, n_total)
    return clipped_to(Interval(100 * share, 100 * low, 100 * high), (0.0, 100.0))


def _wilson(share: float, n: int) -> tuple[float, float]:
    z2 = NORMAL_QUANTILE**2 / n
    centre = (share + z2 / 2) / (1 + z2)
    half = np.sqrt(z2 * share * (1 - share) + z2**2 / 4) / (1 + z2)
    return float(centre - half), float(centre + half)
