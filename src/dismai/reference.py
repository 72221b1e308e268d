"""Reference sets that ship with the package, so that `dismai evaluate` works on a fresh install.

A reference is one Parquet table: the cluster counts of every structure as integers (from which
all features follow exactly), and whether it was held out of training; the card is in the footer.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from ase import Atoms

from dismai.cluster_expansion import ClusterExpansion, cluster_names
from dismai.datasets.spec import DatasetSpec, read_card
from dismai.errors import InputError
from dismai.evaluation import alloy
from dismai.evaluation.process import describe_reference
from dismai.io import read_structures, write_table
from dismai.metrics.clusters import counts
from dismai.resources import resource

SCHEMA = pa.schema(
    [
        pa.field("held_out", pa.bool_(), nullable=False),
        *(pa.field(name, pa.int16(), nullable=False) for name in cluster_names()),
    ]
)


@dataclass(frozen=True)
class Reference:
    """Card of a dataset with the features of its training and of its held-out structures."""

    spec: DatasetSpec
    train: pd.DataFrame
    held_out: pd.DataFrame | None


def pack(train: Sequence[Atoms], val: Sequence[Atoms], spec: DatasetSpec, path: Path) -> None:
    """Write a reference set of a dataset."""
    clusters = np.array([counts(atoms, spec.fcc.a_A) for atoms in [*train, *val]]) * spec.n_atoms
    table = pd.DataFrame(np.rint(clusters).astype(np.int16), columns=cluster_names())
    table["held_out"] = np.arange(len(table)) >= len(train)
    write_table(table, path, SCHEMA, {"card": json.dumps(spec.model_dump(mode="json"))})


def shipped_references() -> dict[str, Path]:
    """Datasets whose reference ships with the package, and where it is."""
    folder = resource("eci.yaml").parent / "reference"
    return {path.stem: path for path in sorted(folder.glob("*.parquet"))}


def load_shipped(dataset: str, expansion: ClusterExpansion) -> Reference:
    """The shipped reference of a dataset; InputError if there is none."""
    path = shipped_references().get(dataset)
    if path is None:
        raise InputError(
            f"dataset {dataset!r}: expected one with a shipped reference "
            f"({', '.join(shipped_references())}) or training structures given by --reference"
        )
    table = pq.read_table(path)
    spec = DatasetSpec(**json.loads(table.schema.metadata[b"card"]))
    frame = table.to_pandas()
    clusters = frame[cluster_names()].to_numpy() / spec.n_atoms
    numbered = pd.DataFrame({"structure": np.arange(len(frame))})
    numbered["n_removed"] = numbered["n_vacancies"] = 0.0
    features = alloy.features_table(clusters, numbered, expansion)
    held_out = frame["held_out"].to_numpy()
    return Reference(
        spec,
        features[~held_out].reset_index(drop=True),
        features[held_out].reset_index(drop=True),
    )


def load_built(path: Path, expansion: ClusterExpansion) -> Reference:
    """The reference of training structures in a file, with the card and `val.extxyz` beside it.

    Raises:
        InputError: no structures, no card, or a structure that does not fit the card.
    """
    path = Path(path)
    spec = read_card(path.with_name("card.json"))
    if spec.kind != "alloy":
        raise InputError(f"{path}: expected an alloy dataset, found kind {spec.kind}")
    train = describe_reference(read_structures(path), spec, expansion, str(path))
    held_out_file = path.with_name("val.extxyz")
    held_out = None
    if held_out_file.exists():
        structures = read_structures(held_out_file)
        held_out = describe_reference(structures, spec, expansion, str(held_out_file))
    return Reference(spec, train, held_out)
