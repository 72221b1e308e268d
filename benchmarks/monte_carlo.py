"""Attempted swaps per second: our kernel and mchammer, in one process, on one core.

Both count attempted swaps of unlike atoms. Compilation is excluded and printed. With --agree the
two engines also sample 1500 K, and their means are compared in standard errors.
"""

import argparse
import time

import numpy as np

from dismai.datasets.alloy.build import PAPER_COMPOSITION, sample, short_range_order
from dismai.datasets.alloy.icet_expansion import canonical_ensemble
from dismai.datasets.alloy.monte_carlo import CanonicalSampler
from dismai.metrics.clusters import count_clusters, published_expansion, sro_names

SUPERCELL = (4, 4, 4)
N_SITES = 256


def measure(temperature_K: float, n_passes: int, n_mchammer: int) -> tuple[float, float]:
    """Attempted swaps per second of our kernel and of mchammer from the same equilibrated start."""
    expansion = published_expansion()
    rng = np.random.default_rng(1)
    occupancy = rng.permutation(np.repeat([0, 1, 2], list(PAPER_COMPOSITION.values())))
    occupancy = occupancy.astype(np.int8)
    sampler = CanonicalSampler(expansion, SUPERCELL)
    sampler.run(occupancy, temperature_K, 5000, 5000, rng)
    start = time.perf_counter()
    _, attempts, _ = sampler.run(occupancy, temperature_K, n_passes, n_passes, rng)
    ours = attempts / (time.perf_counter() - start)
    ensemble = canonical_ensemble(expansion, occupancy, SUPERCELL, temperature_K, seed=1)
    ensemble.run(1000)
    start = time.perf_counter()
    ensemble.run(n_mchammer)
    return ours, n_mchammer / (time.perf_counter() - start)


def agreement(n_runs: int, n_passes: int, interval: int, burn_in: int) -> None:
    """Mean energy and SRO of both engines at 1500 K, their difference in standard errors."""
    means = {}
    for engine in ("numba", "icet"):
        snapshots = sample(
            1500, n_runs=n_runs, n_passes=n_passes, interval=interval, seed=7, engine=engine
        )
        occupancy, _ = snapshots.equilibrated(burn_in)
        energy = published_expansion().energy(count_clusters(occupancy, SUPERCELL))
        values = np.column_stack([energy, short_range_order(occupancy, SUPERCELL)])
        means[engine] = values.reshape(n_runs, -1, 13).mean(axis=1)
    error = np.sqrt(sum(mean.var(axis=0, ddof=1) / n_runs for mean in means.values()))
    print(f"\n1500 K, {n_runs} runs of {n_passes} passes, each engine")
    print(f"{'quantity':12s} {'numba':>10s} {'icet':>10s} {'difference / standard error':>28s}")
    for k, name in enumerate(["energy_eV", *sro_names()]):
        ours, theirs = (means[engine][:, k].mean() for engine in ("numba", "icet"))
        print(f"{name:12s} {ours:10.5f} {theirs:10.5f} {(ours - theirs) / error[k]:28.2f}")


def main() -> None:
    """Print rates and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agree", action="store_true", help="also compare means (minutes)")
    arguments = parser.parse_args()
    start = time.perf_counter()
    measure(1500, 10, 100)
    print(f"compilation and tables: {time.perf_counter() - start:.1f} s, not counted below")
    print(f"{'T (K)':>6s} {'ours (1/s)':>12s} {'mchammer (1/s)':>15s} {'ratio':>8s}")
    for temperature_K in (300, 1500):
        rates = np.array([measure(temperature_K, 20_000, 20_000) for _ in range(3)])
        ours, theirs = np.median(rates, axis=0)
        print(f"{temperature_K:6d} {ours:12.3g} {theirs:15.3g} {ours / theirs:8.0f}")
    if arguments.agree:
        agreement(n_runs=6, n_passes=900, interval=5, burn_in=150)


if __name__ == "__main__":
    main()
