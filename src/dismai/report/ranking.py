"""The ranking for people: one table, blocks for a terminal, the spider chart."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from dismai.evaluation.ranking import BASELINE, NOT_RUN, short
from dismai.evaluation.standing import RANKED_REASONS
from dismai.metrics.entries import FEWEST_STRUCTURES, METRICS
from dismai.report.style import (
    Shown,
    add_notes,
    draw_legend,
    model_styles,
    new_figure,
    note_on,
    wrapped,
)

FEW = (
    f"n: accepted structures, the least of several trainings. Below {FEWEST_STRUCTURES} there is "
    "no rank: so few say nothing about a distribution."
)
RULE = (
    "What was not run, failed or has too few structures is last on that dataset; fewer than half "
    "accepted ranks behind all with more."
)
SURE = (
    "95 %: range of a rank in a bootstrap over {what}; tied: either order comes up in more than "
    "2.5 % of the resamples."
)
DRAWN = {
    "structures": "trainings and structures, drawn by their feature rows",
    "intervals": "trainings and structures, drawn from the intervals of the metric (no feature "
    "rows at hand)",
    "trainings": "trainings alone (structures are not known)",
}
BESIDE = "Baselines are not ranked: in brackets the place that they would take."
NONE = "–"
BESIDE_EACH_OTHER = 0.06
"""Ranks between lines of the spider chart that would hide each other."""


def ranking_notes(table: pd.DataFrame) -> list[str]:
    """What the reader of a ranking has to know, in sentences."""
    return [FEW, RULE, _sure(table), BESIDE]


def _sure(table: pd.DataFrame) -> str:
    """What the confidence comes from, and where it comes from something else."""
    own = table[table["kind"] != BASELINE]
    drawn = {name: set(own[f"drawn_{name}"]) - {""} for name in datasets_of(table)}
    ways = [way for way in DRAWN if any(way in found for found in drawn.values())]
    parts = []
    for way in ways:
        where = [name for name, found in drawn.items() if way in found]
        beside = "" if len(ways) == 1 else f" on {', '.join(where)}"
        parts.append(DRAWN[way] + beside)
    return SURE.format(what="; ".join(parts) or DRAWN["structures"])


def datasets_of(table: pd.DataFrame) -> list[str]:
    """Names of the datasets of a ranking, in its order."""
    return [name.removeprefix("rank_") for name in table if name.startswith("rank_")]


def readable_ranking(table: pd.DataFrame) -> pd.DataFrame:
    """One row a model: its place over all datasets, its rank on each, and how sure both are."""
    datasets = datasets_of(table)
    rows = []
    for row in table.to_dict("records"):
        cells = {
            "place": placed(row, table["place"]),
            "model": row["model"],
            "kind": row["kind"],
            "place, 95 %": span(row["place_low"], row["place_high"]),
            "mean rank": NONE if pd.isna(row["mean_rank"]) else f"{row['mean_rank']:.3g}",
            "tied with": row["tied"] or NONE,
            "ranked on": f"{row['n_ranked']} of {len(datasets)}",
        }
        for name in datasets:
            number = "" if pd.isna(row[f"n_{name}"]) else f"n {row[f'n_{name}']}"
            reason = short(row[f"note_{name}"])
            rank = _rank_and_range(row, name)
            cells[name] = ", ".join(part for part in (rank, number, reason) if part)
        rows.append({**cells, "note": row["note"]})
    return pd.DataFrame(rows)


def placed(row: Mapping[str, Any], places: pd.Series) -> str:
    """A place over all datasets, with a sign of equality where others have the same."""
    if pd.isna(row["place"]):
        return NONE
    return f"{row['place']}{'=' if (places == row['place']).sum() > 1 else ''}"


def span(low: float, high: float) -> str:
    """A range of ranks."""
    if np.isnan(low):
        return NONE
    return f"{low:.0f}" if low == high else f"{low:.0f}–{high:.0f}"


def _rank_and_range(row: Mapping[str, Any], dataset: str) -> str:
    """A rank on one dataset, the range of one that is not sure, brackets around a baseline's."""
    rank, note = row[f"rank_{dataset}"], row[f"note_{dataset}"]
    if row["kind"] == BASELINE:
        return "" if np.isnan(rank) or note not in RANKED_REASONS else f"({rank:g})"
    if note not in RANKED_REASONS:
        return "last"
    low, high = row[f"best_rank_{dataset}"], row[f"worst_rank_{dataset}"]
    return f"{rank:g}" if low == high == rank else f"{rank:g} [{span(low, high)}]"


def to_text(table: pd.DataFrame, headlines: Mapping[str, str]) -> str:
    """The ranking for a terminal: a block a dataset, then one headed `overall`.

    headlines: the metric that ranks on each dataset.
    """
    blocks = [_block(table, dataset, metric) for dataset, metric in headlines.items()]
    return "\n\n".join(
        [*blocks, _overall(table, len(headlines)), "\n".join(ranking_notes(table)[1:])]
    )


