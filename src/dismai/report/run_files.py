"""What the page of a run is made from, read from a folder of results."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from dismai.base.card import Card, read_card
from dismai.base.errors import InputError
from dismai.base.kinds import KINDS, in_our_order
from dismai.base.resources import resource
from dismai.datasets.published import published_numbers
from dismai.evaluation.process import STAGES
from dismai.evaluation.ranking import ranking
from dismai.evaluation.resampling import with_features
from dismai.files.structures import METRICS_SCHEMA, read_table
from dismai.report.tables import metrics_table

GENERATED = re.compile(r"seed(\d+)")


@dataclass(frozen=True)
class Set:
    """One generated set of a run: its model, its training and its folder."""

    dataset: str
    model: str
    seed: int
    folder: Path


def _selected(selections: list[dict[str, Any]]) -> set[tuple[str, str, int]]:
    return {
        run for one in selections for run in product(one["datasets"], one["models"], one["seeds"])
    }


class RunFiles:
    """A folder of results of the workflow.

    Raises:
        InputError: no such folder, or one without metrics, cards or a configuration.
    """

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        if not (self.folder / "metrics").is_dir():
            raise InputError(f"{folder}: expected results of the workflow, found no metrics/")

    @cached_property
    def config(self) -> dict[str, Any]:
        """The resolved configuration."""
        path = self.folder / "config.yaml"
        if not path.is_file():
            raise InputError(f"{path}: expected the configuration of a run, found no such file")
        return yaml.safe_load(path.read_text(encoding="utf-8"))

    @cached_property
    def models(self) -> list[str]:
        """Models that the configuration runs, for the same colours as in the figures."""
        run = {model for selection in self.config["runs"] for model in selection["models"]}
        return [name for name in self.config["models"] if name in run]

    @cached_property
    def of_studies(self) -> set[tuple[str, str, int]]:
        """Dataset, model and seed of what studies alone run: it has no place in the ranking."""
        studies = self.config.get("studies", {}).values()
        selections = [selection for rows in studies for selection in rows]
        return _selected(selections) - _selected(self.config["runs"])

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Metrics of every generated set but those of studies."""
        files = sorted((self.folder / "metrics").glob("*/*/seed*.parquet"))
        if not files:
            raise InputError(f"{self.folder}/metrics: expected metrics, found none")
        table = pd.concat(map(read_table, files), ignore_index=True)
        keys = pd.MultiIndex.from_frame(table[["dataset", "model", "seed"]])
        own = table[~keys.isin(self.of_studies)].reset_index(drop=True)
        if own.empty:
            raise InputError(
                f"{self.folder}/metrics: expected metrics of `runs`, found those of studies alone, "
                f"whose pages are in {self.folder}/tables/studies"
            )
        return own

    @cached_property
    def unrelaxed(self) -> pd.DataFrame:
        """The same before relaxation, where sets were relaxed."""
        tables = [read_table(one.folder / "unrelaxed.parquet") for one in self.sets
                  if (one.folder / "unrelaxed.parquet").is_file()]  # fmt: skip
        tables = [table for table in tables if len(table)]
        if not tables:
            return METRICS_SCHEMA.empty_table().to_pandas()
        return pd.concat(tables, ignore_index=True)

    @cached_property
    def cards(self) -> dict[str, Card]:
        """Cards of the datasets that were scored, in the order of our kinds."""
        names = in_our_order(self.metrics["dataset"].unique())
        return {name: read_card(self.folder / "datasets" / name / "card.json") for name in names}

    @cached_property
    def headlines(self) -> dict[str, str]:
        """The metric that ranks on each dataset."""
        return {name: KINDS[card.kind].headline for name, card in self.cards.items()}

    @cached_property
    def ranking(self) -> pd.DataFrame:
        return ranking(with_features(self.metrics, self.folder), self.headlines)

    def table(self, dataset: str) -> pd.DataFrame:
        """Metrics of one dataset, the published ones beside."""
        published = published_numbers(resource("published.csv"))
        return metrics_table(self.metrics, [self.cards[dataset]], published, self.unrelaxed)

    @cached_property
    def sets(self) -> list[Set]:
        """Every generated set, trained models before baselines."""
        kinds = self.metrics.drop_duplicates("model").set_index("model")["kind"]
        return sorted(self._sets(), key=lambda one: kinds.get(one.model) == "baseline")

    def _sets(self) -> Iterator[Set]:
        rows = self.metrics.drop_duplicates(["dataset", "model", "seed"])
        for row in rows.itertuples():
            folder = self.folder / "generated" / row.dataset / row.model / f"seed{row.seed}"
            yield Set(row.dataset, row.model, int(row.seed), folder)

    @cached_property
    def fates(self) -> pd.DataFrame:
        """What became of every generated structure: dataset, model, seed and the fate."""
        tables = [
            read_table(one.folder / "fates.parquet").assign(
                dataset=one.dataset, model=one.model, seed=one.seed
            )
            for one in self.sets
        ]
        return pd.concat(tables, ignore_index=True)

    def stages(self) -> pd.DataFrame:
        """Structures by dataset and model that were generated, accepted, and failed at a stage."""
        fates = self.fates
        stage = fates["stage"].where(fates["status"] == "rejected", "accepted")
        counts = fates.assign(stage=stage).groupby(["dataset", "model", "stage"], sort=False).size()
        wide = counts.unstack("stage", fill_value=0).reindex(
            columns=["accepted", *STAGES], fill_value=0
        )
        order = list(dict.fromkeys(zip(fates["dataset"], fates["model"], strict=True)))
        return wide.loc[sorted(order, key=lambda key: list(self.cards).index(key[0]))]

    def reasons(self) -> pd.DataFrame:
        """Reasons of failure, numbers in them replaced: dataset, model, stage, reason, count."""
        lost = self.fates[self.fates["status"] == "rejected"]
        general = lost["reason"].str.replace(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?", "#", regex=True)
        keys = ["dataset", "model", "stage", "reason"]
        counts = lost.assign(reason=general).groupby(keys).size().rename("count").reset_index()
        return counts.sort_values(["count", *keys], ascending=[False] + [True] * len(keys))

    def figures(self, dataset: str) -> dict[str, Path]:
        """Figures of a dataset by name, in the order of its kind."""
        folder = self.folder / "figures" / dataset
        found = {path.stem: path for path in sorted(folder.glob("*.svg"))}
        wanted = [*KINDS[self.cards[dataset].kind].figures, *found]
        return {name: found[name] for name in dict.fromkeys(wanted) if name in found}
