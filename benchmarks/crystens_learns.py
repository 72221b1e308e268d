"""Does CrysTens learn? Small unrelaxed interfaces, trained within the hour on one core, scored.

python benchmarks/crystens_learns.py train WORKDIR      # again after a kill: goes on
python benchmarks/crystens_learns.py score WORKDIR      # also while its second stage trains

The interfaces are those of the demo, 44 atoms: two LCO planes that never move, a random region of
one Li3ScCl6, an LSC slab at a random place above it.
"""

import argparse
import json
import logging
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from ase import Atoms
from ase.geometry import find_mic, get_distances
from learning import run

from dismai import models
from dismai.datasets.interface import random_interface
from dismai.datasets.spec import REGION_ATOMS, DatasetSpec, cell_rows
from dismai.io import write_structures
from dismai.metrics.crystalnn import fingerprints, sites
from dismai.metrics.interface import cation_distances, cation_means
from dismai.models.crystens.model import STAGES, CrysTens
from dismai.models.crystens.pictures import DIAGNOSTICS, picture_scales
from dismai.report.figures import plot_structures, plot_training, save_figure
from dismai.seeds import seed_for
from dismai.training.callbacks import states
from dismai.training.data import fractional_coordinates
from dismai.training.files import read_tree

SEED = 20240701
N_TRAIN, N_VAL, N_GENERATED = 200, 50, 50
GEOMETRY = {
    "lco_layers": 2,
    "lsc_layers": 3,
    "region_formula_units": 1,
    "match": {"max_area_A2": 75, "length_tolerance": 0.15, "angle_tolerance": 0.16},
}
SMALL = {
    "base_side": 32,
    "base_channels": 16,
    "base_multipliers": [1, 2, 2],
    "base_blocks": [1, 1, 1],
    "sr_channels": 16,
    "sr_multipliers": [1, 2, 2],
    "sr_blocks": [1, 1, 1],
    "heads": 2,
    "head_width": 16,
    "norm_groups": 4,
    "learning_rate": 2e-3,
    "base_epochs": 60,
    "sr_epochs": 200,
    "validate_every": 5,
    "checkpoint_every": 125,
    "steps": 25,
}
SETTINGS = {
    "small": SMALL,
    "coordinate_preserving": {**SMALL, "resize": "coordinate_preserving"},
}


def dataset() -> tuple[list[Atoms], list[Atoms], DatasetSpec]:
    """Training set, validation set and card; `tags` are 0 in the region, 1 and 2 in LCO planes."""
    structures = [
        random_interface(seed_for(SEED, "learning", i), **GEOMETRY) for i in range(N_TRAIN + N_VAL)
    ]
    symbols = structures[0].get_chemical_symbols()
    region = structures[0].symbols[structures[0].get_tags() == 0]
    spec = DatasetSpec(
        name="interface",
        kind="interface",
        composition=dict(Counter(symbols)),
        cell_A=cell_rows(structures[0].cell.array),
        n_train=N_TRAIN,
        n_val=N_VAL,
        statistics={REGION_ATOMS: dict(Counter(region))},
    )
    return structures[:N_TRAIN], structures[N_TRAIN:], spec


def train(args: argparse.Namespace) -> None:
    """Train, or go on; the model goes to the folder of the run."""
    torch.set_num_threads(args.threads)
    structures, validation, spec = dataset()
    model = models.create("crystens", spec, **SETTINGS[args.settings])
    start = time.process_time()
    model.fit(structures, validation, args.workdir, args.seed)
    logging.info("trained for %.0f s of processor time here", time.process_time() - start)
    model.save(args.workdir / "model.safetensors")


