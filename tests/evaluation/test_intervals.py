"""Intervals and noise floors of every metric of every kind, as people are shown them."""

import numpy as np
import pandas as pd
import pytest

from dismai.base.kinds import KINDS
from dismai.datasets.alloy.build import to_atoms
from dismai.datasets.options import Options
from dismai.evaluation.floor import noise_floor
from dismai.evaluation.process import describe_reference, process
from dismai.evaluation.reference import Reference
from dismai.evaluation.score import score
from dismai.metrics.entries import METRICS
from tests.makers import MAKERS, card

N = 18


@pytest.fixture(scope="module", params=KINDS)
def described(request):
    """Kind, its training features, and features of as many other structures."""
    kind = request.param
    spec, options = card(kind), Options()
    train = describe_reference(MAKERS[kind](3 * N, seed=100), spec, options, "train")
    return kind, train.iloc[:N], train.iloc[N:].reset_index(drop=True)


def scored(kind, features, train, n_generated=None):
    numbers = np.arange(n_generated or len(features))
    status = np.where(numbers < len(features), "accepted", "rejected")
    stage = np.where(status == "accepted", "", "clean")
    fates = pd.DataFrame({"structure": numbers, "status": status, "stage": stage})
    return score(features, fates, train, None, card(kind), "m", "file", 0)


@pytest.mark.parametrize("n", [2, 6, N])
def test_every_interval_holds_its_value_and_stays_in_its_bounds(described, n):
    kind, train, others = described
    for features in (others.iloc[:n], train.iloc[:n], train.iloc[[0] * n]):
        table = scored(kind, features, train, n + 1).dropna(subset=["value"])
        assert len(table) >= 5
        for row in table.itertuples():
            low, high = METRICS[row.metric].bounds
            assert row.ci_low <= row.value <= row.ci_high, row.metric
            assert min(low, row.value) <= row.ci_low, row.metric
            assert row.ci_high <= max(high, row.value), row.metric


def test_none_of_thirty_with_vacancies_is_no_certainty():
    train = describe_reference(MAKERS["alloy"](30), card("alloy"), Options(), "train")
    table = scored("alloy", train, train).set_index("metric")
    for metric in ("percent_structures_with_vacancies", "mean_vacancies_per_structure"):
        assert table.loc[metric, "value"] == 0
        assert table.loc[metric, "ci_high"] > 0
    assert table.loc["fidelity", "value"] == 1
    assert table.loc["fidelity", "ci_low"] < 0.95


def test_every_metric_has_a_floor_of_the_number_of_structures_scored(described):
    kind, train, others = described
    reference = Reference(card(kind), train, others)
    few, note = noise_floor(reference, 4)
    many, _ = noise_floor(reference, 400)
    names = set(scored(kind, others, train)["metric"])
    assert names <= set(few)
    assert all(np.isfinite(value) for value in few.values())
    assert "4 new structures" in note
    distances = [name for name in names if name.startswith(("d_", "ks_"))]
    assert distances
    for name in [*distances, "mmd"]:
        assert few[name] > many[name] or few[name] == 0, name  # all alike in diamond
    assert noise_floor(reference, 4) == (few, note)


def test_new_structures_are_neither_above_nor_below_the_floor():
    """A hundred sets of new random alloys score on average what the floor says."""
    spec, options = card("alloy"), Options()
    ordered = np.repeat([0, 1, 2], [6, 20, 6])
    rng = np.random.default_rng(0)

    def alloys(n):
        structures = [to_atoms(rng.permutation(ordered), spec.fcc) for _ in range(n)]
        return process(dict(enumerate(structures)), spec, options).features

    pool = alloys(60 * 10 + 100)
    train, new = pool.iloc[:100].reset_index(drop=True), pool.iloc[100:]
    floor, _ = noise_floor(Reference(spec, train, None), 10)
    sets = [scored("alloy", new.iloc[i : i + 10], train) for i in range(0, 600, 10)]
    values = pd.concat(sets).groupby("metric")["value"]
    for metric in ("d_cluster", "energy_above_training", "mmd"):
        size = np.sqrt((values.get_group(metric) ** 2).mean())
        assert size == pytest.approx(floor[metric], rel=0.25), metric
    for metric in ("fidelity", "coverage", "diversity", "memorisation"):
        assert values.get_group(metric).mean() == pytest.approx(floor[metric], abs=0.08), metric
