"""The study of CryinGAN (Dismai-Bench paper, 2.4): its distance critic, poolings and critics.

A variant is an entry of the configuration. What it is about follows from its hyperparameters: the
weight lambda of the distance critic, the length of the training, or the critics themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import multimode
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms

from dismai.base.card import DatasetSpec
from dismai.base.columns import ENERGY
from dismai.base.errors import StructureError
from dismai.datasets.interface.describe import interface_energies
from dismai.evaluation import study
from dismai.evaluation.study import STATEMENTS_SCHEMA, STUDY_SCHEMA
from dismai.geometry.grid import check_radius, make_grid
from dismai.metrics.entries import METRICS
from dismai.metrics.statistics import UNDEFINED, Interval, count_ci, percentage
from dismai.postprocess.separation import CLOSE_A, MOST_CLOSE, close_pairs

CLOSE, NOT_CONVERGED = "close_pairs_of_generated", "percent_not_converged"
"""Our own numbers beside the metrics of `SCORED`, which are those of every generated set."""
SCORED = ("d_all", "d_Sc", "percent_failed", "mean_gamma", "percent_low_gamma", "relaxation_steps")
WORDS = {
    CLOSE: (f"pairs within {CLOSE_A:g} Å of a generated structure", "pairs/structure"),
    NOT_CONVERGED: ("structures whose relaxation does not converge, of those relaxed", "%"),
    **{name: (METRICS[name].label, METRICS[name].unit) for name in SCORED},
}
"""Numbers of a variant: words and unit."""
LAMBDA, TRAINING, CRITICS = "lambda", "training", "critics"
"""Groups of variants."""
OPTIMUM = 0.05
"""The paper's best lambda for interfaces."""
PUBLISHED = {
    (0.0, NOT_CONVERGED): "CryinGAN lambda=0",
    (OPTIMUM, NOT_CONVERGED): "CryinGAN lambda=0.05",
}


@dataclass(frozen=True)
class Training:
    """One training of a variant and what it generated.

    hparams: resolved.  history: rows of history.csv.  numbers: of `WORDS`.
    gamma: interface energies in the potential, J/m^2, (n_accepted,).
    """

    model: str
    seed: int
    hparams: Mapping[str, Any]
    history: pd.DataFrame
    numbers: Mapping[str, Interval]
    gamma: np.ndarray
    n_generated: int


class Variant(study.Variant):
    """All trainings of one entry of the configuration."""

    @property
    def hparams(self) -> Mapping[str, Any]:
        return self.trainings[0].hparams

    @property
    def weight(self) -> float:
        """lambda; 0 is one critic, of coordinates."""
        return float(self.hparams["lambda_distance"])

    @property
    def is_plain(self) -> bool:
        """Whether its critics are the paper's own: separate, and averaging."""
        keys = ("critics", "coordinate_pooling", "distance_pooling")
        return tuple(self.hparams[key] for key in keys) == ("separate", "average", "average")

    @property
    def updates(self) -> int:
        """Steps of critics in a training: a measure of its time that no machine changes."""
        steps = int(self.trainings[0].history["step"].iloc[-1])
        losses = [name for name in self.trainings[0].history if name.startswith("critic_")]
        return steps * len(losses)


def numbers_of(
    raw: Mapping[int, Atoms | StructureError], fates: pd.DataFrame, metrics: pd.DataFrame
) -> dict[str, Interval]:
    """Numbers of one generated set, by the names of `WORDS`.

    Args:
        raw: structures as they were generated; unreadable ones do not count.
        fates: what became of each.
        metrics: of the set (`METRICS_SCHEMA`).
    """
    pairs = [n for n in map(n_close_pairs, raw.values()) if n is not None]
    relaxed = fates["status"].eq("accepted") | fates["stage"].isin(["relax", "describe"])
    failed = int(fates["stage"].eq("relax").sum())
    found = {
        CLOSE: count_ci(np.array(pairs, dtype=float)) if pairs else UNDEFINED,
        NOT_CONVERGED: percentage(failed, int(relaxed.sum())) if relaxed.any() else UNDEFINED,
    }
    return {**found, **dict.fromkeys(SCORED, UNDEFINED), **study.scored(metrics, SCORED)}


