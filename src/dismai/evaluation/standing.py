"""Where a set stands in a ranking: failing structures, or few of them, cannot raise its rank.

Sets with at least half of their structures accepted come first, then those with fewer. Within
both the distance of the metric from its best value ranks. Sets of fewer than
`FEWEST_STRUCTURES` accepted structures, and those whose metric is not defined, have no rank.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from dismai.metrics.entries import FEWEST_STRUCTURES, METRICS

BELOW_HALF = "fewer than half accepted"
RANKED_REASONS = ("", BELOW_HALF)
"""Reasons of the sets that have a rank of their own."""
LEAST_SHARE = 0.5
"""Of the generated structures that must be accepted to rank before those with fewer."""


@dataclass(frozen=True)
class Standing:
    """How a set takes part in a ranking.

    level: 0 with the first, 1 behind them, 2 without a rank.  reason: why not with the first.
    badness: mean distance of the metric from its best value over the trainings.
    """

    level: int
    reason: str
    badness: float

    @property
    def ranked(self) -> bool:
        return self.level < 2


def standing(rows: pd.DataFrame, metric: str) -> Standing:
    """The standing of one model on one dataset.

    rows: one row a training, with value and, where they are known, n_accepted and n_generated.
    """
    entry = METRICS[metric]
    badness = float(rows["value"].map(entry.badness).mean(skipna=False))
    if not {"n_accepted", "n_generated"} <= set(rows):
        return Standing(2 if math.isnan(badness) else 0, "not defined", badness)
    fewest, generated = int(rows["n_accepted"].min()), int(rows["n_generated"].min())
    counted = generated if entry.of_generated else fewest
    if fewest == 0 and not entry.of_generated:
        n_failed = int((rows["n_accepted"] == 0).sum())
        where = f" in {n_failed} of {len(rows)} trainings" if n_failed < len(rows) else ""
        return Standing(2, f"failed: no structure accepted{where}", badness)
    if counted < FEWEST_STRUCTURES:
        what = "generated" if entry.of_generated else "accepted"
        return Standing(2, f"only {counted} {what}, no rank below {FEWEST_STRUCTURES}", badness)
    if math.isnan(badness):
        return Standing(2, f"{metric} not defined", badness)
    if rows["n_accepted"].sum() < LEAST_SHARE * rows["n_generated"].sum():
        if not entry.of_generated:
            return Standing(1, BELOW_HALF, badness)
    return Standing(0, "", badness)


def ranks_of(standings: Sequence[Standing]) -> list[int | None]:
    """Rank of every set, the same for equal ones; None without one."""
    keys = [(s.level, s.badness) for s in standings if s.ranked]
    return [
        1 + sum(key < (s.level, s.badness) for key in keys) if s.ranked else None for s in standings
    ]
