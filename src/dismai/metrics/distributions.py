"""Kolmogorov-Smirnov statistic of two samples, and how it scatters with other structures."""

import numpy as np

from dismai.base.errors import InputError
from dismai.metrics.statistics import (
    NO_RESAMPLES,
    Interval,
    Resampled,
    bootstrap_counts,
    interval_of,
    only_values,
)

BOUNDS = (0.0, 1.0)


def ks(values: np.ndarray, reference: np.ndarray) -> float:
    """Largest difference of the two cumulative distributions, 0 to 1.

    values, reference: one number a structure, (n,) and (m,); finite.
    """
    return float(_largest(values, reference, np.ones((1, len(values))))[0])


def ks_ci(values: np.ndarray, reference: np.ndarray) -> Interval:
    """`ks` with the 95 % interval over resamples of the structures; undefined without any.

    values: one number a structure, (n,).  reference: the same of the reference, (m,), fixed.
    """
    return interval_of(*resampled_ks(values, reference), BOUNDS)


def resampled_ks(values: np.ndarray, reference: np.ndarray) -> Resampled:
    """`ks`, and that of every resample of the structures; nan without any."""
    values, reference = np.asarray(values, dtype=float), np.asarray(reference, dtype=float)
    if len(values) == 0 or len(reference) == 0:
        return NO_RESAMPLES
    value = ks(values, reference)
    if only_values():
        return Resampled(value, np.array([value]))
    return Resampled(value, _largest(values, reference, bootstrap_counts(len(values))))


def _largest(values: np.ndarray, reference: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The statistic of every resample, (n_resamples,); counts, (n_resamples, n)."""
    if not (np.isfinite(values).all() and np.isfinite(reference).all()):
        raise InputError("Kolmogorov-Smirnov: expected finite values, found NaN or infinity")
    steps, step_of = np.unique(values, return_inverse=True)
    ordered = np.sort(reference)
    below = np.searchsorted(ordered, steps, side="left") / len(ordered)
    upto = np.searchsorted(ordered, steps, side="right") / len(ordered)
    order = np.argsort(step_of, kind="stable")
    last = np.searchsorted(step_of[order], np.arange(len(steps)), side="right") - 1
    largest = np.empty(len(counts))
    for row, drawn in enumerate(counts):
        own = np.cumsum(drawn[order], dtype=float)[last] / drawn.sum()  # at each step
        before = np.concatenate([[0.0], own[:-1]])
        largest[row] = max((own - upto).max(), (below - before).max(), 0.0)
    return largest


def ks_of_counts_ci(counts: np.ndarray, reference: np.ndarray) -> Interval:
    """The statistic of things of which a structure has several, such as its atoms.

    All things of a structure are drawn together in a resample.

    Args:
        counts: things of a structure by value, in growing order, (n, n_values).
        reference: the same of the reference, (m, n_values).
    """
    return interval_of(*resampled_ks_of_counts(counts, reference), BOUNDS)


def resampled_ks_of_counts(counts: np.ndarray, reference: np.ndarray) -> Resampled:
    """The same statistic, and that of every resample of the structures; nan without any."""
    counts, reference = np.asarray(counts, dtype=float), np.asarray(reference, dtype=float)
    if not (counts.sum() > 0 and reference.sum() > 0):
        return NO_RESAMPLES
    expected = np.cumsum(reference.sum(axis=0)) / reference.sum()

    def largest(totals: np.ndarray) -> np.ndarray:
        shares = np.cumsum(totals, axis=-1) / totals.sum(axis=-1, keepdims=True)
        return np.abs(shares - expected).max(axis=-1)

    value = float(largest(counts.sum(axis=0)))
    if only_values():
        return Resampled(value, np.array([value]))
    return Resampled(value, largest(bootstrap_counts(len(counts)).astype(float) @ counts))
