"""Whether a result folder is complete and consistent: the work of `dismai validate`."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import yaml

from dismai.config import Config, Run, n_generated, run_table, validate
from dismai.datasets.spec import read_card
from dismai.errors import InputError
from dismai.io import count_frames, read_table
from dismai.jobs import sha256
from dismai.models.settings import TrainedModel

DATASET_FILES = ("card.json", "train.extxyz", "val.extxyz", "features.parquet")
GENERATED_FILES = ("raw.extxyz", "clean.extxyz", "fates.parquet", "features.parquet")
MODEL_FILES = ("model.safetensors", "hparams.yaml", "history.csv")


def findings(folder: Path) -> tuple[int, list[str]]:
    """Number of runs that a result folder should hold, and what is wrong with it, in sentences.

    Every file that the configuration promises is there; numbers of structures agree from the
    generated set to the metrics; files are those that the footers of tables were made from.

    Raises:
        InputError: no result folder, or its configuration is not one.
    """
    folder = Path(folder)
    config = read_config(folder / "config.yaml")
    runs = run_table(config)
    found = []
    for dataset in dict.fromkeys(run.dataset for run in runs):
        found += _guarded(_of_dataset(folder / "datasets" / dataset))
    for run in runs:
        found += _guarded(_of_run(folder, config, run))
    for path in (folder / "tables" / "ranking.parquet", folder / "environment.txt"):
        found += _missing(path)
    return len(runs), found


def read_config(path: Path) -> Config:
    """The resolved configuration of a run, whose first line holds the SHA-256 of the rest."""
    if not path.is_file():
        raise InputError(f"{path}: expected the configuration of a run, found no such file")
    first, _, text = path.read_text().partition("\n")
    digest = hashlib.sha256(text.encode()).hexdigest()
    if first != f"# sha256 {digest}":
        raise InputError(f"{path}: line 1: expected the SHA-256 {digest}, found {first!r}")
    return validate(yaml.safe_load(text))


def _guarded(checks: Iterator[str]) -> list[str]:
    """All findings of some checks; a file that cannot be read ends them and is one."""
    found = []
    try:
        found.extend(checks)
    except InputError as error:
        found.append(str(error))
    return found


def _missing(*paths: Path) -> list[str]:
    return [f"{path}: expected a file, found none" for path in paths if not path.is_file()]


def _differs(path: Path, what: str, expected: object, found: object) -> Iterator[str]:
    if expected != found:
        yield f"{path}: {what}: expected {expected}, found {found}"


def _of_dataset(folder: Path) -> Iterator[str]:
    missing = _missing(*(folder / name for name in DATASET_FILES))
    yield from missing
    if missing:
        return
    spec = read_card(folder / "card.json")
    for name, expected in (("train.extxyz", spec.n_train), ("val.extxyz", spec.n_val)):
        yield from _differs(folder / name, "structures", expected, count_frames(folder / name))
    table = folder / "features.parquet"
    yield from _differs(table, "rows", spec.n_train, pq.read_metadata(table).num_rows)


def _of_run(folder: Path, config: Config, run: Run) -> Iterator[str]:
    own = Path(run.dataset, run.model, f"seed{run.seed}")
    generated = folder / "generated" / own
    metrics_file = (folder / "metrics" / own).with_suffix(".parquet")
    wanted = [generated / name for name in GENERATED_FILES]
    if isinstance(config.models.get(run.model), TrainedModel):
        wanted += [folder / "models" / own / name for name in MODEL_FILES]
    missing = _missing(metrics_file, *wanted)
    yield from missing
    if missing:
        return
    fates = read_table(generated / "fates.parquet")
    n_expected = n_generated(config, run)
    yield from _differs(generated / "fates.parquet", "structures", n_expected, len(fates))
    duplicates = int(fates["structure"].duplicated().sum())
    yield from _differs(generated / "fates.parquet", "structures listed twice", 0, duplicates)
    accepted = sorted(fates.loc[fates["status"] == "accepted", "structure"])
    features = read_table(generated / "features.parquet")
    same = sorted(features["structure"]) == accepted
    yield from _differs(generated / "features.parquet", "rows are the accepted", True, same)
    clean = generated / "clean.extxyz"
    yield from _differs(clean, "structures", len(accepted), count_frames(clean))
    metrics = read_table(metrics_file)
    for column, expected in (("n_generated", n_expected), ("n_accepted", len(accepted))):
        yield from _differs(metrics_file, column, [expected], metrics[column].unique().tolist())
    yield from _made_from(metrics_file, "reference", folder, run.dataset, "features.parquet")
    yield from _made_from(metrics_file, "card", folder, run.dataset, "card.json")


def _made_from(table: Path, name: str, folder: Path, dataset: str, file: str) -> Iterator[str]:
    """A finding if a table was made from another state of a file of its dataset."""
    footer = json.loads((pq.read_schema(table).metadata or {}).get(b"dismai", b"{}"))
    recorded = footer.get("inputs", {}).get(name, [None])
    path = folder / "datasets" / dataset / file
    yield from _differs(table, f"SHA-256 of {path}", [sha256(path)], recorded)
