"""Whether a ranking agrees with the published one: rank correlation, and how sure it is."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from dismai.evaluation.ranking import LIMITS, ranking, resampled_ranks

OVERALL = "overall"


def agreement(
    metrics: pd.DataFrame, published: pd.DataFrame, headlines: Mapping[str, str]
) -> pd.DataFrame:
    """Kendall's tau-b between the order of models and their published order.

    1: the same order, -1: the reverse. Ties of either order count as ties; tau is not defined where
    all models share one place. Models that were not run on a dataset do not count there; those
    that the paper has without numbers share its last place. The limits are those of 95 % of the
    resamples of our ranks (`evaluation.ranking`); the published order is taken as it is.

    Args:
        metrics: as `ranking` takes them.
        published: the same of the paper (`evaluation.runs.published_run`).
        headlines: the metric that ranks on each dataset.

    Returns:
        One row a dataset that both have, then `overall`, where mean ranks over these datasets
        order: dataset, n_models, tau, tau_low, tau_high.
    """
    shared = {
        name: metric for name, metric in headlines.items() if name in set(published["dataset"])
    }
    known = set(published["model"])
    own = metrics[metrics["model"].isin(known) & metrics["dataset"].isin(shared)]
    columns = ["dataset", "n_models", "tau", "tau_low", "tau_high"]
    if own.empty:
        return pd.DataFrame(columns=columns)
    ours = ranking(own, shared).set_index("model")
    theirs = ranking(published, shared).set_index("model").reindex(ours.index)
    ranks = [f"rank_{name}" for name in shared]
    theirs[ranks] = theirs[ranks].fillna(theirs[ranks].max() + 1)
    drawn = resampled_ranks(own, shared)
    rows = []
    for name in shared:
        models = list(own.loc[own["dataset"] == name, "model"].unique())
        column = f"rank_{name}"
        a, b = (part.loc[models, column] for part in (ours, theirs))
        rows.append((name, a, b, drawn[name][models]))
    ran = own.groupby("model")["dataset"].nunique()
    models = [name for name in ours.index if ran[name] == len(shared)]
    both = (part.loc[models, ranks] for part in (ours, theirs))
    mean = sum(table[models] for table in drawn.values()) / len(drawn)
    rows.append((OVERALL, *(part.mean(axis=1) for part in both), mean))
    found = [
        (name, len(a), _tau(a, b), *_limits(table.to_numpy(), b)) for name, a, b, table in rows
    ]
    return pd.DataFrame(found, columns=columns)


def _tau(ours: pd.Series, theirs: pd.Series) -> float:
    if len(ours) < 2:
        return np.nan
    return float(kendalltau(np.round(ours, 9), np.round(theirs, 9)).statistic)


def _limits(drawn: np.ndarray, theirs: pd.Series) -> tuple[float, float]:
    """95 % of the resamples, each order counted as often as it comes up."""
    if len(theirs) < 2:
        return np.nan, np.nan
    orders, counts = np.unique(np.round(drawn, 9), axis=0, return_counts=True)
    taus = np.array([kendalltau(order, np.round(theirs, 9)).statistic for order in orders])
    defined = np.isfinite(taus)
    if not defined.any():
        return np.nan, np.nan
    repeated = np.repeat(taus[defined], counts[defined])
    low, high = np.percentile(repeated, LIMITS, method="nearest")
    return float(low), float(high)
