"""Does CDVAE learn? 64-atom blocks of amorphous silicon, trained on a laptop's cores, then scored.

python benchmarks/cdvae_learns.py train WORKDIR      # again after a kill: goes on
python benchmarks/cdvae_learns.py score WORKDIR      # also while it trains

Scored before any relaxation, against random atoms that were pushed apart.
"""

import argparse
import json
import logging
import time

import numpy as np
import pandas as pd
import torch
from ase import Atoms
from learning import run

from dismai import models
from dismai.datasets.amorphous_si import slice_blocks
from dismai.datasets.bulk import read_bulk
from dismai.datasets.spec import DatasetSpec, cell_rows
from dismai.evaluation.amorphous_si import score as compare
from dismai.evaluation.options import Options
from dismai.evaluation.process import describe_reference, process
from dismai.io import write_structures
from dismai.models.cdvae.model import CDVAE
from dismai.models.cdvae.module import loss_names
from dismai.report.figures import plot_structures, plot_training, save_figure
from dismai.resources import resource
from dismai.training.callbacks import states
from dismai.training.files import read_tree

SEED = 20240701
N_BLOCKS, N_ATOMS, N_GENERATED = 600, 64, 64
METRICS = ("d_motif", "d_rdf", "d_angle", "coordination_defects_above_training")
SETTINGS = {
    "paper_network": {"epochs": 60, "checkpoint_every": 60},
    "small": {
        "latent": 32,
        "encoder_hidden": 32,
        "encoder_blocks": 2,
        "encoder_triplet": 16,
        "encoder_output": 64,
        "head_hidden": 64,
        "hidden": 64,
        "triplet": 32,
        "radial": 64,
        "neighbours": 16,
        "epochs": 150,
        "checkpoint_every": 60,
    },
}


def dataset() -> tuple[list[Atoms], list[Atoms], DatasetSpec]:
    """Training set, validation set and card: blocks of the shipped cell, not relaxed."""
    bulk = read_bulk(resource("asi_100k.npz"))
    blocks = slice_blocks(bulk, N_ATOMS, N_BLOCKS, seed=SEED)
    parts: dict[bool, list[Atoms]] = {False: [], True: []}
    for block in blocks:
        parts[block.info["held_out"]].append(block)
    spec = DatasetSpec(
        name="amorphous_si",
        kind="amorphous_si",
        composition={"Si": N_ATOMS},
        cell_A=cell_rows(blocks[0].cell.array),
        n_train=len(parts[False]),
        n_val=len(parts[True]),
    )
    return parts[False], parts[True], spec


def train(args: argparse.Namespace) -> None:
    """Train, or go on; the model goes to the folder of the run."""
    torch.set_num_threads(args.threads)
    structures, validation, spec = dataset()
    model = models.create("cdvae", spec, **SETTINGS[args.settings])
    start = time.monotonic()
    model.fit(structures, validation, args.workdir, args.seed)
    logging.info("trained for %.0f s in this process", time.monotonic() - start)
    model.save(args.workdir / "model.safetensors")


def trained(args: argparse.Namespace, spec: DatasetSpec) -> tuple[CDVAE, pd.DataFrame]:
    """Model and history of the newest state: of a finished training or one that goes on."""
    settings = {**SETTINGS[args.settings], "langevin_steps": args.steps, "sampling_batch": 16}
    model = models.create("cdvae", spec, **settings)
    state = read_tree(states(args.workdir / "state")[0])
    model.networks = model.new_networks(seed=0)
    prefix = "networks."
    weights = {k.removeprefix(prefix): v for k, v in state["state_dict"].items()}
    model.networks.load_state_dict(weights)
    rows = state["callbacks"]["History"]["rows"].numpy()
    history = pd.DataFrame(rows, columns=[*loss_names(model.hparams), "validation"])
    steps_per_epoch = -(-spec.n_train // model.hparams.batch)
    history.insert(0, "step", steps_per_epoch * np.arange(1, len(history) + 1))
    return model, history


def uniform_atoms(spec: DatasetSpec) -> list[Atoms]:
    """Atoms anywhere in the cell; the evaluation pushes them apart."""
    random = np.random.default_rng(SEED)
    return [
        Atoms(spec.symbols, random.random((N_ATOMS, 3)) @ spec.cell, cell=spec.cell, pbc=True)
        for _ in range(N_GENERATED)
    ]


def score(args: argparse.Namespace) -> None:
    """Print distances from the training set beside those of two baselines; draw."""
    torch.set_num_threads(args.threads)
    structures, validation, spec = dataset()
    model, history = trained(args, spec)
    start = time.monotonic()
    generated = model.sample(N_GENERATED, args.seed)
    print(f"scored after {history['step'].iloc[-1]} steps, {args.steps} Langevin steps per level")
    print(f"sampling {N_GENERATED} structures took {time.monotonic() - start:.0f} s")
    reference = describe_reference(structures, spec, Options(), "training set")
    sets = {
        "generated": generated,
        "held out": validation[:N_GENERATED],
        "random, pushed apart": uniform_atoms(spec),
    }
    rows = {}
    for name, drawn in sets.items():
        done = process(dict(enumerate(drawn)), spec, Options())
        scores = compare(done.features, reference, spec)
        accepted = float((done.fates["status"] == "accepted").mean())
        rows[name] = {"accepted": accepted, **{m: scores[m][1].value for m in METRICS}}
    table = pd.DataFrame(rows).T
    print(table.to_string(float_format=lambda value: f"{value:.4g}"))
    (args.workdir / "scores.json").write_text(json.dumps(rows, indent=2) + "\n")
    write_structures(generated, args.workdir / "generated.extxyz")
    pictures = {"training": structures[0], "generated": generated[0]}
    save_figure(plot_structures(pictures), args.workdir / "structures.png")
    curves = history[["step", "coordinates", "validation"]]
    title = f"CDVAE, {N_ATOMS}-atom silicon, settings {args.settings}"
    save_figure(plot_training({title: curves}), args.workdir / "training.svg")


if __name__ == "__main__":
    run(
        __doc__,
        train,
        score,
        ("--settings", {"choices": SETTINGS, "default": "paper_network"}),
        ("--steps", {"type": int, "default": 2, "help": "Langevin steps per level"}),
        threads=2,
    )
