"""What the benchmarks of learning share: the 32-atom alloy, its baselines, the scores of a set."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from dismai.base.card import FccLattice
from dismai.datasets.alloy.build import build, sample
from dismai.datasets.baselines import random_decoration
from dismai.files.structures import write_structures
from dismai.metrics.clusters import formation_energy, probabilities
from dismai.metrics.statistics import bootstrap_weights, euclidean
from dismai.postprocess.on_lattice import keep_on_lattice, max_removed
from dismai.report.figures import plot_structures, plot_training, save_figure

SEED = 20240701
N_GENERATED = 200


def dataset():
    """Training set, validation set and card of the 32-atom alloy at 300 K, narrow in its SRO."""
    lattice = FccLattice(supercell=(2, 2, 2))
    composition = {"Cr": 6, "Fe": 20, "Ni": 6}
    snapshots = sample(300.0, supercell=lattice.supercell, composition=composition, seed=SEED)
    return build(
        snapshots,
        "alloy_300K_narrow",
        300.0,
        "narrow",
        lattice,
        burn_in_passes=10_000,
        sro_tolerance=0.5,
        seed=SEED,
    )


def uniform_atoms(spec, n: int):
    """Atoms of the right number and species anywhere in the cell."""
    random = np.random.default_rng(SEED)
    templates = random_decoration(spec, n, SEED)
    for atoms in templates:
        atoms.positions = random.random((len(atoms), 3)) @ spec.cell
    return templates


def describe(structures, spec, reference: np.ndarray, align: str) -> dict[str, float]:
    """Scores of a set put on the lattice, nothing rejected; distance with its standard error."""
    kept = [keep_on_lattice(atoms, spec.fcc, align, reject=False) for atoms in structures]
    removed = np.array([n_removed for _, n_removed, _ in kept])
    cleaned = [atoms for atoms, _, status in kept if status == "ok"]
    clusters = np.array([probabilities(atoms) for atoms in cleaned])
    resampled = bootstrap_weights(len(clusters), 1000, seed=7) @ clusters
    distances = [euclidean(mean, reference) for mean in resampled]
    decorations = {
        tuple(
            sorted(
                f"{symbol} {x.round(2)}" for symbol, x in zip(a.symbols, a.positions, strict=True)
            )
        )
        for a in cleaned
    }
    return {
        "n": len(structures),
        "accepted_percent": 100 * float(np.mean(removed <= max_removed(spec.n_atoms))),
        "perfect_percent": 100 * float(np.mean(removed == 0)),
        "mean_removed": float(removed.mean()),
        "d_cluster": euclidean(clusters.mean(0), reference),
        "d_cluster_standard_error": float(np.std(distances, ddof=1)),
        "energy_eV_per_atom": float(np.mean([formation_energy(atoms) for atoms in cleaned])),
        "distinct_decorations": len(decorations),
    }


def score_and_draw(generated, align: str, history: pd.DataFrame, title: str, folder: Path) -> None:
    """Print the scores beside those of three baselines; draw the curve and two structures.

    Args:
        generated: N_GENERATED structures
        align: how they are laid on the lattice; baselines lie on it
        history: losses by step
        title: of the curve
        folder: gets scores.json, generated.extxyz, structures.png, training.svg
    """
    structures, validation, spec = dataset()
    print(f"scored after {history['step'].iloc[-1]} steps")
    reference = np.mean([probabilities(atoms) for atoms in structures], axis=0)
    sets = {
        "generated": (generated, align),
        "held out": (validation[:N_GENERATED], "none"),
        "random decoration": (random_decoration(spec, N_GENERATED, SEED), "none"),
        "uniformly random atoms": (uniform_atoms(spec, N_GENERATED), align),
    }
    rows = {name: describe(s, spec, reference, align) for name, (s, align) in sets.items()}
    table = pd.DataFrame(rows).T
    print(table.to_string(float_format=lambda value: f"{value:.5g}"))
    (folder / "scores.json").write_text(json.dumps(table.T.to_dict(), indent=2) + "\n")
    write_structures(generated, folder / "generated.extxyz")
    drawn = {"training": structures[0], "generated": generated[0]}
    save_figure(plot_structures(drawn), folder / "structures.png")
    save_figure(plot_training({title: history}), folder / "training.svg")
