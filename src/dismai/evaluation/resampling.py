"""Resamples of the headline metric of one model on one dataset, over trainings and structures.

Trainings are drawn with replacement from those of the model. The structures of each count by the
bootstrap interval that its metric already has: half of the draws lie below the value and half
above, as normal deviates of which 95 % lie within the limits. The number of accepted structures
is drawn as well (binomial), so that a model near one half is not sure of its place. Where a metric
comes without an interval, as published values do, the trainings alone are resampled. A single
training tells nothing about another one: its interval is that of its structures.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from dismai.base.seeds import generator_for
from dismai.evaluation.standing import LEAST_SHARE
from dismai.metrics.entries import METRICS
from dismai.metrics.statistics import NORMAL_QUANTILE

ROOT = 7
"""Of the random numbers: a model draws the same ones whatever it is compared with."""


@dataclass(frozen=True)
class Draws:
    """What ranks a model in every resample: its level (`evaluation.standing`), then its badness.

    level, badness: (n_resamples,).
    """

    N_RESAMPLES: ClassVar[int] = 2000
    level: np.ndarray
    badness: np.ndarray

    def better_than(self, other: "Draws") -> np.ndarray:
        """In which resamples this one ranks before another, (n_resamples,)."""
        lower = self.level < other.level
        return lower | ((self.level == other.level) & (self.badness < other.badness))


def draws_of(rows: pd.DataFrame, metric: str) -> Draws:
    """Resamples of one model on one dataset.

    rows: one row a training, with dataset, model, value, ci_low, ci_high, n_accepted, n_generated.
    """
    first, entry = rows.iloc[0], METRICS[metric]
    random = generator_for(ROOT, "rank", str(first["dataset"]), str(first["model"]))
    shape = (Draws.N_RESAMPLES, len(rows))
    chosen = random.integers(0, len(rows), shape)
    value, low, high, accepted, generated = (
        rows[name].to_numpy(dtype=float)[chosen]
        for name in ("value", "ci_low", "ci_high", "n_accepted", "n_generated")
    )
    deviate = random.standard_normal(shape)
    side = np.where(deviate < 0, value - low, high - value)
    value = value + np.nan_to_num(deviate * side / NORMAL_QUANTILE)
    badness = np.vectorize(entry.badness, otypes=[float])(value).mean(axis=1)
    drawn = random.binomial(generated.astype(int), accepted / generated).sum(axis=1)
    few = drawn < LEAST_SHARE * generated.sum(axis=1)
    level = np.zeros(len(few), int) if entry.of_generated else few.astype(int)
    return Draws(level, badness)
