"""Does CryinGAN learn? A 32-atom alloy, trained for an hour on a laptop's cores, scored in full.

python benchmarks/cryingan_learns.py train WORKDIR      # again after a kill: goes on
python benchmarks/cryingan_learns.py score WORKDIR      # also while it trains
"""

import argparse
import json
import logging
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from dismai import models
from dismai.baselines import random_decoration
from dismai.datasets.alloy import build, sample
from dismai.datasets.spec import FccLattice
from dismai.io import write_structures
from dismai.metrics.clusters import formation_energy, probabilities
from dismai.metrics.statistics import bootstrap_weights, euclidean
from dismai.models.cryingan.model import CryinGAN
from dismai.postprocess.on_lattice import keep_on_lattice, max_removed
from dismai.report.figures import plot_structures, plot_training, save_figure
from dismai.training.callbacks import states
from dismai.training.files import read_tree

SEED = 20240701
N_GENERATED = 200
SETTINGS = {
    "waves": {
        "harmonics": 4,
        "latent": 8,
        "generator_first": 32,
        "generator_channels": [128, 128, 128],
        "critic_channels": [64, 64, 64],
        "critic_hidden": [128, 64],
        "lambda_distance": 0.3,
        "generator_every": 2,
        "learning_rate": 1e-3,
        "betas": [0.0, 0.9],
        "epochs": 120,
    },
    "scalar": {
        "harmonics": 4,
        "latent": 8,
        "generator_first": 128,
        "generator_channels": [64, 64],
        "critic_channels": [64, 64],
        "critic_hidden": [64],
        "critic_outputs": 1,
        "lambda_distance": 0.05,
        "generator_every": 1,
        "learning_rate": 2e-3,
        "betas": [0.0, 0.9],
        "epochs": 60,
        "checkpoint_every": 1000,
    },
    "balanced": {
        "harmonics": 4,
        "latent": 8,
        "generator_first": 64,
        "generator_channels": [128, 128],
        "critic_channels": [64, 64, 64],
        "critic_hidden": [128, 64],
        "critic_outputs": 1,
        "lambda_distance": 0.15,
        "generator_every": 1,
        "learning_rate": 1e-3,
        "betas": [0.0, 0.9],
        "epochs": 60,
        "checkpoint_every": 1000,
    },
    "quick": {
        "harmonics": 4,
        "latent": 8,
        "generator_first": 128,
        "generator_channels": [64, 64],
        "critic_channels": [32, 32],
        "critic_hidden": [32],
        "critic_outputs": 1,
        "lambda_distance": 0.2,
        "generator_every": 1,
        "learning_rate": 4e-3,
        "betas": [0.0, 0.9],
        "epochs": 30,
        "checkpoint_every": 600,
    },
    "raw_coordinates": {
        "generator_first": 32,
        "generator_channels": [64, 64, 64],
        "critic_channels": [64, 64, 64],
        "critic_hidden": [128, 64],
        "generator_every": 2,
        "learning_rate": 1e-3,
        "betas": [0.5, 0.9],
        "batch": 16,
        "epochs": 150,
    },
}


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


def train(args: argparse.Namespace) -> None:
    """Train, or go on; the model goes to the folder of the run."""
    torch.set_num_threads(args.threads)
    structures, validation, spec = dataset()
    model = models.create("cryingan", spec, **SETTINGS[args.settings])
    start = time.monotonic()
    model.fit(structures, validation, args.workdir, args.seed)
    logging.info("trained for %.0f s in this process", time.monotonic() - start)
    model.save(args.workdir / "model.safetensors")


def trained(workdir: Path, settings: str, spec) -> tuple[CryinGAN, pd.DataFrame]:
    """Model and history of the newest state: of a finished training or one that goes on."""
    model = models.create("cryingan", spec, **SETTINGS[settings])
    state = read_tree(states(workdir / "state")[0])
    model.networks = model.new_networks(seed=0)
    prefix = "networks."
    model.networks.load_state_dict(
        {name.removeprefix(prefix): value for name, value in state["state_dict"].items()}
    )
    losses = state["callbacks"]["History"]["rows"].numpy()
    columns = [*(f"critic_{kind}" for kind in model.networks.critics), "generator"]
    history = pd.DataFrame(losses, columns=columns)
    steps_per_epoch = -(-spec.n_train * 8 // model.hparams.batch)  # 8 translated copies
    history.insert(0, "step", steps_per_epoch * np.arange(1, len(history) + 1))
    return model, history


def uniform_atoms(spec, n: int):
    """Atoms of the right number and species anywhere in the cell."""
    random = np.random.default_rng(SEED)
    templates = random_decoration(spec, n, SEED)
    for atoms in templates:
        atoms.positions = random.random((len(atoms), 3)) @ spec.cell
    return templates


def describe(structures, spec, reference: np.ndarray) -> dict[str, float]:
    """Scores of a set put on the lattice, nothing rejected; distance with its standard error."""
    kept = [keep_on_lattice(atoms, spec.fcc, "none", reject=False) for atoms in structures]
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


def score(args: argparse.Namespace) -> None:
    """Print the scores beside those of three baselines; draw the curve and two structures."""
    structures, validation, spec = dataset()
    model, history = trained(args.workdir, args.settings, spec)
    print(f"scored after {history['step'].iloc[-1]} steps")
    generated = model.sample(N_GENERATED, args.seed)
    reference = np.mean([probabilities(atoms) for atoms in structures], axis=0)
    sets = {
        "generated": generated,
        "held out": validation[:N_GENERATED],
        "random decoration": random_decoration(spec, N_GENERATED, SEED),
        "uniformly random atoms": uniform_atoms(spec, N_GENERATED),
    }
    table = pd.DataFrame({name: describe(s, spec, reference) for name, s in sets.items()}).T
    print(table.to_string(float_format=lambda value: f"{value:.5g}"))
    (args.workdir / "scores.json").write_text(json.dumps(table.T.to_dict(), indent=2) + "\n")
    write_structures(generated, args.workdir / "generated.extxyz")
    save_figure(
        plot_structures({"training": structures[0], "generated": generated[0]}),
        args.workdir / "structures.png",
    )
    title = f"CryinGAN, 32-atom alloy, settings {args.settings}"
    save_figure(plot_training({title: history}), args.workdir / "training.svg")


def main() -> None:
    """One of the two commands."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=["train", "score"])
    parser.add_argument("workdir", type=Path)
    parser.add_argument("--settings", choices=SETTINGS, default="waves")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    {"train": train, "score": score}[args.command](args)


if __name__ == "__main__":
    main()
