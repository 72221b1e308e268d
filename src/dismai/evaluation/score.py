"""Scores of one generated set: a long table with intervals."""

import pandas as pd

from dismai.errors import InputError
from dismai.evaluation import alloy
from dismai.metrics.statistics import percentage


def score(
    features: pd.DataFrame,
    fates: pd.DataFrame,
    reference: pd.DataFrame,
    dataset: str,
    model: str,
    kind: str,
    seed: int,
) -> pd.DataFrame:
    """Metrics of one generated set, one row each (columns of `METRICS_SCHEMA`).

    Args:
        features: features of the accepted structures.
        fates: one row per generated structure.
        reference: features of the training structures.
        dataset: name of the dataset.
        model: name of the model or baseline.
        kind: trained, file or baseline.
        seed: seed of the training.

    Raises:
        InputError: no generated or no training structure.
    """
    n_generated = fates["structure"].nunique()
    n_accepted = int((fates["status"] == "accepted").sum())
    if n_generated == 0:
        raise InputError(f"{dataset}, {model}: expected generated structures, found none")
    if len(reference) == 0:
        raise InputError(f"{dataset}: expected training structures, found none")
    metrics = {
        "percent_failed": ("%", percentage(n_generated - n_accepted, n_generated)),
        **alloy.score(features, reference),
    }
    rows = [
        {
            "dataset": dataset,
            "model": model,
            "kind": kind,
            "seed": seed,
            "metric": metric,
            "unit": unit,
            "value": interval.value,
            "ci_low": interval.low,
            "ci_high": interval.high,
            "n_accepted": n_accepted,
            "n_generated": n_generated,
        }
        for metric, (unit, interval) in metrics.items()
    ]
    return pd.DataFrame(rows)