def trained(workdir: Path, settings: str, structures, spec) -> tuple[CrysTens, pd.DataFrame]:
    """Model of the newest states, with the averaged weights as a finished fit keeps; history."""
    model = models.create("crystens", spec, **SETTINGS[settings])
    f = torch.from_numpy(fractional_coordinates(structures, spec))
    model.scales = picture_scales(f, model.layout)
    model.networks = model.new_networks(seed=0)
    steps_per_epoch = -(-spec.n_train // model.hparams.batch)
    parts, done = [], 0
    for stage in STAGES:
        newest = states(workdir / "state" / stage / "state")
        state = read_tree(newest[0])
        average = state["callbacks"]["Ema"]
        weights = average["best"] or average["weights"]
        getattr(model.networks, stage).load_state_dict(
            {name.removeprefix("network."): value for name, value in weights.items()}
        )
        losses = state["callbacks"]["History"]["rows"].numpy()
        part = pd.DataFrame(losses, columns=[stage, f"{stage}_validation"])
        part.insert(0, "step", done + steps_per_epoch * np.arange(1, len(part) + 1))
        done = int(part["step"].iloc[-1])
        parts.append(part)
    return model, pd.concat(parts)


def mean_prints(structures: list[Atoms], spec: DatasetSpec) -> np.ndarray:
    """Mean fingerprint of each cation over a set; structures without one are left out."""
    means = []
    cations = {symbol: spec.composition[symbol] for symbol in ("Li", "Co", "Sc")}
    for atoms in structures:
        symbols = np.array(atoms.get_chemical_symbols())[sites(atoms, "interface")]
        means.append(cation_means(fingerprints(atoms, "interface"), symbols, cations))
    return np.mean(means, axis=0)


def describe(structures: list[Atoms], training: list[Atoms], prints, spec) -> dict[str, float]:
    """Scores of a set; distances in Å.

    fixed_A: root mean square of the way of the atoms of both LCO planes from their places, after a
    common shift.  region_A: the same for atoms of the region from the mean of the training set,
    which has no places: it should be as large as that of held-out structures.
    """
    tags = training[0].get_tags()
    cell = training[0].cell
    rows = []
    for atoms in structures:
        apart, _ = find_mic(atoms.positions - training[0].positions, cell, pbc=True)
        fixed = apart[tags > 0]
        _, distances = get_distances(atoms.positions, cell=cell, pbc=True)
        nearest = np.sort(distances, axis=1)[:, 1]
        rows.append(
            {
                "fixed_A": np.sqrt(((fixed - fixed.mean(0)) ** 2).sum(1).mean()),
                "shift_A": np.linalg.norm(fixed.mean(0)),
                "region_A": np.sqrt((apart[tags == 0] ** 2).sum(1).mean()),
                "shortest_A": nearest.min(),
                "mean_nearest_A": nearest.mean(),
            }
        )
    generated = mean_prints(structures, spec)
    cations = {symbol: spec.composition[symbol] for symbol in ("Li", "Co", "Sc")}
    return {
        "n": len(structures),
        **pd.DataFrame(rows).mean().to_dict(),
        "d_all": cation_distances(generated, prints, cations)["d_all"],
    }


def uniform_atoms(spec: DatasetSpec, n: int) -> list[Atoms]:
    """Atoms of the right number and species anywhere in the cell."""
    random = np.random.default_rng(SEED)
    return [
        Atoms(spec.symbols, scaled_positions=random.random((spec.n_atoms, 3)), cell=spec.cell,
              pbc=True)
        for _ in range(n)
    ]  # fmt: skip


def score(args: argparse.Namespace) -> None:
    """Print the scores beside those of baselines; draw the curve and two structures."""
    torch.set_num_threads(args.threads)
    structures, validation, spec = dataset()
    model, history = trained(args.workdir, args.settings, structures, spec)
    print(f"scored after {history['step'].iloc[-1]} steps of both stages")
    generated = model.sample(N_GENERATED, args.seed)
    means = {name: float(np.mean([a.info[name] for a in generated])) for name in DIAGNOSTICS}
    for name, value in means.items():
        print(f"{name}: {value:.6f}")
    prints = mean_prints(structures, spec)
    sets = {
        "generated": generated,
        "held out": validation,
        "uniformly random atoms": uniform_atoms(spec, N_GENERATED),
    }
    table = pd.DataFrame(
        {name: describe(s, structures, prints, spec) for name, s in sets.items()}
    ).T
    print(table.to_string(float_format=lambda value: f"{value:.4g}"))
    print("target: species accuracy at least 0.99:", means["species_accuracy"] >= 0.99)
    scores = {"diagnostics": means, "sets": table.T.to_dict()}
    (args.workdir / "scores.json").write_text(json.dumps(scores, indent=2) + "\n")
    write_structures(generated, args.workdir / "generated.extxyz")
    save_figure(
        plot_structures({"training": structures[0], "generated": generated[0]}),
        args.workdir / "structures.png",
    )
    title = f"CrysTens, {spec.n_atoms}-atom interface, settings {args.settings}"
    save_figure(plot_training({title: history}), args.workdir / "training.svg")


if __name__ == "__main__":
    run(
        __doc__,
        train,
        score,
        ("--settings", {"choices": SETTINGS, "default": "small"}),
    )
