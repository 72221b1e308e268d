"""What the figures of one dataset are drawn from, read from the inputs of a job."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from ase import Atoms
from matplotlib.figure import Figure

from dismai.base.card import DatasetSpec, read_card
from dismai.base.errors import StructureError
from dismai.base.kinds import KINDS
from dismai.files.structures import read_frames, read_structures, read_table
from dismai.report.figures import plot_structures, plot_training


class FigureInputs(NamedTuple):
    """Features of the training set and of every model, histories of the trainings.

    The seeds of a model are pooled: features of one table, histories with a column `seed`.

    pictured: a training structure and the first accepted one of each model; None for none.
    models: all models of the run, for the same colours in all its figures.
    spec: card of the dataset.
    """

    reference: pd.DataFrame
    features: dict[str, pd.DataFrame]
    histories: dict[str, pd.DataFrame]
    pictured: dict[str, Atoms | StructureError | None]
    models: list[str]
    spec: DatasetSpec

    def draw(self, name: str) -> Figure:
        """A figure of the dataset by its name (`Kind.figures`)."""
        kind = KINDS[self.spec.kind]
        if name == "structures":
            return plot_structures(self.pictured, kind.view)
        if name == "training":
            return plot_training(self.histories)
        return kind.pictures[name].draw(self.reference, self.features, self.spec, self.models)


def figure_inputs(snakemake: Any) -> FigureInputs:
    """Read the inputs reference, features, histories, train, card and generated of a job.

    The params runs, trained and pictured name the models of features, histories and generated,
    one a file.
    """
    files, params = snakemake.input, snakemake.params
    tables = [read_table(path) for path in files.features]
    histories = [pd.read_csv(path) for path in files.histories]
    trainings = [table.assign(seed=index) for index, table in enumerate(histories)]
    training = read_structures(Path(files.train))[0]
    pictured = zip(params.pictured, files.generated, strict=True)
    return FigureInputs(
        read_table(files.reference),
        pool_tables(params.runs, tables),
        pool_tables(params.trained, trainings),
        {
            "training set": training,
            **{name: first_structure(Path(path)) for name, path in pictured},
        },
        list(params.models),
        read_card(Path(files.card)),
    )


def pool_tables(names: Sequence[str], tables: Sequence[pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Tables of one name below each other; names in the order of their first table."""
    groups: dict[str, list[pd.DataFrame]] = {}
    for name, table in zip(names, tables, strict=True):
        groups.setdefault(name, []).append(table)
    return {
        name: pd.concat([t for t in group if len(t)] or group[:1], ignore_index=True)
        for name, group in groups.items()
    }


def first_structure(path: Path) -> Atoms | StructureError | None:
    """The first structure of a file; None if the file is empty: no structure was accepted."""
    return read_frames(path, range(1))[0] if path.stat().st_size else None
