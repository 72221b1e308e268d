"""The Kolmogorov-Smirnov statistic against scipy and by its known values."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from dismai.base.errors import InputError
from dismai.metrics.distributions import ks, ks_ci, ks_of_counts_ci
from dismai.metrics.statistics import values_only


@pytest.mark.parametrize("seed", range(20))
def test_it_is_that_of_scipy_ties_included(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 40, 2)
    values = np.round(rng.normal(size=n), seed % 3)
    reference = np.round(rng.normal(0.3, 1.2, size=m), seed % 3)
    expected = ks_2samp(values, reference).statistic
    assert ks(values, reference) == pytest.approx(expected, abs=1e-12)


def test_a_sample_against_itself_and_against_one_apart():
    values = np.random.default_rng(0).normal(size=30)
    assert ks(values, values) == 0
    assert ks(values, values + 100) == 1
    assert ks(values + 100, values) == 1


def test_the_interval_holds_the_value_and_shrinks_with_the_set():
    rng = np.random.default_rng(1)
    reference = rng.normal(size=500)
    few, many = (ks_ci(rng.normal(1, 1, size=n), reference) for n in (30, 600))
    for one in (few, many):
        assert 0 <= one.low < one.value < one.high <= 1
    assert many.high - many.low < 0.5 * (few.high - few.low)
    with values_only():
        assert ks_ci(reference[:30], reference).low == ks_ci(reference[:30], reference).high


def test_counts_of_atoms_are_the_pooled_sample():
    rng = np.random.default_rng(2)
    counts, reference = (rng.integers(0, 5, (n, 8)) for n in (20, 30))
    pooled = [np.repeat(np.arange(8), part.sum(axis=0)) for part in (counts, reference)]
    found = ks_of_counts_ci(counts, reference)
    assert found.value == pytest.approx(ks_2samp(*pooled).statistic, abs=1e-12)
    assert found.low < found.value < found.high


def test_atoms_of_a_structure_are_drawn_together():
    """One structure of many atoms counts as one, not as many."""
    one_each = np.eye(2)[np.arange(40) % 2]
    together = np.array([[20.0, 0.0], [0.0, 20.0]])
    reference = np.array([[9.0, 1.0]])
    apart, joined = (ks_of_counts_ci(counts, reference) for counts in (one_each, together))
    assert apart.value == joined.value == pytest.approx(0.4)
    assert joined.high - joined.low > 2 * (apart.high - apart.low)


def test_nothing_to_compare():
    assert np.isnan(ks_ci([], [1.0]).value)
    assert np.isnan(ks_of_counts_ci(np.zeros((2, 3)), np.ones((1, 3))).value)
    with pytest.raises(InputError, match="expected finite values"):
        ks_ci([np.nan], [1.0])
