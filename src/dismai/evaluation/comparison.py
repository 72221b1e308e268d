"""Ranking of several scored sets, with seed-paired statistics: the work of `dismai compare`.

What ranks is the distance of a metric from its best value (`metrics.entries`), by the rules of
`evaluation.standing`. Two models whose trainings share seeds are compared seed by seed: the
differences of the paired distances are the sample. Their standard error is that of the paired t
test, or that of the structures where this is larger: a few seeds may agree by chance. Models with
a single common training are compared by the sampling error of the structures alone, which says
nothing about another training. Where neither is known there is no test.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from dismai.base.errors import InputError, did_you_mean
from dismai.base.kinds import KINDS, kind_name
from dismai.evaluation.standing import BELOW_HALF, Standing, ranks_of, standing
from dismai.metrics.entries import METRICS, Metric
from dismai.metrics.statistics import NORMAL_QUANTILE, Interval

SIGNIFICANT = 0.05
SMALLEST_P = 0.001
"""Smaller p-values are not told apart: seeds and structures are too few for that."""
SAMPLING = "sampling error only"
NO_TEST = "no test"
COLUMNS = 120
"""Of a terminal; where names make the table wider they have lines of their own."""
HEADER = (
    *("rank", "model", "seeds", "accepted", "failed", "value", "range or 95 %"),
    *("worse by, 95 %", "p (Holm)", ""),
)
PAIR_COLUMNS = [
    *("dataset", "metric", "first", "second", "difference", "ci_low", "ci_high", "method", "p"),
]


@dataclass(frozen=True)
class Comparison:
    """A ranking, one row a dataset and model, and all pairs of ranked models, one row each.

    In both, differences are those of the distance from the best value of the metric.
    split: models that several runs have with the same seed, which count as different ones.
    """

    ranking: pd.DataFrame
    pairs: pd.DataFrame
    metrics: dict[str, str]
    split: tuple[str, ...]


def compare(table: pd.DataFrame, metric: str | None = None) -> Comparison:
    """Rank models on every dataset by the distance of one metric from its best value.

    Args:
        table: rows of scored sets with columns run, dataset, model, seed, metric, value, ci_low,
            ci_high, and n_accepted, n_generated where they are known; run and model together
            name a model.
        metric: the metric, on the datasets that have it; by default the headline metric of each.

    Raises:
        InputError: no such metric, fewer than two models to compare, or one without the metric.
    """
    table = table.assign(label=model_labels(table))
    metrics = {
        dataset: metric or KINDS[kind_name(dataset)].headline
        for dataset in table["dataset"].unique()
    }
    if metric is not None:
        metrics = _with_metric(table, metrics, metric)
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
        stands = {label: standing(part, name) for label, part in sets.items()}
        ranked = [label for label in sets if stands[label].ranked]
        pairs += [_pair(dataset, name, a, b, sets) for a, b in combinations(ranked, 2)]
        ranks += _ranks(dataset, name, sets, stands)
    pairs = pd.DataFrame(pairs, columns=PAIR_COLUMNS)
    pairs["p_holm"] = holm(pairs["p"].to_numpy(dtype=float))
    ranking = pd.DataFrame(ranks).astype({"rank": "Int64", "n_accepted": "Int64"})
    split = sorted(set(table.loc[table["label"] != table["model"], "model"]))
    return Comparison(_beside_best(ranking, pairs), pairs, metrics, tuple(split))


def _with_metric(table: pd.DataFrame, metrics: dict[str, str], metric: str) -> dict[str, str]:
    """The datasets on which a metric was scored; all of them where none has it."""
    if metric not in METRICS:
        known = [name for name in METRICS if (table["metric"] == name).any()]
        meant = did_you_mean(metric, known)
        raise InputError(f"metric {metric!r}: expected one of {', '.join(known)}{meant}")
    scored = set(table.loc[table["metric"] == metric, "dataset"])
    return {name: metric for name in metrics if name in scored or not scored}


def model_labels(table: pd.DataFrame) -> pd.Series:
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
            f"{dataset}, {first['label']}: expected each seed once, found {first['seed']} twice"
        )


def _ranks(
    dataset: str, metric: str, sets: dict[str, pd.DataFrame], stands: dict[str, Standing]
) -> list[dict]:
    """One row a model, ranked ones first, then those that have some value."""
    ranks = dict(zip(stands, ranks_of(list(stands.values())), strict=True))
    rows = []
    for label, part in sets.items():
        several = len(part) > 1
        rows.append(
            {
                "dataset": dataset,
                "metric": metric,
                "model": label,
                "n_seeds": len(part),
                "n_accepted": part["n_accepted"].min() if "n_accepted" in part else None,
                "percent_failed": _failed(part),
                "value": part["value"].mean(),
                "low": part["value"].min() if several else part["ci_low"].iloc[0],
                "high": part["value"].max() if several else part["ci_high"].iloc[0],
                "rank": ranks[label],
                "from_best": stands[label].badness,
                "reason": stands[label].reason,
            }
        )
    last = float("inf")
    return sorted(
        rows,
        key=lambda row: (row["rank"] or last, np.nan_to_num(row["from_best"], nan=last),
                         row["model"]),
    )  # fmt: skip


def _failed(part: pd.DataFrame) -> float:
    """Failed structures of all trainings, percent; nan where their number is not known."""
    if not {"n_accepted", "n_generated"} <= set(part):
        return np.nan
    return 100.0 * (1.0 - part["n_accepted"].sum() / part["n_generated"].sum())


def _pair(dataset: str, metric: str, a: str, b: str, sets: dict[str, pd.DataFrame]) -> dict:
    """How much further the second model is from the best value, with interval and p-value."""
    first, second = sets[a], sets[b]
    common = first.index.intersection(second.index)
    away = [part["value"].map(METRICS[metric].badness) for part in (first, second)]
    if len(common) < 2:  # nothing pairs: one training each, or different seeds
        method = SAMPLING
        error = np.hypot(*(np.sqrt((_error(part) ** 2).mean()) for part in (first, second)))
        interval, p = _normal(away[1].mean() - away[0].mean(), error)
    else:
        method = f"paired over {len(common)} seeds"
        difference = (away[1][common] - away[0][common]).to_numpy()
        error = np.hypot(_error(first.loc[common]), _error(second.loc[common]))
        interval, p = paired_difference(difference, error)
    method = NO_TEST if np.isnan(p) else method
    return dict(zip(PAIR_COLUMNS, (dataset, metric, a, b, *interval, method, p), strict=True))


def _error(part: pd.DataFrame) -> np.ndarray:
    """Standard error of each value, from the width of its interval."""
    return (part["ci_high"] - part["ci_low"]).to_numpy() / (2 * NORMAL_QUANTILE)


def _normal(difference: float, error: float) -> tuple[Interval, float]:
    """A difference with the 95 % interval and the p-value of its standard error."""
    if not (np.isfinite(difference) and np.isfinite(error) and error > 0):
        return Interval(float(difference), np.nan, np.nan), np.nan
    half = NORMAL_QUANTILE * error
    p = float(2 * stats.norm.sf(abs(difference) / error))
    return Interval(float(difference), float(difference - half), float(difference + half)), p


def paired_difference(difference: np.ndarray, error: np.ndarray) -> tuple[Interval, float]:
    """Mean of paired differences, its 95 % interval by Student's t, and the p-value of that t.

    The standard error is that of the differences, or of the structures where this is larger; if
    both are zero or unknown there is no test, and limits and p-value are nan.

    difference: one per seed, (n,).  error: their standard errors from the structures, (n,).
    """
    n, mean = len(difference), float(np.mean(difference))
    spread = difference.std(ddof=1) if n > 1 else np.nan
    spread = 0.0 if spread <= 1e-12 * abs(mean) else spread
    sampling = np.sqrt(np.mean(np.nan_to_num(np.asarray(error, dtype=float)) ** 2))
    own = max(spread, sampling) / np.sqrt(n)
    if not (np.isfinite(difference).all() and np.isfinite(own) and own > 0):
        return Interval(mean, np.nan, np.nan), np.nan
    half = float(stats.t.ppf(0.975, n - 1) * own)
    return Interval(mean, mean - half, mean + half), float(2 * stats.t.sf(abs(mean) / own, n - 1))


def holm(p: Sequence[float]) -> np.ndarray:
    """P-values corrected for their number (HOLM 1979, Scand. J. Stat. 6, 65), in the same order.

    What is nan was not tested, does not count and stays nan.
    """
    p = np.asarray(p, dtype=float)
    corrected = np.full(len(p), np.nan)
    order = [i for i in np.argsort(p, kind="stable") if not np.isnan(p[i])]
    scaled = (len(order) - np.arange(len(order))) * p[order]
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return corrected


def _beside_best(ranking: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """The ranking with the difference of each model from the best of its dataset."""
    columns = ["above_best", "above_low", "above_high", "p_holm", "method", "verdict"]
    rows = []
    for row in ranking.itertuples():
        best = ranking[ranking["dataset"] == row.dataset].iloc[0]["model"]
        if pd.isna(row.rank):
            none = pd.isna(row.n_accepted) or row.n_accepted == 0
            verdict = "no structure" if none else "no rank"
            rows.append([np.nan, np.nan, np.nan, np.nan, "", verdict])
            continue
        if row.model == best:
            rows.append([np.nan, np.nan, np.nan, np.nan, "", "best"])
            continue
        names = pairs["first"] + "\n" + pairs["second"]
        own = names.isin([f"{best}\n{row.model}", f"{row.model}\n{best}"])
        pair = pairs[own & (pairs["dataset"] == row.dataset)].iloc[0]
        above = np.array([pair["difference"], pair["ci_low"], pair["ci_high"]])
        above = above if pair["first"] == best else -above[[0, 2, 1]]
        rows.append([*above, pair["p_holm"], pair["method"], _verdict(above[0], pair["p_holm"])])
    told = pd.DataFrame(rows, columns=columns, index=ranking.index)
    return pd.concat([ranking, told], axis=1)


def _verdict(above: float, p: float) -> str:
    """What a test says; one that ranks behind for its failures may have the better value."""
    if np.isnan(p):
        return "not tested"
    if p >= SIGNIFICANT:
        return "not told apart"
    return "worse" if above > 0 else "nearer, but fails"


def to_text(comparison: Comparison) -> str:
    """The ranking as lines for a terminal, at most 120 columns."""
    lines = []
    for dataset, rows in comparison.ranking.groupby("dataset", sort=False):
        lines += _table(dataset, METRICS[comparison.metrics[dataset]], rows)
    return "\n".join([*lines, *_remarks(comparison)])


def _table(dataset: str, metric: Metric, rows: pd.DataFrame) -> list[str]:
    """A heading, and the table of one dataset."""
    unit = f", {metric.shown_unit}" if metric.shown_unit else ""
    title = f"{dataset}: {metric.name} ({metric.label}{unit}; {metric.rule})"
    cells = [list(HEADER), *(_cells(row) for row in rows.itertuples())]
    names = [line[1] for line in cells]
    lines = _aligned(cells)
    if max(map(len, lines)) > COLUMNS:
        head, *rest = _aligned([line[:1] + line[2:] for line in cells])
        lines = [head]
        for name, line in zip(names[1:], rest, strict=True):
            lines += [f"      {name}", line]
    return [title, *lines, ""]


def _cells(row: NamedTuple) -> list[str]:
    return [
        "–" if pd.isna(row.rank) else str(row.rank),
        row.model,
        str(row.n_seeds),
        "–" if pd.isna(row.n_accepted) else str(row.n_accepted),
        _plain(row.percent_failed, ".3g", " %"),
        _plain(row.value, ".4g"),
        _span(row.low, row.high),
        _span(row.above_low, row.above_high),
        _p(row.p_holm),
        _outcome(row),
    ]


def _aligned(cells: list[list[str]]) -> list[str]:
    """Lines of equal columns: names and verdicts to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    left = {cells[0].index("model") if "model" in cells[0] else -1, len(widths) - 1}
    return [
        "  ".join(
            f"{cell:{'<' if i in left else '>'}{width}s}"
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]


def _outcome(row: NamedTuple) -> str:
    """The verdict on a model, or why it has no rank."""
    if pd.isna(row.rank):
        return row.reason.partition(":")[0] if row.reason.startswith("failed") else "no rank"
    return row.verdict


def _remarks(comparison: Comparison) -> list[str]:
    """What the reader of the ranking has to know, in sentences."""
    ranking, pairs = comparison.ranking, comparison.pairs
    n = int(pairs["p"].notna().sum())
    lines = [
        f"{row.dataset}, {row.model}: {row.reason}."
        for row in ranking[ranking["reason"] != ""].itertuples()
    ]
    if (ranking["reason"] == BELOW_HALF).any():
        lines.append("Models with fewer than half of their structures accepted rank behind others.")
    if n:
        how = ", ".join(dict.fromkeys(pairs.loc[pairs["p"].notna(), "method"]))
        lines.append(f"P-values: {how}; corrected for {n} comparison{'s' * (n > 1)} (Holm).")
    if (pairs["method"] == SAMPLING).any():
        lines.append(
            "Sampling error only: no two seeds pair, so that another training may rank otherwise."
        )
    if (pairs["method"] == NO_TEST).any():
        lines.append("Not tested: values without a spread over seeds and without a sampling error.")
    for name in comparison.split:
        lines += [
            f"{name}: several runs have this model and seed; they count as different models.",
            "For trainings of one model give each its --seed in evaluate.",
        ]
    return lines


def to_json(comparison: Comparison) -> str:
    """Best value of each metric, ranking and all pairs as JSON; what is not defined is null."""
    tables = {"ranking": comparison.ranking, "pairs": comparison.pairs}
    content: dict[str, object] = {
        "metrics": {
            dataset: {"metric": name, "unit": METRICS[name].unit, "rule": METRICS[name].rule}
            for dataset, name in comparison.metrics.items()
        }
    }
    content |= {name: json.loads(table.to_json(orient="records")) for name, table in tables.items()}
    return json.dumps(content, indent=2, ensure_ascii=False)


def _span(low: float, high: float) -> str:
    return "" if np.isnan(low) or np.isnan(high) else f"[{low:.3g}, {high:.3g}]"


def _plain(value: float, digits: str, unit: str = "") -> str:
    return "–" if np.isnan(value) else f"{value:{digits}}{unit}"


def _p(value: float) -> str:
    if np.isnan(value):
        return ""
    return f"< {SMALLEST_P:g}" if value < SMALLEST_P else f"{value:.2g}"
