"""Bootstrap intervals and distances."""

import numpy as np
import pytest
from scipy.stats import binomtest, bootstrap

from dismai.errors import InputError
from dismai.metrics import statistics


def test_the_first_draws_equal_those_of_the_published_code(vectors):
    weights = statistics.bootstrap_weights(10, 2, statistics.BOOTSTRAP_SEED) * 10
    for row, name in enumerate(["first_draw_of_10_from_10", "second_draw_of_10_from_10"]):
        expected = np.bincount(vectors["bootstrap_rng"][name], minlength=10)
        np.testing.assert_allclose(weights[row], expected, atol=1e-12)


def test_the_interval_is_the_pivotal_one():
    values = np.random.default_rng(0).normal(size=(50, 3))
    interval = statistics.distance_ci(values, np.zeros(3))
    rng = np.random.default_rng(7)
    draws = [np.linalg.norm(values[rng.choice(50, size=50)].mean(axis=0)) for _ in range(1000)]
    low, high = np.percentile(draws, [2.5, 97.5])
    value = np.linalg.norm(values.mean(axis=0))
    assert interval == pytest.approx((value, 2 * value - high, 2 * value - low), abs=1e-12)


def test_the_interval_of_a_mean_agrees_with_scipy():
    values = np.random.default_rng(1).exponential(size=400)
    ours = statistics.mean_ci(values)
    theirs = bootstrap((values,), np.mean, method="basic", n_resamples=5000, random_state=0)
    limits = theirs.confidence_interval
    assert ours.low == pytest.approx(limits.low, abs=0.02)
    assert ours.high == pytest.approx(limits.high, abs=0.02)


def test_one_structure_has_an_interval_of_zero_width():
    assert statistics.mean_ci(np.array([3.0])) == (3.0, 3.0, 3.0)


@pytest.mark.parametrize(
    ("values", "found"), [(np.empty((0, 3)), "found none"), ([[1.0, np.nan]], "found NaN")]
)
def test_no_structure_and_nan_are_refused(values, found):
    with pytest.raises(InputError, match=found):
        statistics.bootstrap_ci(values, np.max)


def test_distances():
    assert statistics.euclidean([0, 3], [4, 0]) == 5
    assert statistics.cosine_distance([1, 0], [0, 2]) == pytest.approx(1)
    assert statistics.cosine_distance([1, 2], [2, 4]) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize(("hits", "total"), [(0, 100), (3, 7), (100, 100)])
def test_percentage_has_the_interval_of_wilson(hits, total):
    interval = statistics.percentage(hits, total)
    expected = binomtest(hits, total).proportion_ci(method="wilson")
    assert interval.value == pytest.approx(100 * hits / total)
    assert interval.low == pytest.approx(100 * expected.low, abs=1e-9)
    assert interval.high == pytest.approx(100 * expected.high, abs=1e-9)


def test_more_hits_than_trials_are_refused():
    with pytest.raises(InputError, match="expected 0 to 3, found 4"):
        statistics.percentage(4, 3)
