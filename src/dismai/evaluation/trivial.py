"""What trivial generators score against the shipped references, and the verdict that follows.

The values ship as a table, made by `python -m dismai.evaluation.trivial resources/baselines.csv`.
"""

import sys
from functools import cache
from math import isnan, nan
from pathlib import Path

import numpy as np
import pandas as pd

from dismai.base.kinds import KINDS
from dismai.base.resources import resource, shipped_references
from dismai.datasets.recipe import SEED
from dismai.evaluation.file import Evaluation, evaluate_file
from dismai.evaluation.given import given_structures
from dismai.evaluation.reference import load_shipped
from dismai.files.structures import write_csv
from dismai.metrics.clusters import published_expansion
from dismai.metrics.entries import FEWEST_STRUCTURES, METRICS

N_STRUCTURES = 50
LABELS = {
    "random_decoration": "the atoms of the training set on shuffled sites",
    "random_atoms": "atoms at random places",
    "random_interfaces": "random interfaces",
    "random_places": "the atoms of training crystals at random places",
}


@cache
def _shipped() -> pd.DataFrame:
    return pd.read_csv(resource("baselines.csv"))


def trivial_values(dataset: str) -> tuple[str, dict[str, float]]:
    """Name of the trivial generator of a dataset, and its values by metric; none if unknown."""
    rows = _shipped()[_shipped()["dataset"] == dataset]
    if len(rows) == 0:
        return "", {}
    return str(rows["baseline"].iloc[0]), dict(zip(rows["metric"], rows["value"], strict=True))


def trivial_of(evaluation: Evaluation) -> tuple[str, dict[str, float]]:
    """The same for an evaluation against a shipped reference, without relaxation; else none.

    Of the metrics that were computed.
    """
    shipped = evaluation.reference.shipped
    if shipped is None or evaluation.settings.get("relax") is not None:
        return "", {}
    name, values = trivial_values(shipped)
    computed = set(evaluation.metrics["metric"])
    return name, {metric: value for metric, value in values.items() if metric in computed}


def verdict(evaluation: Evaluation) -> str:
    """One sentence: where the headline metric lies between a perfect and a trivial generator."""
    kind = KINDS[evaluation.spec.kind]
    metric = METRICS[kind.headline]
    row = evaluation.headline
    if row is None:
        return f"No verdict: {metric.name} was not computed."
    value, floor = float(row["value"]), float(row["noise_floor"])
    if isnan(value):
        return f"No verdict: {metric.name} has no value."
    if evaluation.n_accepted < FEWEST_STRUCTURES:
        return f"No verdict: only {evaluation.n_accepted} structures were accepted."
    failed = ""
    if 2 * evaluation.n_accepted < row["n_generated"]:
        failed = " More than half of the structures failed, and are not in it."
    name, values = trivial_of(evaluation)
    trivial = values.get(kind.headline, nan)
    found = f"{metric.name} {value:.3g}"
    ideal = f"new structures of the training distribution ({floor:.3g})"
    if metric.badness(value) >= metric.badness(trivial):
        return f"No better than {LABELS[name]}: {found}, theirs {trivial:.3g}.{failed}"
    better = "" if isnan(trivial) else f"better than {LABELS[name]} ({trivial:.3g})"
    if metric.badness(float(row["ci_low"])) <= metric.badness(floor):
        parts = [f"not told apart from {ideal}", better]
    else:
        parts = [better, f"worse than {ideal}"]
    said = ", ".join(filter(None, parts))
    return f"{said[0].upper()}{said[1:]}: {found}.{failed}"


def table() -> pd.DataFrame:
    """The values that ship: one row a dataset and a metric, structures scored as they are made."""
    return pd.concat(map(rows_of, shipped_references()), ignore_index=True)


def rows_of(dataset: str) -> pd.DataFrame | None:
    """Those of one dataset; None: it has no generator."""
    card = load_shipped(dataset, published_expansion()).spec
    generate = KINDS[card.kind].extra("trivial")
    if generate is None:
        return None
    name, structures = generate(card, N_STRUCTURES, SEED)
    metrics = evaluate_file(given_structures(structures), dataset, model=name).metrics
    metrics = metrics[np.isfinite(metrics["value"])]
    columns = ["dataset", "model", "metric", "value", "n_accepted"]
    return metrics.assign(dataset=dataset)[columns].rename(columns={"model": "baseline"})


if __name__ == "__main__":
    if [Path(word).suffix for word in sys.argv[1:]] != [".csv"]:
        sys.exit("usage: python -m dismai.evaluation.trivial TABLE.csv")
    write_csv(table(), Path(sys.argv[1]), 6)
