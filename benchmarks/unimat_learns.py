"""Does UniMat learn? Small unrelaxed interfaces, on a laptop's cores, scored before relaxation.

python benchmarks/unimat_learns.py train WORKDIR --size demo   # again after a kill: goes on
python benchmarks/unimat_learns.py score WORKDIR --size demo   # of the finished training

Cells and settings are those of config/demo.yaml or config/mini.yaml. The LiCoO2 slab is the same in
all structures, the Li3ScCl6 slab is shifted as a whole, the atoms between are random.
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
from learning import run

from dismai import config, models
from dismai.datasets.interface import random_interface
from dismai.datasets.spec import REGION_ATOMS, DatasetSpec, cell_rows
from dismai.evaluation.interface import score as compare
from dismai.evaluation.options import Options
from dismai.evaluation.process import describe_reference, process
from dismai.io import write_structures
from dismai.report.figures import plot_structures, plot_training, save_figure
from dismai.seeds import seed_for

SEED = 20240701
N_TRAIN, N_VALIDATION, N_GENERATED = 200, 50, 100
CONFIG = Path(__file__).parents[1] / "config"


def settings(size: str) -> config.Config:
    """Configuration of demo or mini."""
    return config.load(str(CONFIG / "config.yaml"), str(CONFIG / f"{size}.yaml"))


def dataset(size: str) -> tuple[list[Atoms], list[Atoms], DatasetSpec]:
    """Training set, validation set and card: random interfaces, not relaxed."""
    geometry = settings(size).datasets["interface"].geometry.model_dump()
    structures = [
        random_interface(seed_for(SEED, "interface", i), **geometry)
        for i in range(N_TRAIN + N_VALIDATION)
    ]
    first = structures[0]
    symbols = first.get_chemical_symbols()
    region = first.symbols[first.get_tags() == 0]
    spec = DatasetSpec(
        name="interface",
        kind="interface",
        composition={symbol: symbols.count(symbol) for symbol in dict.fromkeys(symbols)},
        cell_A=cell_rows(first.cell.array),
        n_train=N_TRAIN,
        n_val=N_VALIDATION,
        statistics={REGION_ATOMS: dict(Counter(region))},
    )
    return structures[:N_TRAIN], structures[N_TRAIN:], spec


def train(args: argparse.Namespace) -> None:
    """Train, or go on; the model goes to the folder of the run."""
    torch.set_num_threads(args.threads)
    structures, validation, spec = dataset(args.size)
    hparams = settings(args.size).models["unimat"].hparams("interface")
    if args.epochs:
        hparams["epochs"] = args.epochs
    model = models.create("unimat", spec, **hparams)
    start = time.monotonic()
    model.fit(structures, validation, args.workdir, args.seed)
    logging.info("trained for %.0f s in this process", time.monotonic() - start)
    model.save(args.workdir / "model.safetensors")


def random_atoms(spec: DatasetSpec) -> list[Atoms]:
    """Atoms of the right number and species anywhere in the cell."""
    random = np.random.default_rng(SEED)
    return [
        Atoms(spec.symbols, random.random((spec.n_atoms, 3)) @ spec.cell, cell=spec.cell, pbc=True)
        for _ in range(N_GENERATED)
    ]


def distance_from_slab(drawn: list[Atoms], template: Atoms, slab: np.ndarray) -> float:
    """Root mean square distance of atoms from the slab of a template, shifted to fit best, Å.

    Args:
        drawn: structures, atoms in the order of the template
        template: a training structure
        slab: which atoms, (n_atoms,)
    """
    squares = []
    for atoms in drawn:
        apart = (atoms.get_scaled_positions() - template.get_scaled_positions())[slab]
        shift = np.angle(np.exp(2j * np.pi * apart).mean(axis=0)) / (2 * np.pi)
        apart -= shift
        squares.append((((apart - np.rint(apart)) @ template.cell.array) ** 2).sum(axis=1))
    return float(np.sqrt(np.mean(squares)))


def score(args: argparse.Namespace) -> None:
    """Print the scores beside those of two baselines; draw the curve and two structures."""
    torch.set_num_threads(args.threads)
    structures, validation, spec = dataset(args.size)
    model = models.load(args.workdir / "model.safetensors")
    start = time.monotonic()
    generated = model.sample(N_GENERATED, args.seed)
    print(f"sampling {N_GENERATED} structures took {time.monotonic() - start:.0f} s")
    reference = describe_reference(structures, spec, Options(), "training set")
    tags = structures[0].get_tags()
    sets = {
        "generated": generated,
        "held out": validation,
        "random atoms": random_atoms(spec),
    }
    rows = {}
    for name, drawn in sets.items():
        done = process(dict(enumerate(drawn)), spec, Options())
        right = [atoms for atoms in drawn if "X" not in atoms.get_chemical_symbols()]
        rows[name] = {
            "right species %": 100 * len(right) / len(drawn),
            "accepted %": 100 * float((done.fates["status"] == "accepted").mean()),
            "LCO slab, A": distance_from_slab(drawn, structures[0], tags > 0),
            "LSC slab, A": distance_from_slab(drawn, structures[0], tags < 0),
            "d_all": compare(done.features, reference, spec)["d_all"][1].value,
        }
    table = pd.DataFrame(rows).T
    print(table.to_string(float_format=lambda value: f"{value:.4g}"))
    (args.workdir / "scores.json").write_text(json.dumps(rows, indent=2) + "\n")
    write_structures(generated, args.workdir / "generated.extxyz")
    pictures = {"training": structures[0], "generated": generated[0]}
    save_figure(plot_structures(pictures), args.workdir / "structures.png")
    history = pd.read_csv(args.workdir / "history.csv").drop(columns="epoch")
    curves = {f"UniMat, {spec.n_atoms}-atom interface": history}
    save_figure(plot_training(curves), args.workdir / "training.svg")


if __name__ == "__main__":
    run(
        __doc__,
        train,
        score,
        ("--size", {"choices": ["demo", "mini"], "default": "demo"}),
        ("--epochs", {"type": int, "help": "passes over the training set, not those given"}),
    )
