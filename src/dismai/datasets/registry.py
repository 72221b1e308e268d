"""The kinds of datasets: one set of small functions each, behind one code path.

To add a kind, write a module with these functions and enter it here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from ase import Atoms

from dismai.base.card import DATASETS, DatasetSpec
from dismai.base.errors import InputError
from dismai.datasets.alloy import describe as alloy
from dismai.datasets.amorphous_si import describe as amorphous_si
from dismai.datasets.interface import describe as interface
from dismai.datasets.options import Options
from dismai.metrics.statistics import Interval


@dataclass(frozen=True)
class Kind:
    """How structures of one kind are cleaned, described and scored.

    clean: structure to cleaned structure and counts by name; StructureError if it fails.
    check_training: training structure; StructureError if it cannot be one.
    describe: cleaned structure to one row of numbers; StructureError if it has none.
    tabulate: rows, (n_structures, n), and the counts of every structure to the features.
    score: features of accepted and of training structures to unit and interval by metric.
    counted: names of the counts.  features: names of all features, the counts first.
    set_columns: features that stand for a structure where whole sets are compared.
    headline: the metric that ranks.  paper_atoms: size of the structures in the article.
    """

    clean: Callable[[Atoms, DatasetSpec, Options], tuple[Atoms, dict[str, float]]]
    check_training: Callable[[Atoms, DatasetSpec], None]
    describe: Callable[[Atoms, DatasetSpec, Options], np.ndarray]
    tabulate: Callable[[np.ndarray, pd.DataFrame, Options], pd.DataFrame]
    score: Callable[[pd.DataFrame, pd.DataFrame, DatasetSpec], dict[str, tuple[str, Interval]]]
    counted: Sequence[str]
    features: Sequence[str]
    set_columns: Sequence[str]
    headline: str
    paper_atoms: int


def _kind(module, headline: str, paper_atoms: int) -> Kind:
    return Kind(
        module.clean,
        module.check_training,
        module.describe,
        module.tabulate,
        module.score,
        module.COUNTED,
        module.FEATURES,
        module.SET_COLUMNS,
        headline,
        paper_atoms,
    )


KINDS = {
    "alloy": _kind(alloy, "d_cluster", 256),
    "amorphous_si": _kind(amorphous_si, "d_motif", 256),
    "interface": _kind(interface, "d_all", 264),
}


def kind_name(dataset: str) -> str:
    """Kind of a dataset by its name; InputError for an unknown one."""
    for name in KINDS:
        if dataset == name or (dataset in DATASETS and dataset.startswith(name)):
            return name
    raise InputError(f"dataset {dataset!r}: expected one of {', '.join(DATASETS)}")
