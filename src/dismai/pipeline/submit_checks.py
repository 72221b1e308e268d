"""Whether a submission is whole and honest: the second half of `dismai submit`."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms

from dismai.base.atomic import sha256
from dismai.base.card import Card, read_card
from dismai.base.kinds import KINDS
from dismai.datasets.options import Options
from dismai.evaluation.copies import copies, fingerprints, most_copies
from dismai.evaluation.ranking import BASELINE
from dismai.evaluation.submission import (
    CARD,
    LEAST_SEEDS,
    MOST_MB,
    MOST_WEIGHT_MB,
    SubmissionCard,
    read_submission_card,
    training_fingerprints,
)
from dismai.files.structures import METRICS_SCHEMA, read_frames, read_table
from dismai.pipeline.submit import MB, SETS_SCHEMA, files_of, sample_path
from dismai.pipeline.whole import DAMAGE

FLOOR = "held_out"
"""The baseline whose scores are the noise floor."""
SET = ["dataset", "model", "seed"]


def faults(folder: Path) -> list[str]:
    """What is wrong with a submission, one line a fault; nothing that is read is trusted.

    Raises:
        InputError: its card cannot be read.
    """
    folder = Path(folder)
    card = read_submission_card(folder)
    found = [*_of_files(folder, card), *_of_size(folder)]
    if found:  # of damaged files nothing else can be said
        return found
    for checks in (_of_tables(folder, card), _of_samples(folder, card)):
        try:
            found.extend(checks)
        except DAMAGE as error:
            found.append(" ".join(str(error).split()))
    return found


def _of_files(folder: Path, card: SubmissionCard) -> Iterator[str]:
    present = {str(path.relative_to(folder)): path for path in files_of(folder)}
    for name in sorted({*card.files} - {*present}):
        yield f"{folder / name}: expected a file, found none"
    for name in sorted({*present} - {*card.files}):
        yield f"{folder / name}: expected only files that {CARD} lists, found this one"
    for name in sorted({*present} & {*card.files}):
        if (digest := sha256(present[name])) != card.files[name]:
            yield f"{folder / name}: expected the SHA-256 {card.files[name]}, found {digest}"


def _of_size(folder: Path) -> Iterator[str]:
    sizes = {path: path.stat().st_size / MB for path in files_of(folder)}
    if (total := sum(sizes.values())) > MOST_MB:
        yield f"{folder}: expected at most {MOST_MB} MB, found {total:.1f} MB"
    for path, size in sizes.items():
        if path.relative_to(folder).parts[0] == "weights" and size > MOST_WEIGHT_MB:
            yield f"{path}: expected at most {MOST_WEIGHT_MB} MB of weights, found {size:.1f} MB"


def _of_tables(folder: Path, card: SubmissionCard) -> Iterator[str]:
    """Every model has every seed on every dataset; numbers agree; floors are there."""
    if len(card.seeds) < LEAST_SEEDS:
        yield (
            f"{folder / CARD}: seeds: expected at least {LEAST_SEEDS} trainings of every model, "
            f"found {len(card.seeds)}"
        )
    path = folder / "metrics.parquet"
    metrics, fates = read_table(path), read_table(folder / "fates.parquet")
    for table, schema, place in (
        (metrics, METRICS_SCHEMA, path),
        (fates, SETS_SCHEMA, folder / "fates.parquet"),
    ):
        missing = [name for name in schema.names if name not in table]
        if missing:
            yield f"{place}: expected a column {missing[0]}, found none"
            return
    sets = metrics.drop_duplicates(SET)
    own = sets[sets["kind"] != BASELINE]
    trained = {tuple(row) for row in own[SET].itertuples(index=False)}
    pairs = dict.fromkeys(zip(own["dataset"], own["model"], strict=True))
    for (dataset, model), seed in product(pairs, card.seeds):
        if (dataset, model, seed) not in trained:
            yield f"{path}: {dataset}, {model}: expected a set of seed {seed}, found none"
    for dataset in sorted({*sets["dataset"]} - {*card.datasets}):
        yield f"{path}: expected datasets of {CARD}, found {dataset}"
    for dataset in card.datasets:
        if FLOOR not in set(sets.loc[sets["dataset"] == dataset, "model"]):
            yield f"{path}: {dataset}: expected the baseline {FLOOR}, its noise floor, found none"
    yield from _of_numbers(path, metrics, fates)


def _of_numbers(path: Path, metrics: pd.DataFrame, fates: pd.DataFrame) -> Iterator[str]:
    """Structures of a set, and those accepted, by the scores and by the fates."""
    accepted = fates["status"].eq("accepted")
    counted = fates.assign(accepted=accepted).groupby(SET)["accepted"].agg(["size", "sum"])
    for key, rows in metrics.groupby(SET):
        place = f"{path}: {', '.join(map(str, key[:2]))}, seed {key[2]}"
        if rows["metric"].duplicated().any():
            yield f"{place}: expected every metric once, found one twice"
        n, n_accepted = counted.loc[key] if key in counted.index else (0, 0)
        for column, number in (("n_generated", n), ("n_accepted", n_accepted)):
            if set(rows[column]) != {number}:
                found = ", ".join(map(str, sorted(set(rows[column]))))
                yield f"{place}: {column}: expected {number} as in fates.parquet, found {found}"


def _of_samples(folder: Path, card: SubmissionCard) -> Iterator[str]:
    """Samples of every set are there, of the card's composition, and no copies."""
    metrics = read_table(folder / "metrics.parquet").drop_duplicates(SET)
    unread = read_table(folder / "fates.parquet")
    unread = unread[unread["stage"].eq("read") & (unread["structure"] < card.n_samples)]
    lost = unread.groupby(SET).size()
    for dataset in card.datasets:
        place = folder / "datasets" / dataset
        spec = read_card(place / "card.json")
        training, held_out = training_fingerprints(folder, dataset)
        on_fcc = KINDS[spec.kind].on_fcc
        n_known = int(copies(held_out, training, on_fcc).sum())
        own = metrics[(metrics["dataset"] == dataset) & (metrics["kind"] != BASELINE)]
        for one in own.itertuples():
            path = folder / sample_path(dataset, one.model, one.seed)
            n_lost = int(lost.get((dataset, one.model, one.seed), 0))
            most = min(card.n_samples, one.n_generated)
            expected = f"{most - n_lost} to {most}" if n_lost else f"{most}"
            if not path.is_file():
                yield f"{path}: expected {expected} structures, found no such file"
                continue
            frames = [atoms for atoms in read_frames(path) if isinstance(atoms, Atoms)]
            if not most - n_lost <= len(frames) <= most:
                yield f"{path}: expected {expected} structures, found {len(frames)}"
            options = Options(align=card.aligned.get(one.model, "none"))
            limit = most_copies(len(frames), n_known, len(held_out))
            yield from _copied(path, frames, spec, options, training, limit)


def _copied(
    path: Path, frames: list, spec: Card, options: Options, training: np.ndarray, limit: int
) -> Iterator[str]:
    """A finding where more structures are copies than the noise floor explains."""
    found = copies(fingerprints(frames, spec, options), training, KINDS[spec.kind].on_fcc)
    if found.sum() > limit:
        numbers = ", ".join(str(frames[i].info.get("structure", i)) for i in np.flatnonzero(found))
        yield (
            f"{path}: expected at most {limit} copies of training structures, as many as held-out "
            f"ones explain, found {found.sum()}: structures {numbers}"
        )
