"""Tables of a run: metrics beside the published numbers, and the ranking."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from dismai.base.atomic import write_atomically
from dismai.base.card import Card
from dismai.base.columns import PUBLISHED_STEPS
from dismai.base.kinds import KINDS
from dismai.datasets.published import MARK, differences, published_numbers, shown
from dismai.evaluation.ranking import NOT_RUN
from dismai.evaluation.ranking import ranking as rank
from dismai.files.structures import METRICS_SCHEMA, write_csv, write_table
from dismai.metrics.entries import METRICS, headings, self_reported_headings, stage_headings
from dismai.report.ranking import FEW, ranking_notes, readable_ranking

__all__ = ["published_numbers"]

HEADINGS = {kind: headings(kind) for kind in KINDS}
"""Metrics of Tables 3, 2 and 1, by the kind of the datasets, and their headings."""
SELF_REPORT_HEADINGS = self_reported_headings()
"""What models say of their own structures; something was published beside that of crystals."""
STAGE_HEADINGS = stage_headings()
"""Where structures fail, in percent of the generated ones; nothing was published beside it."""
KEYS = ["dataset", "model", "kind", "metric", "unit"]
SPREAD = ["mean", "min", "max", "ci_low", "ci_high"]
STYLE = """
body { font-family: sans-serif; font-size: 13px; margin: 1em; color: #1c2733; }
div { overflow-x: auto; margin-bottom: 1.5em; } table { border-collapse: collapse; }
th, td { padding: 3px 10px; text-align: right; white-space: nowrap; border-bottom: 1px solid #ddd; }
th { background: #f3f3f3; } td.text, th.text { text-align: left; }
caption { text-align: left; font-weight: bold; padding: .3em 0; }
tr.baseline { color: #5b6975; } td.differs { color: #8a939b; font-style: italic; }
p { max-width: 60em; margin: .4em 0; }
"""
TEXT_COLUMNS = (
    *("dataset", "model", "kind", "note", "tied with", "stage", "reason", "rule"),
    *("submission", "hardware", "commit", "command"),
)


def over_seeds(metrics: pd.DataFrame) -> pd.DataFrame:
    """Mean, least and greatest value over the trainings of a model, one row a metric.

    With a single training the interval of its value stands in ci_low and ci_high. n_accepted and
    n_accepted_max are the least and greatest number of accepted structures of a training.
    """
    groups = metrics.groupby(KEYS, sort=False)
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
    metrics: pd.DataFrame,
    cards: Sequence[Card],
    published: pd.DataFrame,
    unrelaxed: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Metrics with the published ones beside, one row a dataset, model and metric.

    unrelaxed: metrics of the same structures before relaxation, which stand in columns of their
    own; None: there are none.

    Only datasets with a card are taken. Published rows of models that were not run are kept.
    published_differs says why a published value does not compare: size, target or potential of
    the dataset are not those of the paper; it is empty where it does.
    """
    n_atoms = {card.name: card.most_atoms for card in cards}
    ours = over_seeds(metrics[metrics["dataset"].isin(n_atoms)])
    none = METRICS_SCHEMA.empty_table().to_pandas()
    before = over_seeds(none if unrelaxed is None else unrelaxed)[[*KEYS, *SPREAD]]
    before = before.rename(columns={name: f"unrelaxed_{name}" for name in SPREAD})
    ours = ours.merge(before, on=KEYS, how="left")
    wanted = published[published["dataset"].isin(n_atoms)]
    table = ours.merge(wanted, on=["dataset", "model", "metric"], how="outer")
    table = _beside_our_own(table, ours)
    table["unit"] = table["unit"].fillna(table["metric"].map(lambda name: METRICS[name].unit))
    table["n_atoms"] = table["dataset"].map(n_atoms)
    for column in ("n_seeds", "n_generated", "n_accepted", "n_accepted_max"):
        table[column] = table[column].fillna(0).astype(int)
    reasons = {card.name: "; ".join(differences(card)) for card in cards}
    known = table[["published_mean", "published_min"]].notna().any(axis=1)
    table["published_differs"] = table["dataset"].map(reasons).where(known, "")
    kinds = ["baseline", "trained", "pretrained", "command", "file", "published only"]
    table["order"] = table["kind"].map({kind: i for i, kind in enumerate(kinds)})
    datasets = {card.name: i for i, card in enumerate(cards)}
    table["dataset_order"] = table["dataset"].map(datasets)
    table = table.sort_values(["dataset_order", "order", "model", "metric"], ignore_index=True)
    return table.drop(columns=["order", "dataset_order"])


def _beside_our_own(table: pd.DataFrame, ours: pd.DataFrame) -> pd.DataFrame:
    """Published rows of what was run beside its other metrics, the rest as published only."""
    of_set = ["kind", "n_generated", "n_accepted", "n_accepted_max"]
    sets = ours.drop_duplicates(["dataset", "model"])[["dataset", "model", *of_set]]
    found = table[["dataset", "model"]].merge(sets, on=["dataset", "model"], how="left")
    for column in of_set:
        table[column] = table[column].fillna(found[column])
    table["kind"] = table["kind"].fillna("published only")
    return table


def ranking(metrics: pd.DataFrame, cards: Sequence[Card]) -> pd.DataFrame:
    """The ranking of `evaluation.ranking` over the datasets of the cards."""
    return rank(metrics, {card.name: KINDS[card.kind].headline for card in cards})


def readable_tables(table: pd.DataFrame, headings: Mapping[str, str] | None) -> list[pd.DataFrame]:
    """Tables for people.

    Of metrics: those that compare, the same before relaxation, shares that fail at each stage,
    and what models say of themselves; a table without values is left out.

    headings: metrics to show and their headings; None: the table is a ranking.
    """
    if headings is None:
        return [readable_ranking(table)]
    changed = [name for name in headings if not METRICS[name].of_generated]
    before = table[table["metric"].isin(changed) & table["unrelaxed_mean"].notna()]
    before = before.assign(**{name: before[f"unrelaxed_{name}"] for name in SPREAD})
    others = {
        "The same structures before relaxation": (before, headings),
        "Where structures fail, in percent of those generated": (table, STAGE_HEADINGS),
        "What models say of their own structures": (table, SELF_REPORT_HEADINGS),
    }
    found = [wide_table(table, headings, published=True)]
    for caption, (rows, own) in others.items():
        if rows["metric"].isin(own).any():
            wide = wide_table(rows, own, published=own is SELF_REPORT_HEADINGS)
            if own is SELF_REPORT_HEADINGS:  # of few metrics something was published
                wide = _without_empty(wide)
            wide.attrs["caption"] = caption
            found.append(wide)
    return found


def footnotes(table: pd.DataFrame, headings: Mapping[str, str] | None) -> list[str]:
    """What the reader of the readable tables has to know, in sentences."""
    if headings is None:
        return ranking_notes(table)
    notes = [
        "Brackets: least and greatest value of several trainings, or the 95 % interval over the "
        "structures of a single one.",
        FEW,
        "Best values: " + ", ".join(f"{headings[name]} {METRICS[name].best:g}" for name in headings)
        + ".",
    ]  # fmt: skip
    short = table[table["metric"].eq(PUBLISHED_STEPS) & (table["mean"] < 100)]
    notes += [
        f"{row.model} on {row.dataset} has made {row.mean:.2g} % of the steps of the published "
        "training: no value in its row tells of the method when trained to the end."
        for row in short.itertuples()
    ]
    differs = table.loc[table["published_differs"] != "", ["dataset", "published_differs"]]
    return notes + [
        f"{MARK} Published values of {row.dataset} do not compare: {row.published_differs}."
        for row in differs.drop_duplicates().itertuples()
    ]


def wide_table(table: pd.DataFrame, headings: Mapping[str, str], published: bool) -> pd.DataFrame:
    """One row a dataset and model, value and spread of a metric in one cell.

    attrs["differs"]: why published values of a dataset do not compare, by dataset.
    """
    rows = {}
    for row in table[table["metric"].isin(headings)].itertuples():
        cells = rows.setdefault((row.dataset, row.model, row.kind), {"n": _number_of(row)})
        low, high = (row.min, row.max) if row.n_seeds > 1 else (row.ci_low, row.ci_high)
        heading = headings[row.metric]
        cells[heading] = shown(row.mean, low, high) or _why_none(row)
        if published:
            theirs = shown(row.published_mean, row.published_min, row.published_max)
            mark = f" {MARK}" if theirs and row.published_differs else ""
            cells[f"{heading}, published"] = theirs + mark
    wanted = [name for heading in headings.values() for name in (heading, f"{heading}, published")]
    columns = [name for name in wanted if any(name in cells for cells in rows.values())]
    index = pd.MultiIndex.from_tuples(rows, names=["dataset", "model", "kind"])
    wide = pd.DataFrame(list(rows.values()), index=index, columns=["n", *columns])
    wide = wide.fillna("").replace("", "–").reset_index()
    reasons = zip(table["dataset"], table["published_differs"], strict=True)
    wide.attrs["differs"] = {dataset: reason for dataset, reason in reasons if reason}
    return wide


def _without_empty(wide: pd.DataFrame) -> pd.DataFrame:
    """Without columns of published values that hold none."""
    empty = [name for name in wide if name.endswith(", published") and (wide[name] == "–").all()]
    return wide.drop(columns=empty)


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
    if row.n_seeds == 0:
        return ""
    return "none accepted" if row.n_accepted_max == 0 else "not defined"


def to_markdown(*tables: pd.DataFrame, notes: Sequence[str] = ()) -> str:
    """GitHub tables, and sentences below them."""
    parts = [f"{_caption(table)}{_markdown(table)}" for table in tables]
    return "\n".join([*parts, *(f"{note}\n" for note in notes)])


def _caption(table: pd.DataFrame) -> str:
    """What a table shows, where that is not plain, as a paragraph before it."""
    return f"{table.attrs['caption']}:\n\n" if "caption" in table.attrs else ""


def _markdown(table: pd.DataFrame) -> str:
    lines = [list(map(str, table.columns)), ["---"] * len(table.columns)]
    lines += [list(map(str, row)) for row in table.itertuples(index=False)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def to_html(*tables: pd.DataFrame, notes: Sequence[str] = ()) -> str:
    """A self-contained page of tables, and sentences below them."""
    body = "".join(html_table(table) for table in tables)
    below = "".join(f"<p>{escape(note)}</p>" for note in notes)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Table</title>'
        f"<style>{STYLE}</style></head><body><main>{body}{below}</main></body></html>\n"
    )


def html_table(table: pd.DataFrame, swatches: Callable[[str], str] = lambda model: "") -> str:
    """A table that scrolls by itself; published values that do not compare say why.

    attrs of the table: caption, and differs (see `wide_table`).
    swatches: HTML before the name of a model.
    """
    names = [str(column) for column in table.columns]
    kinds = [' class="text"' if name in TEXT_COLUMNS else "" for name in names]
    head = "".join(
        f'<th scope="col"{kind}>{escape(name)}</th>'
        for name, kind in zip(names, kinds, strict=True)
    )
    rows = []
    for row in table.to_dict("records"):
        why = escape(table.attrs.get("differs", {}).get(row.get("dataset"), ""))
        cells = []
        for (name, value), kind in zip(row.items(), kinds, strict=True):
            attributes, text = kind, escape(str(value))
            if str(value).endswith(MARK):
                attributes = f' class="differs" title="does not compare: {why}"'
            elif name == "model":
                text = swatches(str(value)) + text
            cells.append(f"<td{attributes}>{text}</td>")
        rows.append(f'<tr class="{escape(str(row.get("kind", "")))}">{"".join(cells)}</tr>')
    body, caption = "\n".join(rows), table.attrs.get("caption")
    above = f"<caption>{escape(caption)}</caption>" if caption else ""
    named = f' role="group" aria-label="{escape(caption)}"' if caption else ""
    return (
        f'<div class="wide" tabindex="0"{named}><table>{above}<thead><tr>{head}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div>"
    )


def write_all(
    table: pd.DataFrame,
    parquet: Path,
    csv: Path,
    markdown: Path,
    page: Path,
    meta: dict[str, str],
    headings: Mapping[str, str] | None = None,
) -> None:
    """Write a table as Parquet and CSV, and for people as Markdown and HTML (`readable_tables`)."""
    schema = pa.Schema.from_pandas(table, preserve_index=False).remove_metadata()
    write_table(table, Path(parquet), schema, meta)
    write_csv(table, csv, digits=8)
    shown, notes = readable_tables(table, headings), footnotes(table, headings)
    write_atomically(markdown, to_markdown(*shown, notes=notes))
    write_atomically(page, to_html(*shown, notes=notes))
