import tracemalloc

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist
from scipy.stats import mannwhitneyu

from dismai.base.errors import InputError
from dismai.metrics import pairs
from dismai.metrics.sets import (
    KERNEL_WIDTHS,
    compare_sets,
    coverage,
    diversity,
    expected_coverage,
    expected_mmd,
    expected_soap_mmd,
    fidelity,
    memorisation,
    mmd,
    soap_mmd_ci,
    standardize,
)
from dismai.metrics.statistics import bootstrap_counts


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def test_mmd_is_the_plain_double_sum(rng):
    x, y = rng.normal(size=(7, 3)), rng.normal(1, 2, size=(9, 3))

    def k(a, b):
        return np.exp(-((a - b) ** 2).sum() / (2 * 1.3**2))

    xx = np.mean([k(x[i], x[j]) for i in range(7) for j in range(7) if i != j])
    yy = np.mean([k(y[i], y[j]) for i in range(9) for j in range(9) if i != j])
    xy = np.mean([k(a, b) for a in x for b in y])
    np.testing.assert_allclose(mmd(x, y, 1.3), xx + yy - 2 * xy, rtol=1e-12)


def test_mmd_sees_a_change_of_spread_that_means_do_not(rng):
    reference = rng.normal(size=(400, 4))
    same = [mmd(rng.normal(size=(400, 4)), reference) for _ in range(10)]
    wider = mmd(1.5 * rng.normal(size=(400, 4)), reference)
    assert min(same) < 0 < max(same)
    assert wider > 5 * np.abs(same).max()


def test_a_new_sample_is_faithful_diverse_and_covers(rng):
    reference, new = rng.normal(size=(600, 3)), rng.normal(size=(600, 3))
    np.testing.assert_allclose(coverage(new, reference), 1 - 2.0**-5, atol=0.03)
    assert fidelity(new, reference) > 0.9
    np.testing.assert_allclose(diversity(new, reference), 1, atol=0.05)


def test_a_collapsed_model_is_faithful_and_does_not_cover(rng):
    reference = rng.normal(size=(600, 3))
    collapsed = 0.01 * rng.normal(size=(600, 3))
    assert fidelity(collapsed, reference) == 1
    assert coverage(collapsed, reference) < 0.1
    assert diversity(collapsed, reference) < 0.02


def test_noise_is_diverse_and_not_faithful(rng):
    reference = rng.normal(size=(600, 3))
    noise = rng.normal(0, 10, size=(600, 3))
    assert fidelity(noise, reference) < 0.1
    assert diversity(noise, reference) > 5


def test_memorisation_tells_copies_from_new_structures(rng):
    training, held_out, new = (rng.normal(size=(500, 5)) for _ in range(3))
    np.testing.assert_allclose(memorisation(new, training, held_out), 0.5, atol=0.05)
    assert memorisation(training[:100], training, held_out) == 1
    assert memorisation(new + 20, training, held_out) == 0
    half = np.concatenate([training[:250], new[:250]])
    np.testing.assert_allclose(memorisation(half, training, held_out), 0.75, atol=0.05)


def test_memorisation_is_the_statistic_of_mann_and_whitney_also_with_ties(rng):
    training, held_out, new = (rng.integers(0, 3, size=(n, 3)).astype(float) for n in (9, 40, 30))
    own, other = (cdist(x, training).min(axis=1) for x in (new, held_out))
    assert len(set(own)) < len(own)
    expected = mannwhitneyu(other, own).statistic / (len(own) * len(other))
    assert memorisation(new, training, held_out) == pytest.approx(expected, rel=1e-12)


def test_the_scale_is_that_of_the_reference(rng):
    reference = np.column_stack([rng.normal(3, 2, 50), np.full(50, 7.0), rng.normal(0, 1e-3, 50)])
    scaled = standardize(reference)(reference)
    assert scaled.shape == (50, 2)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.std(axis=0), 1)


def test_sets_without_information_are_refused(rng):
    same = np.ones((10, 3))
    for function in (mmd, diversity):
        with pytest.raises(InputError, match="different"):
            function(rng.normal(size=(10, 3)), same)
    with pytest.raises(InputError, match="vary"):
        standardize(same)
    with pytest.raises(InputError, match="at least 6"):
        coverage(same, same[:5])
    with pytest.raises(InputError, match="finite"):
        diversity(np.full((3, 3), np.nan), rng.normal(size=(3, 3)))


def test_intervals_belong_to_the_values_of_the_plain_functions(rng):
    new, train, held_out = (rng.normal(size=(n, 4)) for n in (40, 60, 30))
    found = compare_sets(new, train, held_out)
    median = np.sqrt(np.median(pdist(train, "sqeuclidean")))
    by_width = [mmd(new, train, width * median) for width in KERNEL_WIDTHS]
    assert found["mmd"].value == pytest.approx(np.mean(by_width))
    assert found["fidelity"].value == pytest.approx(fidelity(new, train))
    assert found["coverage"].value == pytest.approx(coverage(new, train))
    assert found["diversity"].value == pytest.approx(diversity(new, train))
    assert found["memorisation"].value == pytest.approx(memorisation(new, train, held_out))
    for name, interval in found.items():
        assert interval.low < interval.value < interval.high, name


