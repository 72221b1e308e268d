"""Entries of kinds of datasets: what they name is there."""

import pytest

from dismai.base.kinds import KINDS
from dismai.datasets.baselines import BASELINES
from dismai.pipeline.config import load, n_generated, run_table
from tests.conftest import ROOT


@pytest.mark.parametrize("name", KINDS)
def test_every_baseline_is_made_by_a_function_or_by_a_rule(name):
    kind = KINDS[name]
    functions = {*BASELINES, *(kind.extra("BASELINES") or {})}
    assert {*kind.baselines_with_rules, *kind.unrelaxed_baselines} <= set(kind.baselines)
    for baseline in kind.baselines:
        assert (baseline in functions) != (baseline in kind.baselines_with_rules), baseline


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_has_its_rules_and_draws_every_figure_it_names(name):
    kind = KINDS[name]
    assert (ROOT / kind.rules).is_file()
    assert set(kind.pictures) == set(kind.figures) - {"structures", "training"}


def test_a_baseline_has_as_many_structures_as_the_configuration_says_of_it():
    config = load(ROOT / "config" / "config.yaml")
    numbers = {run.model: n_generated(config, run) for run in run_table(config)}
    assert numbers["melt_quench"] == config.baselines.n_melt_quench == 100
    assert numbers["random_atoms"] == config.n_generated == 1000
