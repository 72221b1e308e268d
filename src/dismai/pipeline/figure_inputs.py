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

MOST_DESCRIBED = 100
"""Structures of a set in a figure of what is no feature; the seeds of a model share them."""
TRAINING = ""


class FigureInputs(NamedTuple):
    """Features of the training set and of every model, histories of the trainings.

    The seeds of a model are pooled: features of one table, histories with a column `seed`.

    pictured: a training structure and the first accepted one of each model; None for none.
    models: all models of the run, for the same colours in all its figures.
    spec: card of the dataset.
    structures: the first accepted ones of every model as described, the training set under "";
        nothing where the job has no such inputs.
    """

    reference: pd.DataFrame
    features: dict[str, pd.DataFrame]
    histories: dict[str, pd.DataFrame]
    pictured: dict[str, Atoms | StructureError | None]
    models: list[str]
    spec: DatasetSpec
    structures: dict[str, list[Atoms]]

    def draw(self, name: str) -> Figure:
        """A figure of the dataset by its name (`Kind.figures`)."""
        kind = KINDS[self.spec.kind]
        if name == "structures":
            return plot_structures(self.pictured, kind.view)
        if name == "training":
            return plot_training(self.histories)
        picture = kind.pictures[name]
        reference, features = self.reference, self.features
        if picture.table_of is not None:
            features = {name: picture.table_of(own) for name, own in self.structures.items()}
            reference = features.pop(TRAINING)
        return picture.draw(reference, features, self.spec, self.models)


def figure_inputs(snakemake: Any) -> FigureInputs:
    """Read the inputs reference, features, histories, train, card and generated of a job.

    The params runs, trained and pictured name the models of features, histories and generated,
    one a file.
    """
    files, params = snakemake.input, snakemake.params
    tables = [read_table(path) for path in files.features]
    histories = [pd.read_csv(path) for path in files.histories]
    trainings = [table.assign(seed=index) for index, table in enumerate(histories)]
    training = read_structures(Path(files.train))
    structures = {TRAINING: training[:MOST_DESCRIBED]}
    if hasattr(files, "relaxed"):
        described = described_structures(params.runs, files.clean, files.relaxed, MOST_DESCRIBED)
        structures |= described
    pictured = zip(params.pictured, files.generated, strict=True)
    return FigureInputs(
        read_table(files.reference),
        pool_tables(params.runs, tables),
        pool_tables(params.trained, trainings),
        {
            "training set": training[0],
            **{name: first_structure(Path(path)) for name, path in pictured},
        },
        list(params.models),
        read_card(Path(files.card)),
        structures,
    )


def described_structures(
    names: Sequence[str], clean: Sequence[str], relaxed: Sequence[str], most: int
) -> dict[str, list[Atoms]]:
    """The first accepted structures of every model as they were described, at most that many.

    names: models, one a file, as for `pool_tables`.  clean, relaxed: their structures; the relaxed
    ones where there are any.
    """
    structures: dict[str, list[Atoms]] = {name: [] for name in names}
    for name, before, after in zip(names, map(Path, clean), map(Path, relaxed), strict=True):
        path = after if after.stat().st_size else before
        share = max(1, most // names.count(name))
        frames = read_frames(path, range(share)) if path.stat().st_size else []
        structures[name] += [atoms for atoms in frames if isinstance(atoms, Atoms)]
    return structures


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