def _block(table: pd.DataFrame, dataset: str, metric: str) -> str:
    """Models by their rank on one dataset."""
    rows = [("rank", "95 %", "model", metric, "range or 95 %", "accepted", "tied with", "")]
    ranks = table.loc[table["kind"] != BASELINE, f"rank_{dataset}"]
    for row in _by_rank(table, dataset):
        rank, note = row[f"rank_{dataset}"], row[f"note_{dataset}"]
        if row["kind"] == BASELINE and note == NOT_RUN:
            continue
        if row["kind"] == BASELINE:
            shown, sure = NONE if np.isnan(rank) else f"({rank:g})", ""
        else:
            shown = f"{rank:g}{'=' if (ranks == rank).sum() > 1 else ''}"
            sure = span(row[f"best_rank_{dataset}"], row[f"worst_rank_{dataset}"])
        value, low, high = (row[f"{part}value_{dataset}"] for part in ("", "least_", "greatest_"))
        share = row[f"share_{dataset}"]
        rows.append(
            (
                shown,
                sure,
                row["model"],
                NONE if np.isnan(value) else f"{value:.3g}",
                "" if np.isnan(low) else f"[{low:.3g}, {high:.3g}]",
                NONE if np.isnan(share) else f"{100 * share:.3g} %",
                row[f"tied_{dataset}"].replace(";", ","),
                note,
            )
        )
    return "\n".join([f"{dataset} ({metric}: {METRICS[metric].rule})", *_columns(rows)])


def _by_rank(table: pd.DataFrame, dataset: str) -> list[dict[str, Any]]:
    """Rows of the table by rank on one dataset, unranked models and then baselines below."""
    keys = {
        "beside": table["kind"] == BASELINE,
        "unranked": ~table[f"note_{dataset}"].isin(RANKED_REASONS),
        "rank": table[f"rank_{dataset}"],
    }
    return table.assign(**keys).sort_values([*keys, "model"]).to_dict("records")


def _overall(table: pd.DataFrame, n_datasets: int) -> str:
    """Models by their mean rank over all datasets."""
    rows = [("place", "95 %", "model", "mean rank", "95 %", "ranked on", "tied with", "")]
    for row in table[table["kind"] != BASELINE].to_dict("records"):
        low, high = row["mean_rank_low"], row["mean_rank_high"]
        rows.append(
            (
                placed(row, table["place"]),
                span(row["place_low"], row["place_high"]),
                row["model"],
                NONE if np.isnan(row["mean_rank"]) else f"{row['mean_rank']:.3g}",
                "" if np.isnan(low) else f"[{low:.3g}, {high:.3g}]",
                f"{row['n_ranked']} of {n_datasets}",
                row["tied"].replace(";", ","),
                row["note"],
            )
        )
    return "\n".join(["overall (mean of the ranks)", *_columns(rows)])


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of equal columns, names and words to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    left = {2, 4, len(widths) - 1, len(widths) - 2}
    return [
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def to_json(table: pd.DataFrame, headlines: Mapping[str, str]) -> str:
    """The same numbers as JSON; what is not defined is null."""
    content = {"metrics": dict(headlines), "ranking": json.loads(table.to_json(orient="records"))}
    return json.dumps(content, indent=2, ensure_ascii=False)


def plot_spider(table: pd.DataFrame) -> Figure:
    """Ranks on all datasets, first outside and last in the centre, as Fig. 10 of the paper.

    Hollow marks: not ranked there, and so last. Bands: 95 % of the resamples.
    """
    datasets = datasets_of(table)
    models = table[(table["kind"] != BASELINE)].to_dict("records")
    looks = model_styles([row["model"] for row in models])
    figure = new_figure("Ranks of the models on every dataset", 7.0, 6.0)
    axes = figure.add_subplot(projection="polar")
    angles = np.linspace(0, 2 * np.pi, len(datasets), endpoint=False)
    closed = np.append(angles, angles[:1])
    last = max([1.0, *(row[f"rank_{name}"] for row in models for name in datasets)])
    for k, row in enumerate(models):
        color, linestyle = looks[row["model"]].color, looks[row["model"]].linestyle
        low, ranks, high = (
            np.array([row[f"{part}rank_{name}"] for name in (*datasets, *datasets[:1])])
            for part in ("best_", "", "worst_")
        )
        ranks = ranks + BESIDE_EACH_OTHER * (k - (len(models) - 1) / 2)
        axes.plot(closed, ranks, color=color, linestyle=linestyle, linewidth=1.8, zorder=2)
        axes.vlines(closed, low, high, color=color, alpha=0.35, linewidth=6, zorder=1)
        own = np.array([row[f"note_{name}"] in RANKED_REASONS for name in (*datasets, datasets[0])])
        axes.plot(closed[own], ranks[own], "o", color=color, markersize=6, zorder=3)
        axes.plot(
            closed[~own], ranks[~own], "o", color=color, markerfacecolor="white", markersize=6,
            zorder=3,
        )  # fmt: skip
    axes.set_ylim(last + 0.5, 0.7)
    axes.set_theta_offset(np.pi / 2)
    axes.set_yticks(range(1, int(last) + 1), [str(rank) for rank in range(1, int(last) + 1)])
    axes.set_rlabel_position(180 / max(len(datasets), 1))
    axes.set_xticks(angles, [wrapped(name, 14) for name in datasets], fontsize=9)
    axes.tick_params(axis="x", pad=20)
    empty = pd.DataFrame()
    draw_legend(figure, [Shown(row["model"], empty, looks[row["model"]]) for row in models], False)
    unranked = {
        row["model"]: sum(row[f"note_{name}"] not in RANKED_REASONS for name in datasets)
        for row in models
    }
    missing = [f"{name} on {n} of {len(datasets)}" for name, n in unranked.items() if n]
    add_notes(figure, note_on("hollow, not ranked and therefore last", missing))
    return figure
