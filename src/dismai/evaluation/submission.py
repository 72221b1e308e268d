"""A submission: a small folder with the results of a run, of which leaderboards are made.

card.json                               what ran where, and the SHA-256 of every other file
config.yaml, environment.txt            resolved configuration, versions
metrics.parquet, unrelaxed.parquet      scores of every set, after and before relaxation
fates.parquet                           what became of every generated structure
datasets/DATASET/card.json              what was learned
datasets/DATASET/fingerprints.parquet   of training and held-out structures
samples/DATASET/MODEL/seedN.extxyz.gz   the first structures of a set, as generated
weights/DATASET/MODEL.safetensors       of the first seed, numbers of 16 bits
tables/, figures/                       as the run made them
"""

import gzip
import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms
from pydantic import Field, ValidationError

from dismai.base.atomic import write_atomically
from dismai.base.errors import InputError
from dismai.base.section import Section
from dismai.files.structures import read_frames, read_table, write_structures

CARD = "card.json"
NOTES = "README.md"
"""May stand in any folder of a submission; it is for people and is not checked."""
MOST_MB = 40
MOST_WEIGHT_MB = 1
N_SAMPLES = 50
LEAST_SEEDS = 3
SHA256 = "^[0-9a-f]{64}$"


class SubmittedDataset(Section):
    """A dataset, and the training set that its distances are from."""

    kind: str
    n_train: int = Field(ge=1, description="training structures")
    n_val: int = Field(ge=1, description="held-out structures")
    n_atoms: int = Field(ge=1, description="of the largest structure")
    relaxed: bool = Field(description="whether structures were relaxed before they were scored")
    reference_sha256: str = Field(pattern=SHA256, description="of the training set's features")


class SubmissionCard(Section):
    """What ran where, and the files that it made."""

    name: str = Field(min_length=1, description="how tables call the submission")
    note: str = Field("", description="what its readers must know")
    command: str = Field(min_length=1, description="that makes the results again")
    commit: str = Field(min_length=1, description="of the code")
    hardware: str = Field(min_length=1, description="processor, cores, graphics processor")
    processor_hours: float = Field(ge=0, description="of all jobs together")
    dismai: str = Field(description="version")
    seeds: list[int] = Field(min_length=1, description="of every model on every dataset")
    n_samples: int = Field(ge=1, description="structures of a set that the folder holds, at most")
    aligned: dict[str, str] = Field(description="how alloys of each model are laid on the lattice")
    datasets: dict[str, SubmittedDataset] = Field(min_length=1, description="by name")
    scores: dict[str, str] = Field(
        {}, description="SHA-256 of the run's own table of every set, by DATASET/MODEL/seedN"
    )
    left_out: dict[str, str] = Field({}, description="files of the run and why they are not here")
    files: dict[str, str] = Field(description="SHA-256 by path")


def read_submission_card(folder: Path) -> SubmissionCard:
    """The card of a submission; InputError with one line for the first fault."""
    path = Path(folder) / CARD
    if not path.is_file():
        raise InputError(f"{path}: expected the card of a submission, found no such file")
    try:
        return SubmissionCard(**json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        expected = first["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
        raise InputError(
            f"{path}: {place}: expected {expected}, found {first['input']!r}"
        ) from None
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}: expected the card of a submission, found: {error}") from None


def load_submission(folder: Path) -> tuple[SubmissionCard, pd.DataFrame]:
    """Card and metrics, with the columns reference, n_atoms and relaxed (or scored as drawn)."""
    folder = Path(folder)
    card = read_submission_card(folder)
    parts = []
    for name, relaxed in (("metrics", True), ("unrelaxed", False)):
        table = read_table(folder / f"{name}.parquet")
        known = table[table["dataset"].isin(card.datasets)]
        own = known["dataset"].map(lambda dataset: card.datasets[dataset].relaxed)
        parts.append(known.assign(relaxed=own & relaxed))
    metrics = pd.concat([part for part in parts if len(part)], ignore_index=True)
    for column, attribute in (("reference", "reference_sha256"), ("n_atoms", "n_atoms")):
        values = {name: getattr(one, attribute) for name, one in card.datasets.items()}
        metrics[column] = metrics["dataset"].map(values)
    return card, metrics


def training_fingerprints(folder: Path, dataset: str) -> tuple[np.ndarray, np.ndarray]:
    """Fingerprints of training and of held-out structures (`evaluation.copies`)."""
    table = read_table(Path(folder) / "datasets" / dataset / "fingerprints.parquet")
    held_out = table.pop("held_out").to_numpy(dtype=bool)
    rows = table.to_numpy(dtype=float)
    return rows[~held_out], rows[held_out]


def write_samples(source: Path, target: Path, n: int) -> None:
    """Compress the first n structures of a set, those that can be read, each with its number."""
    samples = []
    for number, frame in enumerate(read_frames(source)[:n]):
        if isinstance(frame, Atoms):
            frame.info = {"structure": number}
            samples.append(frame)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "samples.extxyz"
        write_structures(samples, plain)
        write_atomically(target, gzip.compress(plain.read_bytes(), mtime=0))