def n_close_pairs(atoms: Atoms | StructureError) -> int | None:
    """Pairs of atoms that stand too close; None where that cannot be said."""
    if isinstance(atoms, StructureError):
        return None
    try:
        grid = make_grid(atoms)
        check_radius(grid, CLOSE_A, MOST_CLOSE)
    except StructureError:
        return None
    return len(close_pairs(grid, CLOSE_A))


def energies_of(features: pd.DataFrame, spec: DatasetSpec) -> np.ndarray:
    """Interface energies of accepted structures in the potential, J/m^2, (n_accepted,)."""
    return interface_energies(features, spec) if ENERGY in features else np.empty(0)


def variants_of(trainings: Sequence[Training]) -> list[Variant]:
    """Trainings by their variant, in the order of the configuration."""
    return [Variant(name, own) for name, own in study.by_model(trainings)]


def grouped(variants: Sequence[Variant]) -> dict[str, list[Variant]]:
    """Variants by what they are about.

    lambda: plain ones of the usual length, by lambda.  training: plain ones of every lambda with
    several lengths, and of the best one, by lambda and length.  critics: all others.
    """
    plain = [one for one in variants if one.is_plain]
    usual = multimode(one.hparams["epochs"] for one in plain)[:1]
    by_lambda = [one for one in plain if one.hparams["epochs"] in usual]
    lengths = {one.weight for one in plain if one.hparams["epochs"] not in usual}
    lengths |= {OPTIMUM} if lengths else set()
    return {
        LAMBDA: sorted(by_lambda, key=lambda one: one.weight),
        TRAINING: sorted(
            (one for one in plain if one.weight in lengths),
            key=lambda one: (one.weight, one.updates),
        ),
        CRITICS: [one for one in variants if not one.is_plain],
    }


def gan_table(variants: Sequence[Variant], published: pd.DataFrame) -> pd.DataFrame:
    """All numbers of all variants, as in `STUDY_SCHEMA`; published: rows of published.csv."""
    said = published[published["dataset"].eq("interface_DFT_relaxed")]
    said = said.set_index(["model", "metric"])["mean"]
    rows = []
    for group, own in grouped(variants).items():
        for variant in own:
            for metric, (_, unit) in WORDS.items():
                theirs = PUBLISHED.get((variant.weight, metric)) if group == LAMBDA else None
                told = (float(said[theirs, metric]) if theirs else np.nan, np.nan, np.nan)
                rows.append(variant.row(group, metric, unit, bounds_of(metric), told))
    return pd.DataFrame(rows, columns=STUDY_SCHEMA.names)


def bounds_of(metric: str) -> tuple[float, float]:
    """Least and greatest possible value of a number."""
    own = {CLOSE: (0.0, np.inf), NOT_CONVERGED: (0.0, 100.0)}
    return own[metric] if metric in own else METRICS[metric].bounds


def gan_statements(variants: Sequence[Variant]) -> pd.DataFrame:
    """What the paper says of the variants that there are, as in `STATEMENTS_SCHEMA`."""
    groups = grouped(variants)
    weights = {one.weight: one for one in groups[LAMBDA]}
    rows = []

    def add(statement: str, metric: str, first: Variant, second: Variant, sign: int) -> None:
        rows.append(second.against(statement, metric, WORDS[metric][1], first, sign))

    none, best, more = (weights.get(weight) for weight in (0.0, OPTIMUM, 0.1))
    for metric in (CLOSE, NOT_CONVERGED, "mean_gamma", "d_all"):
        if none and best:
            add(f"falls from lambda 0 to {OPTIMUM:g}", metric, none, best, -1)
    for metric in ("mean_gamma", "d_all"):
        if best and more:
            add(f"rises from lambda {OPTIMUM:g} to 0.1", metric, best, more, 1)
    single = _as_long(groups[TRAINING], best) if best else None
    if best and single:
        for metric in ("d_all", NOT_CONVERGED):
            add("two critics beat one in the same time", metric, single, best, -1)
    for other in groups[CRITICS]:
        if best:
            add("the published critics beat others", "d_all", best, other, 1)
    return pd.DataFrame(rows, columns=STATEMENTS_SCHEMA.names)


def _as_long(variants: Sequence[Variant], other: Variant) -> Variant | None:
    """The variant with one critic that was trained as long as another one, if there is one."""
    equal = (one for one in variants if one.weight == 0 and one.updates == other.updates)
    return next(equal, None)