def test_sets_of_any_size_are_compared_tile_by_tile_with_the_same_numbers(rng, monkeypatch):
    new, train, held_out = (rng.normal(size=(n, 4)) for n in (53, 61, 30))
    whole = [compare_sets(new, train, other) for other in (held_out, None)]
    soap = [vectors / np.linalg.norm(vectors, axis=1)[:, None] for vectors in (new, train)]
    whole_soap = soap_mmd_ci(*soap)
    for tile, sorted_at_once in ((7, 100), (20, 10**6)):
        monkeypatch.setattr(pairs, "TILE", tile)
        monkeypatch.setattr(pairs, "KEPT", 0)
        monkeypatch.setattr(pairs, "SORTED_AT_ONCE", sorted_at_once)
        for other, expected in zip((held_out, None), whole, strict=True):
            found = compare_sets(new, train, other)
            for name, interval in expected.items():
                np.testing.assert_allclose(found[name], interval, rtol=0, atol=1e-12)
        np.testing.assert_allclose(soap_mmd_ci(*soap), whole_soap, rtol=0, atol=1e-12)


@pytest.mark.parametrize("repeats", [1, 3])
def test_the_median_of_pairs_is_exact_however_few_are_sorted_at_once(rng, monkeypatch, repeats):
    vectors = np.repeat(rng.normal(size=(40, 3)), repeats, axis=0)
    expected = np.median(pdist(vectors) ** 2)
    monkeypatch.setattr(pairs, "SORTED_AT_ONCE", 20)
    assert pairs.Pairs(vectors).median_square == pytest.approx(expected, rel=1e-12)


def test_the_memory_does_not_grow_with_the_number_of_pairs(rng):
    new, train = rng.normal(size=(4000, 2)), rng.normal(size=(200, 2))
    compare_sets(new[:100], train, None)
    tracemalloc.start()
    compare_sets(new, train, None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 90e6  # the distances of all pairs alone are 128 MB


def test_without_held_out_structures_training_structures_stand_for_them(rng):
    train, new = rng.normal(size=(200, 3)), rng.normal(size=(200, 3))
    assert compare_sets(new, train, None)["memorisation"].value == pytest.approx(0.5, abs=0.1)
    assert compare_sets(train[:50], train, None)["memorisation"].value == 1.0


def test_expected_coverage_is_that_of_new_samples(rng):
    found = []
    for _ in range(40):
        train, new = rng.normal(size=(60, 2)), rng.normal(size=(25, 2))
        found.append(coverage(new, train))
    assert np.mean(found) == pytest.approx(expected_coverage(25, 60), abs=0.04)
    assert expected_coverage(10_000, 10_000) == pytest.approx(1 - 2**-5, abs=1e-3)


def test_the_expected_size_of_a_discrepancy_is_that_of_new_samples(rng):
    found, soap = [], []
    for _ in range(60):
        train, new = rng.normal(size=(80, 3)), rng.normal(size=(40, 3))
        found.append(compare_sets(new, train, None)["mmd"].value)
        a, b = (x / np.linalg.norm(x, axis=1)[:, None] for x in (new, train))
        soap.append(soap_mmd_ci(a, b).value)
    assert np.sqrt(np.mean(np.square(found))) == pytest.approx(expected_mmd(train, 40), rel=0.35)
    assert np.sqrt(np.mean(np.square(soap))) == pytest.approx(expected_soap_mmd(b, 40), rel=0.35)


def test_sets_too_small_to_compare_are_undefined(rng):
    few = compare_sets(rng.normal(size=(1, 3)), rng.normal(size=(60, 3)), None)
    assert all(np.isnan(interval.value) for interval in few.values())
    same = compare_sets(np.ones((9, 3)), np.ones((9, 3)), None)
    assert all(np.isnan(interval.value) for interval in same.values())


def test_of_large_sets_pairs_within_groups_count_whose_number_grows_with_the_set(rng, monkeypatch):
    vectors = np.sort(rng.normal(size=(400, 3)), axis=0)  # in an order, as of a trajectory
    counts, taken = bootstrap_counts(400, 20, seed=1), []
    whole, _ = pairs.Pairs(vectors).weighted_means(counts, [lambda distance: distance])

    def distance(a, b):
        taken.append(len(a) * len(b))
        return cdist(a, b)

    monkeypatch.setattr(pairs, "GROUP", 100)
    means, drawn = pairs.Pairs(vectors, distance).weighted_means(counts, [lambda tile: tile])
    assert sum(taken) == 400 * 100
    assert means[0] == pytest.approx(whole[0], rel=0.02)
    sums, numbers = np.zeros(20), np.zeros(20)
    for first in range(4):
        own = counts[:, first::4].astype(float)
        sums += np.einsum("ri,ij,rj->r", own, cdist(vectors[first::4], vectors[first::4]), own)
        numbers += own.sum(axis=1) ** 2 - (own**2).sum(axis=1)
    np.testing.assert_allclose(drawn[0], sums / numbers, rtol=1e-12)
