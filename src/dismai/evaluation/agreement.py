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
    all models share one place. The limits are those of 95 % of the resamples of our ranks
    (`evaluation.ranking`); the published order is taken as it is.

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
    theirs = ranking(published, shared).set_index("model")
    ours = ranking(own, shared).set_index("model")
    drawn = resampled_ranks(own, shared)
    models = list(next(iter(drawn.values())).columns)
    ranks = {name: f"rank_{name}" for name in shared}
    rows = []
    for name, column in ranks.items():
        rows.append((name, ours.loc[models, column], theirs.loc[models, column], drawn[name]))
    mean = sum(table.to_numpy() for table in drawn.values()) / len(drawn)
    both = (part.loc[models, list(ranks.values())].mean(axis=1) for part in (ours, theirs))
    rows.append((OVERALL, *both, pd.DataFrame(mean, columns=models)))
    found = [
        (name, len(models), _tau(a, b), *_limits(table.to_numpy(), b)) for name, a, b, table in rows
    ]
    return pd.DataFrame(found, columns=columns)


def _tau(ours: pd.Series, theirs: pd.Series) -> float:
    return float(kendalltau(np.round(ours, 9), np.round(theirs, 9)).statistic)


def _limits(drawn: np.ndarray, theirs: pd.Series) -> tuple[float, float]:
    """95 % of the resamples, each order counted as often as it comes up."""
    orders, counts = np.unique(np.round(drawn, 9), axis=0, return_counts=True)
    taus = np.array([kendalltau(order, np.round(theirs, 9)).statistic for order in orders])
    defined = np.isfinite(taus)
    if not defined.any():
        return np.nan, np.nan
    repeated = np.repeat(taus[defined], counts[defined])
    low, high = np.percentile(repeated, LIMITS, method="nearest")
    return float(low), float(high)
