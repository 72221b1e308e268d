"""Scored sets on disk: folders of `dismai evaluate --out` and result folders of the workflow."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from dismai.base.atomic import printable_name
from dismai.base.errors import InputError
from dismai.base.resources import resource
from dismai.datasets.published import published_numbers, published_trainings
from dismai.evaluation.reference import reference_digest
from dismai.evaluation.resampling import with_features
from dismai.files.structures import METRICS_SCHEMA, read_table


def load_runs(folders: Sequence[Path]) -> pd.DataFrame:
    """Metrics of all sets below some folders, with columns run and reference added.

    Of results of the workflow also the paths of `evaluation.resampling.with_features`.

    Raises:
        InputError: a folder without metrics, one folder twice, or sets of one
            dataset that were scored against different training sets.
    """
    folders = [Path(folder) for folder in folders]
    seen = set()
    for folder in folders:
        if os.path.realpath(folder) in seen:
            raise InputError(f"{folder}: expected each folder once, found it twice")
        seen.add(os.path.realpath(folder))
    tables = [
        _load(folder).assign(run=name)
        for folder, name in zip(folders, run_names(folders), strict=True)
    ]
    table = pd.concat(tables, ignore_index=True)
    for dataset, rows in table.groupby("dataset", sort=False):
        if rows["reference"].nunique() > 1:
            first, other = rows.drop_duplicates("reference")["run"].iloc[:2]
            raise InputError(
                f"{other}: {dataset}: expected the training set of {first}, found another one; "
                "distances from different training sets do not compare"
            )
    return table


def published_run() -> pd.DataFrame:
    """The trainings behind the published tables, for the ranking."""
    return published_trainings(published_numbers(resource("published.csv")))


def run_names(folders: Sequence[Path]) -> list[str]:
    """The ends of paths that tell folders apart: m0/eval and m1/eval, but demo alone."""
    parts = [Path(os.path.realpath(folder)).parts for folder in folders]
    names = []
    for own in parts:
        depth = 1
        while depth < len(own) and sum(other[-depth:] == own[-depth:] for other in parts) > 1:
            depth += 1
        names.append(printable_name("/".join(own[-depth:])))
    return names


def _load(folder: Path) -> pd.DataFrame:
    if not folder.is_dir():
        raise InputError(f"{folder}: expected a folder with metrics, found no such folder")
    if (folder / "metrics.parquet").is_file():
        return _of_evaluation(folder)
    files = sorted((folder / "metrics").glob("*/*/seed*.parquet"))
    if not files:
        raise InputError(
            f"{folder}: expected metrics.parquet of `dismai evaluate --out`, or "
            "metrics/<dataset>/<model>/seed<n>.parquet of the workflow, found neither"
        )
    references = {}
    tables = []
    for file in files:
        dataset = file.parts[-3]
        if dataset not in references:
            features = read_table(folder / "datasets" / dataset / "features.parquet")
            references[dataset] = reference_digest(features)
        tables.append(_checked(file).assign(reference=references[dataset]))
    return with_features(pd.concat(tables, ignore_index=True), folder)


def _of_evaluation(folder: Path) -> pd.DataFrame:
    file = folder / "metrics.parquet"
    table = _checked(file)
    with open(file, "rb") as stream:
        footer = (pq.read_schema(stream).metadata or {}).get(b"dismai", b"{}")
    digest = json.loads(footer).get("reference_sha256")
    if digest is None:
        raise InputError(f"{file}: expected a table of `dismai evaluate`, found another one")
    return table.assign(reference=digest)


def _checked(file: Path) -> pd.DataFrame:
    table = read_table(file)
    missing = sorted(set(METRICS_SCHEMA.names) - set(table.columns))
    if missing:
        raise InputError(f"{file}: expected a column {missing[0]}, found none")
    if len(table) == 0:
        raise InputError(f"{file}: expected metrics, found an empty table")
    return table
