"""Bootstrap intervals and distances."""

import numpy as np
import pytest
from scipy.stats import binomtest, bootstrap

from dismai.base.errors import InputError
from dismai.metrics import statistics


def test_the_first_draws_equal_those_of_the_published_code(vectors):
    weights = statistics.bootstrap_weights(10, 2, statistics.BOOTSTRAP_SEED) * 10
    for row, name in enumerate(["first_draw_of_10_from_10", "second_draw_of_10_from_10"]):
        expected = np.bincount(vectors["bootstrap_rng"][name], minlength=10)
        np.testing.assert_allclose(weights[row], expected, atol=1e-12)


def test_the_published_interval_is_the_pivotal_one():
    values = np.random.default_rng(0).normal(size=(50, 3))
    interval = statistics.published_ci(values, np.linalg.norm)
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


@pytest.mark.parametrize("n", [2, 5, 40])
@pytest.mark.parametrize("offset", [0.0, 0.3, 5.0])
def test_a_distance_lies_in_its_interval_also_at_its_noise_floor(n, offset):
    rng = np.random.default_rng(n)
    for _ in range(20):
        values = rng.normal(size=(n, 30))
        interval = statistics.distance_ci(values, np.full(30, offset))
        assert 0 <= interval.low <= interval.value <= interval.high


def test_the_interval_has_the_width_of_the_resampled_values_and_covers_a_mean():
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(200):
        interval = statistics.mean_ci(rng.normal(size=60))
        hits += interval.low <= 0 <= interval.high
    assert 180 <= hits <= 198


def test_shares_and_counts_of_which_none_was_seen_are_not_certain():
    share = statistics.share_ci(np.zeros(30))
    wilson = binomtest(0, 30).proportion_ci(method="wilson")
    assert share == pytest.approx((0, wilson.low, wilson.high), abs=1e-9)
    assert statistics.share_ci(np.ones(30)).low < 0.9
    count = statistics.count_ci(np.zeros(30))
    assert (count.low, count.high) == pytest.approx((0, -np.log(0.025) / 30))
    some = statistics.count_ci(np.array([0.0] * 29 + [1.0]))
    assert 0 <= some.low <= some.value < some.high


def test_resampled_means_are_those_of_the_published_draws_whatever_the_parts(monkeypatch):
    values = np.random.default_rng(0).normal(size=(50, 3))
    expected = statistics.bootstrap_weights(50, 1000, 7) @ values
    monkeypatch.setattr(statistics, "PART", 7)
    np.testing.assert_allclose(statistics.resampled_means(values), expected, atol=1e-14)


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
