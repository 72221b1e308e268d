"""Tables of a run: metrics beside the published numbers, and the ranking."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from dismai.base.atomic import write_atomically
from dismai.base.card import DatasetSpec
from dismai.base.kinds import KINDS
from dismai.datasets.published import MARK, differences, published_numbers
from dismai.evaluation.standing import BELOW_HALF, Standing, places, standing
from dismai.files.structures import write_csv, write_table
from dismai.metrics.entries import FEWEST_STRUCTURES, METRICS, headings, self_reported_headings

__all__ = ["published_numbers"]

HEADINGS = {kind: headings(kind) for kind in KINDS}
"""Metrics of Tables 3, 2 and 1, by the kind of the datasets, and their headings."""
SAID_HEADINGS = self_reported_headings()
"""What models say of their own structures; nothing was published beside it."""
NOT_RUN = "not run"
STYLE = """
body { font-family: sans-serif; font-size: 13px; margin: 1em; color: #1c2733; }
div { overflow-x: auto; margin-bottom: 1.5em; } table { border-collapse: collapse; }
th, td { padding: 3px 10px; text-align: right; white-space: nowrap; border-bottom: 1px solid #ddd; }
th { background: #f3f3f3; } td.text, th.text { text-align: left; }
tr.baseline { color: #5b6975; } td.differs { color: #8a939b; font-style: italic; }
p { max-width: 60em; margin: .4em 0; }
"""
TEXT_COLUMNS = ("dataset", "model", "kind", "note")


def over_seeds(metrics: pd.DataFrame) -> pd.DataFrame:
    """Mean, least and greatest value over the trainings of a model, one row a metric.

    With a single training the interval of its value stands in ci_low and ci_high. n_accepted and
    n_accepted_max are the least and greatest number of accepted structures of a training.
    """
    keys = ["dataset", "model", "kind", "metric", "unit"]
    groups = metrics.groupby(keys, sort=False)
    table = groups.agg(
        n_seeds=("seed", "nunique"),
        mean=("value", "mean"),
        min=("value", "min"),
        max=("value", "max"),
        ci_low=("ci_low", "first"),
        ci_high=("ci_high", "first"),
        n_generated=("n_generated", "first"),
        n_accepted=("n_accepted", "min"),
        n_accepted_max=("n_accepted", "max"),
    ).reset_index()
    table.loc[table["n_seeds"] > 1, ["ci_low", "ci_high"]] = np.nan
    return table


def metrics_table(
    metrics: pd.DataFrame, cards: Sequence[DatasetSpec], published: pd.DataFrame
) -> pd.DataFrame:
    """Metrics with the published ones beside, one row a dataset, model and metric.

    Only datasets with a card are taken. Published rows of models that were not run are kept.
    published_differs says why a published value does not compare: size, target or potential of
    the dataset are not those of the paper; it is empty where it does.
    """
    n_atoms = {card.name: card.n_atoms for card in cards}
    ours = over_seeds(metrics[metrics["dataset"].isin(n_atoms)])
    wanted = published[published["dataset"].isin(n_atoms)]
    table = ours.merge(wanted, on=["dataset", "model", "metric"], how="outer")
    table["kind"] = table["kind"].fillna("published only")
    table["unit"] = table["unit"].fillna(table["metric"].map(lambda name: METRICS[name].unit))
    table["n_atoms"] = table["dataset"].map(n_atoms)
    for column in ("n_seeds", "n_generated", "n_accepted", "n_accepted_max"):
        table[column] = table[column].fillna(0).astype(int)
    reasons = {card.name: "; ".join(differences(card)) for card in cards}
    known = table["published_mean"].notna()
    table["published_differs"] = table["dataset"].map(reasons).where(known, "")
    kinds = ["baseline", "trained", "command", "file", "published only"]
    table["order"] = table["kind"].map({kind: i for i, kind in enumerate(kinds)})
    datasets = {card.name: i for i, card in enumerate(cards)}
    table["dataset_order"] = table["dataset"].map(datasets)
    table = table.sort_values(["dataset_order", "order", "model", "metric"], ignore_index=True)
    return table.drop(columns=["order", "dataset_order"])


def ranking(metrics: pd.DataFrame, cards: Sequence[DatasetSpec]) -> pd.DataFrame:
    """Models by their mean rank over all datasets of the cards, baselines beside them.

    The headline metric of the kind of each dataset ranks (d_cluster, d_motif, d_all), by the
    rules of `evaluation.standing`. What was not run, what failed and what has fewer than ten
    accepted structures takes the place behind all ranked ones. Baselines stand outside: their
    rank on a dataset is the place that they would take among the models.

    A model that has a rank nowhere has no mean rank.

    Columns: place, model, kind, mean_rank, n_ranked and note; for each dataset rank_, n_ (least
    number of accepted structures of a training) and note_.
    """
    headlines = {card.name: KINDS[card.kind].headline for card in cards}
    chosen = metrics[metrics["metric"] == metrics["dataset"].map(headlines)]
    kinds = dict(zip(chosen["model"], chosen["kind"], strict=True))
    models = [name for name, kind in kinds.items() if kind != "baseline"]
    wide = pd.DataFrame({"model": list(kinds), "kind": list(kinds.values())}).set_index("model")
    columns = {}
    for dataset, metric in headlines.items():
        rows = chosen[chosen["dataset"] == dataset]
        sets = {name: part for name, part in rows.groupby("model", sort=False)}
        stands = {name: standing(part, metric) for name, part in sets.items()}
        ranks = _ranks(stands, models, list(kinds))
        columns[f"rank_{dataset}"] = pd.Series(ranks, dtype=float)
        numbers = {name: part["n_accepted"].min() for name, part in sets.items()}
        columns[f"n_{dataset}"] = pd.Series(numbers, dtype="Int64")
        reasons = {name: stands[name].reason if name in stands else NOT_RUN for name in kinds}
        columns[f"note_{dataset}"] = pd.Series(reasons, dtype=str)
    wide = wide.join(pd.DataFrame(columns, index=wide.index))
    own = wide[[f"rank_{dataset}" for dataset in headlines]]
    wide.insert(1, "n_ranked", [_n_ranked(row, headlines) for _, row in wide.iterrows()])
    ranked = (wide["kind"] != "baseline") & (wide["n_ranked"] > 0)
    wide.insert(1, "mean_rank", own.mean(axis=1).where(ranked))
    wide.insert(3, "note", [_summary(row, headlines) for _, row in wide.iterrows()])
    place = wide["mean_rank"].rank(method="min").astype("Int64")
    wide.insert(0, "place", place)
    beside = wide["kind"] == "baseline"
    ordered = wide.assign(beside=beside).reset_index()
    ordered = ordered.sort_values(["beside", "mean_rank", "model"], ignore_index=True)
    return ordered.drop(columns="beside")


def _ranks(
    stands: Mapping[str, Standing], models: Sequence[str], names: Sequence[str]
) -> dict[str, float]:
    """Rank of every set on one dataset; nan for a baseline that was not run or failed."""
    own = [name for name in models if name in stands]
    ranks = dict(zip(own, places([stands[name] for name in own]), strict=True))
    last = 1 + sum(rank is not None for rank in ranks.values())
    found = {name: ranks.get(name) or last for name in models}
    for name in names:
        if name not in found:  # a baseline: the place that it would take
            beside = [*(stands[other] for other in own), stands.get(name)]
            known = beside[-1] is not None and beside[-1].ranked
            found[name] = places(beside)[-1] if known else np.nan
    return found


def _n_ranked(row: pd.Series, datasets: Mapping[str, str]) -> int:
    """Datasets on which a model has a rank of its own."""
    return sum(row[f"note_{name}"] in ("", BELOW_HALF) for name in datasets)


def _summary(row: pd.Series, datasets: Mapping[str, str]) -> str:
    """On how many datasets a model failed, has too few structures, or was not run."""
    notes = [_short(row[f"note_{name}"]) for name in datasets]
    counts = pd.Series([note for note in notes if note]).value_counts(sort=False)
    return "; ".join(f"{note} on {n} of {len(datasets)}" for note, n in counts.items())


def readable(table: pd.DataFrame, headings: Mapping[str, str] | None) -> list[pd.DataFrame]:
    """Tables for people; of metrics: those that compare, and what models say of themselves.

    headings: metrics to show and their headings; None: the table is a ranking.
    """
    if headings is None:
        return [_readable_ranking(table)]
    said = table[table["metric"].isin(SAID_HEADINGS)]
    own = [] if said.empty else [_wide(said, SAID_HEADINGS, published=False)]
    return [_wide(table, headings, published=True), *own]


def footnotes(table: pd.DataFrame, headings: Mapping[str, str] | None) -> list[str]:
    """What the reader of the readable tables has to know, in sentences."""
    few = (
        f"n: accepted structures, the least of several trainings. Below {FEWEST_STRUCTURES} "
        "there is no rank: so few say nothing about a distribution."
    )
    if headings is None:
        return [
            few,
            "What was not run, failed or has too few structures is last on that dataset; fewer "
            "than half accepted ranks behind all with more.",
            "Baselines are not ranked: in brackets the place that they would take.",
        ]
    notes = [
        "Brackets: least and greatest value of several trainings, or the 95 % interval over the "
        "structures of a single one.",
        few,
        "Best values: " + ", ".join(f"{headings[name]} {METRICS[name].best:g}" for name in headings)
        + ".",
    ]  # fmt: skip
    differs = table.loc[table["published_differs"] != "", ["dataset", "published_differs"]]
    return notes + [
        f"{MARK} Published values of {row.dataset} do not compare: {row.published_differs}."
        for row in differs.drop_duplicates().itertuples()
    ]


def _readable_ranking(table: pd.DataFrame) -> pd.DataFrame:
    datasets = [name.removeprefix("rank_") for name in table if name.startswith("rank_")]
    rows = []
    for row in table.to_dict("records"):
        baseline = row["kind"] == "baseline"
        cells = {
            "place": "–" if pd.isna(row["place"]) else str(row["place"]),
            "model": row["model"],
            "kind": row["kind"],
            "mean rank": "–" if pd.isna(row["mean_rank"]) else f"{row['mean_rank']:.3g}",
            "ranked on": f"{row['n_ranked']} of {len(datasets)}",
        }
        for name in datasets:
            rank, n, note = (row[f"{part}_{name}"] for part in ("rank", "n", "note"))
            known = "" if pd.isna(rank) else f"{rank:g}"
            if note not in ("", BELOW_HALF):
                known = "" if baseline else "last"
            known = f"({known})" if baseline and known else known
            number = "" if pd.isna(n) else f"n {n}"
            cells[name] = ", ".join(part for part in (known, number, _short(note)) if part)
        rows.append({**cells, "note": row["note"]})
    return pd.DataFrame(rows)


def _short(note: str) -> str:
    """A reason without the number of structures that stands before it."""
    return "too few" if note.startswith("only") else note.partition(":")[0]


def _wide(table: pd.DataFrame, headings: Mapping[str, str], published: bool) -> pd.DataFrame:
    """One row a dataset and model, value and spread of a metric in one cell.

    attrs["differs"]: why published values of a dataset do not compare, by dataset.
    """
    rows = {}
    for row in table[table["metric"].isin(headings)].itertuples():
        cells = rows.setdefault((row.dataset, row.model, row.kind), {"n": _number_of(row)})
        low, high = (row.min, row.max) if row.n_seeds > 1 else (row.ci_low, row.ci_high)
        heading = headings[row.metric]
        cells[heading] = _cell(row.mean, low, high) or _why_none(row)
        if published:
            theirs = _cell(row.published_mean, row.published_min, row.published_max)
            mark = f" {MARK}" if theirs and row.published_differs else ""
            cells[f"{heading}, published"] = theirs + mark
    wanted = [name for heading in headings.values() for name in (heading, f"{heading}, published")]
    columns = [name for name in wanted if any(name in cells for cells in rows.values())]
    index = pd.MultiIndex.from_tuples(rows, names=["dataset", "model", "kind"])
    wide = pd.DataFrame(list(rows.values()), index=index, columns=["n", *columns])
    wide = wide.replace("", np.nan).fillna("–").reset_index()
    reasons = zip(table["dataset"], table["published_differs"], strict=True)
    wide.attrs["differs"] = {dataset: reason for dataset, reason in reasons if reason}
    return wide


def _number_of(row: NamedTuple) -> str:
    """Accepted structures, of several trainings the least and the greatest number."""
    if row.kind == "published only":
        return ""
    same = row.n_accepted == row.n_accepted_max
    return str(row.n_accepted) if same else f"{row.n_accepted} … {row.n_accepted_max}"


def _why_none(row: NamedTuple) -> str:
    """Why a metric has no value."""
    if row.kind == "published only":
        return NOT_RUN
    return "none accepted" if row.n_accepted_max == 0 else "not defined"


def _cell(value: float, low: float, high: float) -> str:
    """A value with its limits; empty without a value."""
    if np.isnan(value):
        return ""
    if np.isnan(low) or np.isnan(high):
        return f"{value:.3g}"
    return f"{value:.3g} [{low:.3g}, {high:.3g}]"


def to_markdown(*tables: pd.DataFrame, notes: Sequence[str] = ()) -> str:
    """GitHub tables, and sentences below them."""
    return "\n".join([*(_markdown(table) for table in tables), *(f"{note}\n" for note in notes)])


def _markdown(table: pd.DataFrame) -> str:
    lines = [list(map(str, table.columns)), ["---"] * len(table.columns)]
    lines += [list(map(str, row)) for row in table.itertuples(index=False)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def to_html(*tables: pd.DataFrame, notes: Sequence[str] = ()) -> str:
    """A self-contained page of tables, and sentences below them."""
    body = "".join(_html(table) for table in tables)
    below = "".join(f"<p>{escape(note)}</p>" for note in notes)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Table</title>'
        f"<style>{STYLE}</style></head><body><main>{body}{below}</main></body></html>\n"
    )


def _html(table: pd.DataFrame) -> str:
    names = [str(column) for column in table.columns]
    kinds = [' class="text"' if name in TEXT_COLUMNS else "" for name in names]
    head = "".join(
        f'<th scope="col"{kind}>{escape(name)}</th>'
        for name, kind in zip(names, kinds, strict=True)
    )
    rows = []
    for row in table.to_dict("records"):
        why = escape(table.attrs.get("differs", {}).get(row.get("dataset"), ""))
        cells = "".join(
            f'<td class="differs" title="does not compare: {why}">{escape(str(value))}</td>'
            if str(value).endswith(MARK)
            else f"<td{kind}>{escape(str(value))}</td>"
            for value, kind in zip(row.values(), kinds, strict=True)
        )
        rows.append(f'<tr class="{escape(str(row.get("kind", "")))}">{cells}</tr>')
    body = "\n".join(rows)
    return f'<div tabindex="0"><table><tr>{head}</tr>\n{body}</table></div>'


def write_all(
    table: pd.DataFrame,
    parquet: Path,
    csv: Path,
    markdown: Path,
    page: Path,
    meta: dict[str, str],
    headings: Mapping[str, str] | None = None,
) -> None:
    """Write a table as Parquet and CSV, and for people as Markdown and HTML (`readable`)."""
    schema = pa.Schema.from_pandas(table, preserve_index=False).remove_metadata()
    write_table(table, Path(parquet), schema, meta)
    write_csv(table, csv, digits=8)
    shown, notes = readable(table, headings), footnotes(table, headings)
    write_atomically(markdown, to_markdown(*shown, notes=notes))
    write_atomically(page, to_html(*shown, notes=notes))
