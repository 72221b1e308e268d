"""Every metric answers to what it claims to see; copies fool those that see means only."""

import numpy as np
import pytest

from dismai.datasets.options import Options
from dismai.evaluation.degradation import (
    DAMAGES,
    SEES,
    damages_of,
    degrade,
    responses,
    sensitivity,
    spoiled_structures,
)
from dismai.report.degradation import plot_sensitivity
from tests.makers import MAKERS, card, diamonds

N_TRAIN, N_HELD_OUT = 30, 24


@pytest.fixture(scope="module")
def tables():
    answers = {}
    for kind, make in MAKERS.items():
        structures = make(N_TRAIN + N_HELD_OUT)
        train, held_out = structures[:N_TRAIN], structures[N_TRAIN:]
        answers[kind] = responses(train, held_out, card(kind), Options(), seed=0)
    return answers


@pytest.mark.parametrize("kind", list(SEES))
def test_every_metric_answers_to_what_it_claims_to_see(tables, kind):
    answers = sensitivity(tables[kind]).set_index(["metric", "damage"])
    assert set(SEES[kind]) == set(tables[kind]["metric"])
    too_weak = [
        (metric, damage, round(answers.loc[(metric, damage), "spearman"], 2))
        for metric, damages in SEES[kind].items()
        for damage, sign in damages.items()
        if sign * answers.loc[(metric, damage), "spearman"] < 0.9
    ]
    assert not too_weak


def test_distances_of_means_are_blind_to_copies_of_training_structures(tables):
    # twice as many held-out structures: of few a share is known to a quarter only
    structures = diamonds(N_TRAIN + 2 * N_HELD_OUT)
    more = structures[:N_TRAIN], structures[N_TRAIN:]
    table = responses(*more, card("amorphous_si"), Options(), seed=0)
    answers = sensitivity(table).set_index(["metric", "damage"])
    assert not answers.loc[("d_motif", "memorised"), "sees"]
    assert not answers.loc[("d_rdf", "memorised"), "sees"]
    assert answers.loc[("memorisation", "memorised"), "sees"]
    alloys = sensitivity(tables["alloy"]).set_index(["metric", "damage"])
    assert not alloys.loc[("d_cluster", "strained"), "sees"]


def test_damage_is_seeded_by_structure_and_grows_with_strength():
    structures = diamonds(6)
    spec = card("amorphous_si")
    for damage in damages_of(spec):
        weak, strong = DAMAGES[damage].strengths[0], DAMAGES[damage].strengths[-1]
        first = degrade(structures[:3], structures, damage, strong, spec, seed=1)
        again = degrade(structures[:3], structures, damage, strong, spec, seed=1)
        for a, b in zip(first, again, strict=True):
            np.testing.assert_array_equal(a.positions, b.positions)
        assert weak < strong
    weak, strong = (spoiled_structures(50, "copied", share, spec, seed=1) for share in (0.2, 0.6))
    assert (weak.sum(), strong.sum()) == (10, 30)
    assert (strong >= weak).all()
    few, many = (degrade(structures, structures, "vacant", s, spec, 1) for s in (0.02, 0.08))
    for a, b, original in zip(few, many, structures, strict=True):
        moved_few = (a.positions != original.positions).any(axis=1)
        moved_many = (b.positions != original.positions).any(axis=1)
        assert (moved_many >= moved_few).all()


def test_the_figure_shows_every_metric_and_damage(tables):
    figure = plot_sensitivity({"silicon": sensitivity(tables["amorphous_si"])})
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert "d_motif" in labels
    assert "memorisation" in labels
