"""What the studies of the papers share: numbers of several trainings, and what follows from them.

An interval of several trainings is that of their mean by Student's t, what other seeds would
scatter; or that of other structures of the same trainings where it is wider, as where a few
trainings agree by chance. That of a single one is the interval over its structures.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.stats import t as student

from dismai.metrics.statistics import NORMAL_QUANTILE, UNDEFINED, Interval

STUDY_SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string(), nullable=False) for name in ("group", "name", "metric")),
        pa.field("unit", pa.string(), nullable=False),
        *(pa.field(name, pa.int64(), nullable=False) for name in ("n_seeds", "n_structures")),
        *(pa.field(name, pa.float64()) for name in ("value", "low", "high", "least", "greatest")),
        *(pa.field(f"published{end}", pa.float64()) for end in ("", "_low", "_high")),
    ]
)
"""One number of a study a row: mean over its trainings, 95 % interval, extremes, published one."""
STATEMENTS_SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string(), nullable=False) for name in ("statement", "metric", "unit")),
        *(pa.field(name, pa.string(), nullable=False) for name in ("first", "second")),
        *(pa.field(name, pa.float64()) for name in ("difference", "low", "high")),
        pa.field("held", pa.string(), nullable=False),
    ]
)
"""A statement of the paper a row, with the difference second - first that it is about; held: yes or
no where the interval leaves no doubt, open otherwise."""


@dataclass(frozen=True)
class Mean:
    """Mean of a number over trainings.

    error: standard error.  freedom: degrees of freedom of the error; infinite where it comes from
    the structures.  least, greatest: of the trainings.  own: the interval
    of a single training, which need not be symmetric.
    """

    value: float
    error: float
    freedom: float
    least: float
    greatest: float
    n_seeds: int
    own: Interval | None = None

    def interval(self, lowest: float = -np.inf, highest: float = np.inf) -> tuple[float, float]:
        """95 % interval, cut at bounds; NaN where there is no value."""
        if self.own:
            return self.own.low, self.own.high
        if not np.isfinite(self.value):
            return np.nan, np.nan
        half = _quantile(self.freedom) * self.error
        return max(lowest, self.value - half), min(highest, self.value + half)


def mean_of(values: Sequence[Interval]) -> Mean:
    """Mean over trainings of the values that are defined; NaN without any."""
    known = [one for one in values if np.isfinite(one.value)]
    if not known:
        return Mean(np.nan, np.nan, np.inf, np.nan, np.nan, 0)
    numbers = np.array([one.value for one in known])
    own = np.array([one.high - one.low for one in known]) / (2 * NORMAL_QUANTILE)
    error, freedom = np.sqrt((own**2).sum()) / len(known), np.inf
    if len(known) > 1:
        between = numbers.std(ddof=1) / np.sqrt(len(numbers))
        if between * _quantile(len(known) - 1) > error * NORMAL_QUANTILE:
            error, freedom = between, len(known) - 1.0
    return Mean(
        float(numbers.mean()),
        float(error),
        freedom,
        float(numbers.min()),
        float(numbers.max()),
        len(known),
        known[0] if len(known) == 1 else None,
    )


@dataclass(frozen=True)
class Variant:
    """All trainings of one entry of the configuration: with model, seed, numbers, n_generated."""

    name: str
    trainings: tuple[Any, ...]

    def mean(self, metric: str) -> Mean:
        """A number over the trainings."""
        return mean_of([one.numbers.get(metric, UNDEFINED) for one in self.trainings])

    def row(
        self,
        group: str,
        metric: str,
        unit: str,
        bounds: tuple[float, float],
        published: Sequence[float] = (np.nan, np.nan, np.nan),
    ) -> list[Any]:
        """A number of it as in `STUDY_SCHEMA`; bounds: of the number."""
        mean, n_structures = self.mean(metric), sum(one.n_generated for one in self.trainings)
        found = [mean.value, *mean.interval(*bounds), mean.least, mean.greatest]
        return [group, self.name, metric, unit, mean.n_seeds, n_structures, *found, *published]

    def against(
        self, statement: str, metric: str, unit: str, first: "Variant", sign: int
    ) -> list[Any]:
        """What the paper says of it and another variant, as in `STATEMENTS_SCHEMA`."""
        found = difference(first.mean(metric), self.mean(metric))
        return [statement, metric, unit, first.name, self.name, *found, held(found, sign)]


def by_model(trainings: Sequence[Any]) -> Iterable[tuple[str, tuple[Any, ...]]]:
    """Trainings of each model in the order of the configuration, by seed."""
    place = {name: i for i, name in enumerate(dict.fromkeys(one.model for one in trainings))}
    ordered = sorted(trainings, key=lambda one: (place[one.model], one.seed))
    return ((name, tuple(own)) for name, own in groupby(ordered, key=lambda one: one.model))


def scored(metrics: pd.DataFrame, names: Iterable[str]) -> dict[str, Interval]:
    """Those of some metrics that a set has (`METRICS_SCHEMA`), with their intervals."""
    rows = metrics.set_index("metric")[["value", "ci_low", "ci_high"]]
    return {name: Interval(*map(float, rows.loc[name])) for name in names if name in rows.index}


def difference(first: Mean, second: Mean) -> Interval:
    """The second mean less the first one, with its 95 % interval (Welch)."""
    value = second.value - first.value
    squares = np.array([first.error, second.error]) ** 2
    total = squares.sum()
    if not np.isfinite(total) or total == 0:
        return Interval(value, value, value)
    freedoms = np.array([first.freedom, second.freedom])
    spread = (squares**2 / freedoms).sum()  # 0: what has an error has that of its structures
    freedom = total**2 / spread if spread > 0 else np.inf
    half = _quantile(freedom) * np.sqrt(total)
    return Interval(value, value - half, value + half)


def held(found: Interval, sign: int) -> str:
    """Whether a difference has a sign: yes, no, or open where its interval holds 0 or is none."""
    low, high = sorted(sign * end for end in (found.low, found.high))
    if low > 0:
        return "yes"
    return "no" if high < 0 else "open"


def _quantile(freedom: float) -> float:
    return NORMAL_QUANTILE if np.isinf(freedom) else float(student.ppf(0.975, freedom))
