"""The Monte Carlo kernel against a slow one, and against icet."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dismai.datasets.alloy import build as alloy
from dismai.datasets.alloy.icet_expansion import decorated_crystal, to_icet
from dismai.datasets.alloy.monte_carlo import (
    BOLTZMANN_eV_PER_K,
    CanonicalSampler,
    interaction_matrices,
    nearest_neighbors,
    total_energy,
)
from dismai.metrics.clusters import count_clusters, published_expansion

CELLS = [(2, 2, 2), (3, 2, 2), (4, 4, 4)]
seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def expansion():
    return published_expansion()


def random_occupancy(seed, supercell):
    n_sites = 4 * int(np.prod(supercell))
    return np.random.default_rng(seed).integers(0, 3, n_sites).astype(np.int8)


@settings(max_examples=10)
@given(seeds, st.sampled_from(CELLS))
def test_total_energy_equals_that_of_the_cluster_counts(seed, supercell):
    expansion = published_expansion()
    occupancy = random_occupancy(seed, supercell)
    counts = count_clusters(occupancy[None], supercell)[0]
    expected = len(occupancy) * expansion.energy(counts)
    found = total_energy(occupancy, expansion, supercell)
    assert found == pytest.approx(expected, abs=1e-12)


@settings(max_examples=10)
@given(seeds, st.sampled_from(CELLS))
def test_interaction_matrices_add_up_to_the_pair_energy(seed, supercell):
    expansion = published_expansion()
    occupancy = random_occupancy(seed, supercell)
    energies = interaction_matrices(expansion, supercell)
    n = len(occupancy)
    rows, columns = np.meshgrid(range(n), range(n), indexing="ij")
    pairs = energies[occupancy[rows], occupancy[columns], rows, columns].sum() / 2
    expected = total_energy(occupancy, expansion, supercell) - n * expansion.constant
    assert pairs == pytest.approx(expected, abs=1e-12)


def slow_metropolis(occupancy, expansion, supercell, temperature_K, n_passes, any_pair, rng):
    """The same chain, every energy difference from two whole energies; for tests only."""
    beta = 1 / (BOLTZMANN_eV_PER_K * temperature_K)
    n = len(occupancy)
    order = np.argsort(occupancy, kind="stable")
    neighbors = nearest_neighbors(supercell)
    snapshots = []
    for _ in range(n_passes):
        for _ in range(n):
            draw = rng.random() * n
            i = int(draw)
            if any_pair:
                others = [k for k in order if occupancy[k] != occupancy[i]]
                j = others[int((draw - i) * len(others))]
            else:
                j = neighbors[i, int((draw - i) * 12)]
                if occupancy[i] == occupancy[j]:
                    continue
            swapped = occupancy.copy()
            swapped[[i, j]] = occupancy[[j, i]]
            change = total_energy(swapped, expansion, supercell)
            change -= total_energy(occupancy, expansion, supercell)
            if change <= 1e-12 or (-beta * change >= -40 and rng.random() < np.exp(-beta * change)):
                at_i, at_j = (int(np.flatnonzero(order == k)[0]) for k in (i, j))
                order[at_i], order[at_j] = j, i
                occupancy = swapped
        snapshots.append(occupancy)
    return np.array(snapshots)


@pytest.mark.parametrize("swaps", ["any_pair", "nearest_neighbors"])
@pytest.mark.parametrize("temperature_K", [300.0, 1500.0])
def test_the_kernel_follows_a_chain_of_whole_energies(expansion, swaps, temperature_K):
    start = np.random.default_rng(3).permutation(np.repeat([0, 1, 2], [6, 20, 6])).astype(np.int8)
    sampler = CanonicalSampler(expansion, (2, 2, 2), swaps)
    rng = np.random.default_rng(11)
    found, _, _ = sampler.run(start.copy(), temperature_K, 40, 1, rng)
    rng = np.random.default_rng(11)
    expected = slow_metropolis(
        start, expansion, (2, 2, 2), temperature_K, 40, swaps == "any_pair", rng
    )
    np.testing.assert_array_equal(found, expected)


def test_composition_is_conserved_and_energy_falls_when_cold(expansion):
    start = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [51, 154, 51]))
    sampler = CanonicalSampler(expansion, (4, 4, 4))
    snapshots, attempts, accepted = sampler.run(
        start.astype(np.int8), 0.01, 20, 1, np.random.default_rng(1)
    )
    assert (np.sort(snapshots, axis=1) == np.sort(start)).all()
    energies = [total_energy(snapshot, expansion, (4, 4, 4)) for snapshot in snapshots]
    assert np.diff(energies).max() <= 1e-9
    assert 0 < accepted < attempts == 20 * 256


@pytest.mark.parametrize("supercell", CELLS)
def test_the_icet_expansion_has_the_same_energy(expansion, supercell):
    twin = to_icet(expansion)
    for seed in range(5):
        occupancy = random_occupancy(seed, supercell)
        atoms = decorated_crystal(occupancy, expansion.a_A, supercell)
        expected = total_energy(occupancy, expansion, supercell) / len(occupancy)
        assert twin.predict(atoms) == pytest.approx(expected, abs=1e-9)


def test_both_engines_agree_at_1500_K_within_three_standard_errors(expansion):
    settings_ = {
        "supercell": (2, 2, 2), "composition": {"Cr": 6, "Fe": 20, "Ni": 6},
        "n_runs": 6, "n_passes": 1500, "interval": 5,
    }  # fmt: skip
    means = {}
    for engine in ("numba", "icet"):
        snapshots = alloy.sample(1500, expansion, engine=engine, seed=5, **settings_)
        occupancy = snapshots.occupancy[:, 40:].reshape(-1, 32)
        counts = count_clusters(occupancy, (2, 2, 2))
        sro = alloy.short_range_order(occupancy, (2, 2, 2))
        values = np.hstack([expansion.energy(counts)[:, None], sro])
        means[engine] = values.reshape(6, -1, 13).mean(axis=1)  # (run, quantity)
    difference = means["numba"].mean(axis=0) - means["icet"].mean(axis=0)
    error = np.sqrt(sum(mean.var(axis=0, ddof=1) / 6 for mean in means.values()))
    assert (np.abs(difference) < 3 * error).all()
