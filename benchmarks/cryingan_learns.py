"""Does CryinGAN learn? A 32-atom alloy, trained for an hour on a laptop's cores, scored in full.

python benchmarks/cryingan_learns.py train WORKDIR      # again after a kill: goes on
python benchmarks/cryingan_learns.py score WORKDIR      # also while it trains
"""

import argparse
import logging
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from alloy_learning import N_GENERATED, dataset, score_and_draw
from learning import run

from dismai import models
from dismai.files.tensors import read_tree
from dismai.models.cryingan.model import CryinGAN
from dismai.training.callbacks import states

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


def score(args: argparse.Namespace) -> None:
    """Score a generated set; draw the curve and two structures."""
    _, _, spec = dataset()
    model, history = trained(args.workdir, args.settings, spec)
    title = f"CryinGAN, 32-atom alloy, settings {args.settings}"
    score_and_draw(model.sample(N_GENERATED, args.seed), "none", history, title, args.workdir)


if __name__ == "__main__":
    run(
        __doc__,
        train,
        score,
        ("--settings", {"choices": SETTINGS, "default": "waves"}),
    )
