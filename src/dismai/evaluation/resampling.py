"""Resamples of the headline metric of one model on one dataset, over trainings and structures.

Trainings are drawn with replacement from those of the model, and then structures with replacement
from those of each training that was drawn: from their feature rows, where these lie beside the
metrics, by the metric itself. The resampled values of a training are moved so that their median is
its value, as in its interval. Without feature rows the interval stands for the structures: half of
the draws lie below the value and half above, as normal deviates of which 95 % lie within the
limits. Where a metric comes without an interval, as published values do, the trainings alone are
resampled. The number of accepted structures is drawn as well (binomial), so that a model near one
half is not sure of its place. A single training tells nothing about another one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from dismai.base.card import read_card
from dismai.base.errors import InputError
from dismai.base.kinds import KINDS
from dismai.base.seeds import generator_for
from dismai.evaluation.standing import LEAST_SHARE
from dismai.files.structures import read_table
from dismai.metrics.entries import METRICS
from dismai.metrics.statistics import NORMAL_QUANTILE

ROOT = 7
"""Of the random numbers: a model draws the same ones whatever it is compared with."""
STRUCTURES = "structures"
INTERVALS = "intervals"
TRAININGS = "trainings"
PATHS = ["features", "training"]
"""Columns with the feature rows behind a metric, and the folder of its dataset; may be absent."""


def with_features(metrics: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Metrics of a folder of results, with the paths of the feature rows behind each of them."""
    places = zip(metrics["dataset"], metrics["model"], metrics["seed"], strict=True)
    return metrics.assign(
        features=[
            str(Path(folder, "generated", dataset, model, f"seed{seed}", "features.parquet"))
            for dataset, model, seed in places
        ],
        training=[str(Path(folder, "datasets", name)) for name in metrics["dataset"]],
    )


def with_feature_files(
    metrics: pd.DataFrame, features: Iterable[Path], training: Iterable[Path]
) -> pd.DataFrame:
    """The same from the files: dataset/model/seed0/features.parquet, dataset/features.parquet."""
    rows = {Path(file).parts[-4:-1]: str(file) for file in features}
    folders = {Path(file).parent.name: str(Path(file).parent) for file in training}
    places = zip(metrics["dataset"], metrics["model"], metrics["seed"], strict=True)
    return metrics.assign(
        features=[rows[dataset, model, f"seed{seed}"] for dataset, model, seed in places],
        training=metrics["dataset"].map(folders),
    )


@dataclass(frozen=True)
class Draws:
    """What ranks a model in every resample: its level (`evaluation.standing`), then its badness.

    level, badness: (n_resamples,).
    drawn_from: structures, intervals or trainings alone.
    """

    N_RESAMPLES: ClassVar[int] = 2000
    level: np.ndarray
    badness: np.ndarray
    drawn_from: str

    def better_than(self, other: "Draws") -> np.ndarray:
        """In which resamples this one ranks before another, (n_resamples,)."""
        lower = self.level < other.level
        return lower | ((self.level == other.level) & (self.badness < other.badness))


def draws_of(rows: pd.DataFrame, metric: str) -> Draws:
    """Resamples of one model on one dataset.

    rows: one row a training, with dataset, model, value, ci_low, ci_high, n_accepted, n_generated,
        and where they are known with the paths of `with_features`.

    Raises:
        InputError: another number of feature rows than of accepted structures.
    """
    first, entry = rows.iloc[0], METRICS[metric]
    random = generator_for(ROOT, "rank", str(first["dataset"]), str(first["model"]))
    shape = (Draws.N_RESAMPLES, len(rows))
    chosen = random.integers(0, len(rows), shape)
    value, low, high, accepted, generated = (
        rows[name].to_numpy(dtype=float)[chosen]
        for name in ("value", "ci_low", "ci_high", "n_accepted", "n_generated")
    )
    deviate = random.standard_normal(shape)
    errors = _sampling_errors(rows)
    if errors is None:
        side = np.where(deviate < 0, value - low, high - value)
        value = value + np.nan_to_num(deviate * side / NORMAL_QUANTILE)
        drawn_from = INTERVALS if np.isfinite(side).any() else TRAININGS
    else:
        value = value + errors[chosen, random.integers(0, errors.shape[1], shape)]
        drawn_from = STRUCTURES
    badness = np.vectorize(entry.badness, otypes=[float])(value).mean(axis=1)
    drawn = random.binomial(generated.astype(int), accepted / generated).sum(axis=1)
    few = drawn < LEAST_SHARE * generated.sum(axis=1)
    level = np.zeros(len(few), int) if entry.of_generated else few.astype(int)
    return Draws(level, badness, drawn_from)


def _sampling_errors(rows: pd.DataFrame) -> np.ndarray | None:
    """What resampling the structures adds to the value of each training, (n_trainings, n_drawn).

    None: the feature rows of a training are missing, or the kind cannot resample its metric.
    """
    if not set(PATHS) <= set(rows) or rows[PATHS].isna().any(axis=None):
        return None
    files = [Path(path) for path in rows["features"]]
    training = Path(rows["training"].iloc[0])
    needed = [*files, training / "features.parquet", training / "card.json"]
    if not all(path.is_file() for path in needed):
        return None
    card = read_card(training / "card.json")
    resample = KINDS[card.kind].resample_headline
    if resample is None:
        return None
    reference = read_table(training / "features.parquet")
    errors = []
    for file, n_accepted in zip(files, rows["n_accepted"], strict=True):
        features = read_table(file)
        if len(features) != n_accepted:
            raise InputError(f"{file}: expected {n_accepted} rows, found {len(features)}")
        drawn = resample(features, reference, card).resamples
        errors.append(drawn - np.median(drawn))
    return np.array(errors)
