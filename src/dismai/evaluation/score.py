"""Scores of one generated set: a long table with intervals."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from dismai.base.card import Card
from dismai.base.errors import InputError
from dismai.base.kinds import KINDS
from dismai.base.metric import FAMILIES
from dismai.evaluation.process import STAGES
from dismai.evaluation.relax import relaxation_scores
from dismai.metrics.entries import METRICS, with_units
from dismai.metrics.sets import compare_sets
from dismai.metrics.statistics import Interval, clipped_to, percentage


def score(
    features: pd.DataFrame,
    fates: pd.DataFrame,
    reference: pd.DataFrame,
    held_out: pd.DataFrame | None,
    spec: Card,
    model: str,
    kind: str,
    seed: int,
    self_reports: Mapping[str, tuple[str, Interval]] | None = None,
    families: Collection[str] = tuple(FAMILIES),
) -> pd.DataFrame:
    """Metrics of one generated set, one row each (columns of `METRICS_SCHEMA`).

    Args:
        features: features of the accepted structures.
        fates: one row per generated structure.
        reference: features of the training structures.
        held_out: features of held-out structures, what memorisation compares with; None: the
            training structures are compared with each other.
        spec: card of the dataset.
        model: name of the model or baseline.
        kind: trained, file or baseline.
        seed: seed of the training.
        self_reports: metrics of what the set says of itself, of `self_report_scores`.
        families: families of metrics that are wanted; no other is in the table.

    Raises:
        InputError: no generated or no training structure.
    """
    n_generated = fates["structure"].nunique()
    n_accepted = int((fates["status"] == "accepted").sum())
    if n_generated == 0:
        raise InputError(f"{spec.name}, {model}: expected generated structures, found none")
    if len(reference) == 0:
        raise InputError(f"{spec.name}: expected training structures, found none")
    functions = KINDS[spec.kind]
    metrics = {
        **with_units(_failed(fates, n_generated, n_accepted)),
        **functions.score(features, reference, spec),
        **relaxation_scores(features, reference),
        **(_of_sets(features, reference, held_out, spec) if "sets" in families else {}),
        **(self_reports or {}),
    }
    of_the_set = {"dataset": spec.name, "model": model, "kind": kind, "seed": seed}
    numbers = {"n_accepted": n_accepted, "n_generated": n_generated}
    wanted = {name: of for name, of in metrics.items() if METRICS[name].family in families}
    rows = [{**of_the_set, **row, **numbers} for row in _rows(wanted)]
    return pd.DataFrame(rows)


def _of_sets(
    features: pd.DataFrame, reference: pd.DataFrame, held_out: pd.DataFrame | None, spec: Card
) -> dict[str, tuple[str, Interval]]:
    """Spread and nearness of the set, from what stands for each of its structures."""
    sets = (_vectors(table, spec) for table in (features, reference, held_out))
    return with_units(compare_sets(*sets))


def _failed(fates: pd.DataFrame, n_generated: int, n_accepted: int) -> dict[str, Interval]:
    """Structures that failed, all and at each stage, in percent of the generated ones."""
    rejected = fates[fates["status"] == "rejected"]
    shares = {"percent_failed": percentage(n_generated - n_accepted, n_generated)}
    for stage in STAGES:
        own = rejected.loc[rejected["stage"] == stage, "structure"].nunique()
        shares[f"percent_failed_{stage}"] = percentage(own, n_generated)
    return shares


def _rows(metrics: Mapping[str, tuple[str, Interval]]) -> Iterator[dict[str, Any]]:
    """What each metric adds to its row, intervals cut at the bounds of the metric."""
    for name, (unit, interval) in metrics.items():
        inside = clipped_to(interval, METRICS[name].bounds)
        limits = {"value": inside.value, "ci_low": inside.low, "ci_high": inside.high}
        yield {"metric": name, "unit": unit, **limits}


def _vectors(table: pd.DataFrame | None, spec: Card) -> np.ndarray | None:
    """What stands for each structure where sets are compared, (n_structures, n_columns)."""
    if table is None:
        return None
    return table[KINDS[spec.kind].set_columns].to_numpy(dtype=float)
