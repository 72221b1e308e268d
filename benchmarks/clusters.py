"""Structures of 256 atoms per minute through the alloy evaluation, on one core.

Closed form on the lattice (variants none and translate) and by geometry (rotate), from ASE Atoms
to all features; equality with the golden numbers is checked in the same run.
"""

import json
import time
from pathlib import Path

import numpy as np

from dismai.datasets.alloy.describe import clean, describe, features_table
from dismai.datasets.baselines import random_decoration
from dismai.datasets.options import Options
from dismai.evaluation.reference import load_shipped
from dismai.metrics.clusters import probabilities, published_expansion
from dismai.postprocess import keep_on_lattice

GOLDEN = Path(__file__).parents[1] / "tests" / "golden" / "reference_vectors.json"


def check_golden(lattice) -> float:
    """Largest deviation of the cluster probabilities of structure A from the golden ones."""
    from dismai.datasets.alloy.build import to_atoms

    key = 101 * np.arange(256) % 256
    atoms = to_atoms(np.where(key < 154, 1, np.where(key < 205, 2, 0)), lattice)
    expected = json.loads(GOLDEN.read_text())["alloy"]["A"]["prob_exact"]
    return float(np.abs(probabilities(atoms) - expected).max())


def main() -> None:
    """Print structures per minute of every variant."""
    spec = load_shipped("alloy_300K_wide", published_expansion()).spec
    print(f"largest deviation from the golden probabilities: {check_golden(spec.fcc):.1e}")
    structures = random_decoration(spec, 1000, seed=1)
    rng = np.random.default_rng(1)
    for atoms in structures:
        atoms.positions += rng.normal(0, 0.1, atoms.positions.shape)
    kept = [keep_on_lattice(atoms, spec.fcc)[0] for atoms in structures[:2]]
    start = time.perf_counter()
    probabilities(kept[0])
    for align in ("none", "translate", "rotate"):
        describe(clean(structures[0], spec, Options(align))[0], spec, Options(align))
    print(f"compilation, not counted: {time.perf_counter() - start:.1f} s")
    cleaned = [keep_on_lattice(atoms, spec.fcc)[0] for atoms in structures]
    start = time.perf_counter()
    clusters = np.array([describe(atoms, spec, Options()) for atoms in cleaned])
    elapsed = time.perf_counter() - start
    print(f"counting on the lattice      {60 * len(cleaned) / elapsed:10.0f} structures per minute")
    import pandas as pd

    numbered = pd.DataFrame({"structure": np.arange(len(cleaned))})
    numbered["n_removed"] = numbered["n_vacancies"] = 0.0
    for align in ("none", "translate", "rotate"):
        start = time.perf_counter()
        n_done, options = 0, Options(align)
        for atoms in structures[:400]:
            try:
                clusters[n_done] = describe(clean(atoms, spec, options)[0], spec, options)
            except ValueError:
                continue  # a shift by one displaced atom can leave too many off the lattice
            n_done += 1
        features_table(clusters[:n_done], numbered[:n_done], published_expansion())
        elapsed = time.perf_counter() - start
        print(f"clean and count, {align:10s}  {60 * 400 / elapsed:10.0f} structures per minute")


if __name__ == "__main__":
    main()
