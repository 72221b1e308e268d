"""What the figures of one dataset are drawn from, read from the inputs of a job."""

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from ase import Atoms

from dismai.errors import StructureError
from dismai.io import read_frames, read_structures, read_table


class FigureInputs(NamedTuple):
    """Features of the training set and of every run by its label, histories of the trainings.

    pictured: a training structure and one of the first run, by label.
    """

    reference: pd.DataFrame
    features: dict[str, pd.DataFrame]
    histories: dict[str, pd.DataFrame]
    pictured: dict[str, Atoms | StructureError]


def figure_inputs(snakemake: Any) -> FigureInputs:
    """Read the inputs reference, features, histories, train and generated of a job."""
    files, params = snakemake.input, snakemake.params
    tables = [read_table(path) for path in files.features]
    histories = [pd.read_csv(path) for path in files.histories]
    generated = read_frames(Path(files.generated[0]), range(1))[0]
    return FigureInputs(
        read_table(files.reference),
        dict(zip(params.runs, tables, strict=True)),
        dict(zip(params.trained, histories, strict=True)),
        {"training": read_structures(Path(files.train))[0], params.runs[0]: generated},
    )
