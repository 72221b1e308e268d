"""The noise floor: what as many new structures of the training distribution would score."""

from collections.abc import Collection, Iterator

import numpy as np
import pandas as pd

from dismai.base.card import Card
from dismai.base.kinds import KINDS
from dismai.base.metric import FAMILIES
from dismai.evaluation.reference import Reference
from dismai.evaluation.relax import relaxation_scores
from dismai.metrics.entries import METRICS
from dismai.metrics.sets import (
    K_NEIGHBORS,
    expected_coverage,
    expected_mmd,
    expected_soap_mmd,
    fidelity,
)
from dismai.metrics.statistics import BOOTSTRAP_SEED, values_only

FAILED = [name for name in METRICS if name.startswith("percent_failed")]
"""No structure of the training distribution fails."""
N_DRAWS = 16
MOST_DRAWN = 10_000
"""Structures in one draw: beyond them the training set alone sets the floor."""


def noise_floor(
    reference: Reference, n: int, families: Collection[str] = tuple(FAMILIES)
) -> tuple[dict[str, float], str]:
    """Metrics of n new structures of the training distribution, by name, and a note on them.

    Distances of means and other means: root mean square (of metrics that are best elsewhere than
    at 0, the mean) over draws of n structures and of a training set, both with replacement from
    the training and held-out structures. Discrepancies: root mean square of an unbiased estimate
    of 0. Shares: their expectation, that of the fidelity from held-out structures.

    Args:
        reference: the training set and its held-out structures, if it has any.
        n: number of accepted structures of the set that is scored.
        families: families of metrics that are wanted.
    """
    train, held_out = reference.train, reference.held_out
    if n == 0 or len(train) < 2:
        return {}, "Noise floor: none without accepted and at least two training structures."
    pool = train if held_out is None else pd.concat([train, held_out], ignore_index=True)
    kind = KINDS[reference.spec.kind]
    floor = {**dict.fromkeys(FAILED, 0.0), **_of_means(pool, n, len(train), reference.spec)}
    if "sets" in families and len(train) > K_NEIGHBORS + 1:
        vectors = train[kind.set_columns].to_numpy(dtype=float)
        new, known = _new_and_known(train, held_out, kind.set_columns)
        floor |= {
            "coverage": expected_coverage(n, len(train)),
            "fidelity": fidelity(new, known, K_NEIGHBORS) if len(known) > K_NEIGHBORS else np.nan,
            "diversity": 1.0,
            "memorisation": 0.5,
            "mmd": expected_mmd(vectors, n),
        }
    soap = [name for name in train if name.startswith("soap_")]
    if soap and "soap" in families:
        floor["soap_mmd"] = expected_soap_mmd(train[soap].to_numpy(dtype=float), n)
    known_floor = {name: value for name, value in floor.items() if np.isfinite(value)}
    return known_floor, (
        f"Noise floor: expected of {n} new structures of the training distribution, from "
        f"{len(pool)} training and held-out structures."
    )


def _of_means(pool: pd.DataFrame, n: int, n_train: int, spec: Card) -> dict[str, float]:
    """Floors of everything that is computed of means over a set."""
    drawn: dict[str, list[float]] = {}
    for features, training in _draws(pool, n, n_train):
        with values_only():
            scores = KINDS[spec.kind].score(features, training, spec)
            scores |= relaxation_scores(features, training)
        for name, (_, interval) in scores.items():
            drawn.setdefault(name, []).append(interval.value)
    return {
        name: float(np.sqrt(np.mean(np.square(values))))
        if METRICS[name].best == 0
        else float(np.mean(values))
        for name, values in drawn.items()
    }


def _draws(pool: pd.DataFrame, n: int, n_train: int) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    for _ in range(N_DRAWS):
        yield tuple(
            pool.iloc[rng.integers(len(pool), size=min(size, MOST_DRAWN))].reset_index(drop=True)
            for size in (n, n_train)
        )


def _new_and_known(train, held_out, columns) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of held-out structures and of the others; every second one without held-out."""
    if held_out is None:
        train, held_out = train.iloc[::2], train.iloc[1::2]
    new, known = (table[columns].to_numpy(dtype=float) for table in (held_out, train))
    return new, known
