"""Tables of a run: metrics beside the published numbers, and the ranking."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from dismai.datasets.spec import DatasetSpec
from dismai.evaluation.kinds import KINDS
from dismai.io import write_table
from dismai.metrics.entries import METRICS, headings, self_reported_headings

HEADINGS = {kind: headings(kind) for kind in KINDS}
"""Metrics of Tables 3, 2 and 1, by the kind of the datasets, and their headings."""
SAID_HEADINGS = self_reported_headings()
"""What models say of their own structures; nothing was published beside it."""
PUBLISHED_SOURCE = "Dismai-Bench paper"
PUBLISHED_MODELS = {
    "cdvae": "CDVAE",
    "diffcsp": "DiffCSP",
    "crystens": "CrysTens",
    "unimat": "UniMat",
    "cryingan": "CryinGAN",
}
STYLE = """
body { font-family: sans-serif; font-size: 13px; margin: 1em; }
table { border-collapse: collapse; margin-bottom: 1.5em; }
th, td { padding: 3px 10px; text-align: right; white-space: nowrap; border-bottom: 1px solid #ddd; }
th { background: #f3f3f3; } td:nth-child(-n+3), th:nth-child(-n+3) { text-align: left; }
tr.baseline { color: #777; } p { max-width: 50em; }
"""


def published_numbers(path: Path) -> pd.DataFrame:
    """Published metrics of all datasets (Tables 1 to 3), with our names of the models."""
    table = pd.read_csv(path, dtype=str)
    own = table["source"].eq(PUBLISHED_SOURCE) & table["table"].isin(["1", "2", "3"])
    table = table[own].copy()
    ours = {published: name for name, published in PUBLISHED_MODELS.items()}
    table["model"] = table["model"].map(ours)
    for column in ("mean", "min", "max"):
        table[f"published_{column}"] = table[column].astype(float)
    columns = ["dataset", "model", "metric", "published_mean", "published_min", "published_max"]
    return table[columns]


def over_seeds(metrics: pd.DataFrame) -> pd.DataFrame:
    """Mean, least and greatest value over the trainings of a model, one row a metric.

    With a single training the bootstrap interval of its value stands in ci_low and ci_high.
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
    ).reset_index()
    table.loc[table["n_seeds"] > 1, ["ci_low", "ci_high"]] = np.nan
    return table


def metrics_table(
    metrics: pd.DataFrame, cards: Sequence[DatasetSpec], published: pd.DataFrame
) -> pd.DataFrame:
    """Metrics with the published ones beside, one row a dataset, model and metric.

    Only datasets with a card are taken. Published rows of models that were not run are kept.
    n_atoms tells whether the two compare: the paper's structures have 256 atoms (interface: 264).
    """
    n_atoms = {card.name: card.n_atoms for card in cards}
    ours = over_seeds(metrics[metrics["dataset"].isin(n_atoms)])
    wanted = published[published["dataset"].isin(n_atoms)]
    table = ours.merge(wanted, on=["dataset", "model", "metric"], how="outer")
    table["kind"] = table["kind"].fillna("published only")
    table["unit"] = table["unit"].fillna(table["metric"].map(lambda name: METRICS[name].unit))
    table["n_atoms"] = table["dataset"].map(n_atoms)
    for column in ("n_seeds", "n_generated"):
        table[column] = table[column].fillna(0).astype(int)
    order = {kind: i for i, kind in enumerate(["baseline", "trained", "file", "published only"])}
    table["order"] = table["kind"].map(order)
    datasets = {card.name: i for i, card in enumerate(cards)}
    table["dataset_order"] = table["dataset"].map(datasets)
    table = table.sort_values(["dataset_order", "order", "model", "metric"], ignore_index=True)
    return table.drop(columns=["order", "dataset_order"])


def ranking(metrics: pd.DataFrame, cards: Sequence[DatasetSpec]) -> pd.DataFrame:
    """Models and baselines by their mean rank over the datasets they were scored on.

    The headline metric of the kind of each dataset ranks (d_cluster, d_motif, d_all). Rank 1 is
    the smallest distance; a set without an accepted structure comes last.
    """
    headlines = {card.name: KINDS[card.kind].headline for card in cards}
    table = over_seeds(metrics[metrics["metric"] == metrics["dataset"].map(headlines)])
    table["rank"] = table.groupby("dataset")["mean"].rank(method="min", na_option="bottom")
    wide = table.pivot(index=["model", "kind"], columns="dataset", values="rank")
    wide.columns = [f"rank_{dataset}" for dataset in wide.columns]
    wide.insert(0, "mean_rank", wide.mean(axis=1))
    wide.insert(1, "n_datasets", wide.notna().sum(axis=1) - 1)
    return wide.sort_values("mean_rank", kind="stable").reset_index()


def readable(table: pd.DataFrame, headings: Mapping[str, str] | None) -> list[pd.DataFrame]:
    """Tables for people; of metrics: those that compare, and what models say of themselves.

    headings: metrics to show and their headings; None: the table as it is, numbers shortened.
    """
    if headings is None:
        return [table.map(lambda value: f"{value:.3g}" if isinstance(value, float) else value)]
    said = table[table["metric"].isin(SAID_HEADINGS)]
    own = [] if said.empty else [_wide(said, SAID_HEADINGS, published=False)]
    return [_wide(table, headings, published=True), *own]


def _wide(table: pd.DataFrame, headings: Mapping[str, str], published: bool) -> pd.DataFrame:
    """One row a dataset and model, value and spread of a metric in one cell."""
    rows = {}
    for row in table[table["metric"].isin(headings)].itertuples():
        cells = rows.setdefault((row.dataset, row.model, row.kind), {})
        low, high = (row.min, row.max) if row.n_seeds > 1 else (row.ci_low, row.ci_high)
        heading = headings[row.metric]
        cells[heading] = _cell(row.mean, low, high)
        if published:
            cells[f"{heading}, published"] = _cell(
                row.published_mean, row.published_min, row.published_max
            )
    wanted = [name for heading in headings.values() for name in (heading, f"{heading}, published")]
    columns = [name for name in wanted if any(name in cells for cells in rows.values())]
    index = pd.MultiIndex.from_tuples(rows, names=["dataset", "model", "kind"])
    wide = pd.DataFrame(list(rows.values()), index=index, columns=columns)
    return wide.fillna("–").reset_index()


def _cell(value: float, low: float, high: float) -> str:
    if np.isnan(value):
        return "–"
    if np.isnan(low):
        return f"{value:.3g}"
    return f"{value:.3g} [{low:.3g}, {high:.3g}]"


def to_markdown(*tables: pd.DataFrame) -> str:
    """GitHub tables."""
    return "\n".join(_markdown(table) for table in tables)


def _markdown(table: pd.DataFrame) -> str:
    lines = [list(map(str, table.columns)), ["---"] * len(table.columns)]
    lines += [list(map(str, row)) for row in table.itertuples(index=False)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def to_html(*tables: pd.DataFrame) -> str:
    """A self-contained page of tables."""
    body = "".join(_html(table) for table in tables)
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><style>{STYLE}</style></head>'
        f"<body>{body}</body></html>\n"
    )


def _html(table: pd.DataFrame) -> str:
    head = "".join(f"<th>{escape(str(column))}</th>" for column in table.columns)
    rows = []
    for row in table.to_dict("records"):
        cells = "".join(f"<td>{escape(str(value))}</td>" for value in row.values())
        rows.append(f'<tr class="{escape(str(row.get("kind", "")))}">{cells}</tr>')
    body = "\n".join(rows)
    return f"<table><tr>{head}</tr>\n{body}</table>"


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
    table.to_csv(csv, index=False, float_format="%.8g")
    shown = readable(table, headings)
    Path(markdown).write_text(to_markdown(*shown))
    Path(page).write_text(to_html(*shown))
