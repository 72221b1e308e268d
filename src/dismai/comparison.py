"""Ranking of several scored sets, with seed-paired statistics: the work of `dismai compare`.

Two models whose trainings share seeds are compared seed by seed: the differences of the paired
values are the sample, the p-value is that of the paired t test, and the interval comes from a
bootstrap that draws seeds, and within each the sampling error of the structures. Models with a
single common training are compared by the sampling error of the structures alone, which says
nothing about another training; the table says which was done.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from dismai.errors import InputError
from dismai.evaluation.kinds import KINDS, kind_name
from dismai.metrics.statistics import BOOTSTRAP_SEED, NORMAL_QUANTILE, Interval

N_DRAWS = 4000
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Comparison:
    """A ranking, one row a dataset and model, and all pairs of models, one row each."""

    ranking: pd.DataFrame
    pairs: pd.DataFrame
    metrics: dict[str, str]


def compare(table: pd.DataFrame, metric: str | None = None) -> Comparison:
    """Rank models by one metric on every dataset; smaller is better.

    Args:
        table: rows of scored sets with columns run, dataset, model, seed, metric, value, ci_low,
            ci_high; run and model together name a model.
        metric: the metric; by default the headline metric of each dataset.

    Raises:
        InputError: fewer than two models to compare, or a model without the metric.
    """
    table = table.assign(label=labels(table))
    metrics = {
        dataset: metric or KINDS[kind_name(dataset)].headline
        for dataset in table["dataset"].unique()
    }
    pairs, ranks = [], []
    for dataset, name in metrics.items():
        rows = table[table["dataset"] == dataset]
        chosen = rows[rows["metric"] == name]
        missing = sorted(set(rows["label"]) - set(chosen["label"]))
        if missing:
            raise InputError(f"{dataset}, {missing[0]}: expected the metric {name}, found none")
        _check_seeds(chosen, dataset)
        sets = {label: part.set_index("seed") for label, part in chosen.groupby("label")}
        if len(sets) < 2:
            raise InputError(
                f"{dataset}: expected at least two models to compare, found {', '.join(sets)}"
            )
        pairs += [_pair(dataset, name, a, b, sets[a], sets[b]) for a, b in combinations(sets, 2)]
        ranks += _ranks(dataset, name, sets)
    pairs = pd.DataFrame(pairs)
    pairs["p_holm"] = holm(pairs["p"].to_numpy())
    return Comparison(_beside_best(pd.DataFrame(ranks), pairs), pairs, metrics)


def labels(table: pd.DataFrame) -> pd.Series:
    """Names of the models: with the run before them where two runs have the same model and seed.

    Runs with other seeds of a model are further trainings of it.
    """
    runs = table.groupby(["dataset", "model", "seed"])["run"].nunique()
    shared = table["model"].isin(runs[runs > 1].index.get_level_values("model"))
    return table["model"].where(~shared, table["run"] + ": " + table["model"])


def _check_seeds(rows: pd.DataFrame, dataset: str) -> None:
    twice = rows[rows.duplicated(["label", "seed"])]
    if len(twice):
        first = twice.iloc[0]
        raise InputError(
            f"{dataset}, {first['label']}: expected each seed once, found seed {first['seed']} "
            "twice (evaluate has --seed)"
        )


def _ranks(dataset: str, metric: str, sets: dict[str, pd.DataFrame]) -> list[dict]:
    rows = []
    for label, part in sets.items():
        several = len(part) > 1
        rows.append(
            {
                "dataset": dataset,
                "metric": metric,
                "model": label,
                "n_seeds": len(part),
                "value": part["value"].mean(),
                "low": part["value"].min() if several else part["ci_low"].iloc[0],
                "high": part["value"].max() if several else part["ci_high"].iloc[0],
            }
        )
    order = pd.Series([row["value"] for row in rows]).rank(method="min", na_option="bottom")
    for row, rank in zip(rows, order, strict=True):
        row["rank"] = int(rank)
    return sorted(rows, key=lambda row: (row["rank"], row["model"]))


def _pair(
    dataset: str, metric: str, a: str, b: str, first: pd.DataFrame, second: pd.DataFrame
) -> dict:
    """Difference of the second model from the first, with interval and p-value."""
    common = first.index.intersection(second.index)
    if len(common) < 2:  # nothing pairs: one training each, or different seeds
        method = "sampling error only"
        values = [part["value"].mean() for part in (first, second)]
        error = np.hypot(*(np.sqrt((_error(part) ** 2).mean()) for part in (first, second)))
        interval, p = _normal(values[1] - values[0], error)
    else:
        method = f"paired over {len(common)} seeds"
        difference = (second["value"][common] - first["value"][common]).to_numpy()
        error = np.hypot(_error(first.loc[common]), _error(second.loc[common]))
        interval, p = paired(difference, error)
    return {
        "dataset": dataset,
        "metric": metric,
        "first": a,
        "second": b,
        "difference": interval.value,
        "ci_low": interval.low,
        "ci_high": interval.high,
        "method": method,
        "p": p,
    }


def _error(part: pd.DataFrame) -> np.ndarray:
    """Standard error of each value, from the width of its interval."""
    return (part["ci_high"] - part["ci_low"]).to_numpy() / (2 * NORMAL_QUANTILE)


def _normal(difference: float, error: float) -> tuple[Interval, float]:
    if not np.isfinite(difference):
        return Interval(np.nan, np.nan, np.nan), 1.0
    half = NORMAL_QUANTILE * error
    if error > 0:
        p = float(2 * stats.norm.sf(abs(difference) / error))
    else:
        p = 1.0 if difference == 0 else 0.0
    return Interval(float(difference), float(difference - half), float(difference + half)), p


def paired(difference: np.ndarray, error: np.ndarray) -> tuple[Interval, float]:
    """Mean of paired differences with a 95 % bootstrap interval, and the p of the paired t test.

    difference: one per seed, (n,).  error: their standard errors from the structures, (n,).
    """
    if not np.isfinite(difference).all():
        return Interval(np.nan, np.nan, np.nan), 1.0
    n = len(difference)
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    chosen = rng.integers(0, n, (N_DRAWS, n))
    drawn = difference[chosen] + rng.normal(size=(N_DRAWS, n)) * np.nan_to_num(error)[chosen]
    low, high = np.percentile(drawn.mean(axis=1), [2.5, 97.5])
    mean, spread = difference.mean(), difference.std(ddof=1)
    if spread <= 1e-12 * max(abs(mean), 1e-300):
        p = 1.0 if mean == 0 else 0.0
    else:
        p = float(2 * stats.t.sf(abs(mean) / spread * np.sqrt(n), n - 1))
    return Interval(float(mean), float(low), float(high)), p


def holm(p: Sequence[float]) -> np.ndarray:
    """P-values corrected for their number (HOLM 1979, Scand. J. Stat. 6, 65), in the same order."""
    p = np.asarray(p, dtype=float)
    order = np.argsort(p, kind="stable")
    scaled = (len(p) - np.arange(len(p))) * p[order]
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return corrected


def _beside_best(ranking: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """The ranking with the difference of each model from the best of its dataset."""
    columns = ["above_best", "above_low", "above_high", "p_holm", "method", "verdict"]
    rows = []
    for row in ranking.itertuples():
        best = ranking[ranking["dataset"] == row.dataset].iloc[0]["model"]
        if row.model == best:
            rows.append([np.nan, np.nan, np.nan, np.nan, "", "best"])
            continue
        names = pairs["first"] + "\n" + pairs["second"]
        own = names.isin([f"{best}\n{row.model}", f"{row.model}\n{best}"])
        pair = pairs[own & (pairs["dataset"] == row.dataset)].iloc[0]
        above = np.array([pair["difference"], pair["ci_low"], pair["ci_high"]])
        above = above if pair["first"] == best else -above[[0, 2, 1]]
        verdict = "worse" if pair["p_holm"] < SIGNIFICANT else "not told apart"
        verdict = "no structure" if np.isnan(row.value) else verdict
        rows.append([*above, pair["p_holm"], pair["method"], verdict])
    told = pd.DataFrame(rows, columns=columns, index=ranking.index)
    return pd.concat([ranking, told], axis=1)


def to_text(comparison: Comparison) -> str:
    """The ranking as lines for a terminal."""
    width = max(len(label) for label in comparison.ranking["model"])
    lines = []
    for dataset, rows in comparison.ranking.groupby("dataset", sort=False):
        lines += [
            f"{dataset}: {comparison.metrics[dataset]} (smaller is better)",
            f"{'rank':>4s}  {'model':{width}s} {'seeds':>5s} {'value':>9s} {'range or 95 %':>21s}"
            f" {'above best':>10s} {'95 %':>21s} {'p (Holm)':>9s}",
        ]
        for row in rows.itertuples():
            line = (
                f"{row.rank:4d}  {row.model:{width}s} {row.n_seeds:5d} {row.value:9.4g} "
                f"{_span(row.low, row.high):>21s}"
            )
            if row.verdict != "best":
                line += (
                    f" {row.above_best:10.3g} {_span(row.above_low, row.above_high):>21s} "
                    f"{row.p_holm:9.2g}  {row.verdict}, {row.method}"
                )
            lines.append(line)
        lines.append("")
    n = len(comparison.pairs)
    lines.append(f"P-values are corrected for {n} comparison{'s' * (n > 1)} (Holm).")
    if (comparison.pairs["method"] == "sampling error only").any():
        lines.append(
            "Sampling error only: no two seeds pair, so that another training may rank otherwise."
        )
    return "\n".join(lines)


def to_json(comparison: Comparison) -> str:
    """Ranking and all pairs as JSON; what is not defined is null."""
    tables = {"ranking": comparison.ranking, "pairs": comparison.pairs}
    content = {name: json.loads(table.to_json(orient="records")) for name, table in tables.items()}
    return json.dumps(content, indent=2, ensure_ascii=False)


def _span(low: float, high: float) -> str:
    return "" if np.isnan(low) else f"[{low:.4g}, {high:.4g}]"
