"""Does DiffCSP learn? A 32-atom alloy, trained for an hour on a laptop's cores, scored in full.

python benchmarks/diffcsp_learns.py train WORKDIR      # again after a kill: goes on
python benchmarks/diffcsp_learns.py score WORKDIR      # also while it trains
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
from dismai.models.diffcsp.model import DiffCSP
from dismai.training.callbacks import states

SETTINGS = {
    "small": {
        "layers": 3,
        "hidden": 64,
        "frequencies": 24,
        "time_features": 64,
        "lattice_unit_A": 7.2,
        "batch": 16,
        "learning_rate": 2e-3,
        "ema_decay": 0.999,
        "epochs": 400,
        "checkpoint_every": 750,
        "steps": 100,
        "sampling_batch": 40,
    },
    # Noise from where the lattice is gone to a tenth of what a site allows: nothing is spent on
    # details that do not count. Waves resolve 1 Å.
    "wide": {
        "layers": 3,
        "hidden": 128,
        "frequencies": 8,
        "time_features": 64,
        "timesteps": 100,
        "sigma_begin": 0.02,
        "sigma_end": 0.22,
        "lattice_unit_A": 7.2,
        "batch": 32,
        "learning_rate": 2e-3,
        "plateau_factor": 0.7,
        "plateau_patience": 4,
        "ema_decay": 0.999,
        "precision": "bf16-mixed",
        "epochs": 1200,
        "checkpoint_every": 760,
        "steps": 100,
        "sampling_batch": 40,
    },
}


def train(args: argparse.Namespace) -> None:
    """Train, or go on; the model goes to the folder of the run."""
    torch.set_num_threads(args.threads)
    structures, validation, spec = dataset()
    model = models.create("diffcsp", spec, **SETTINGS[args.settings])
    start = time.monotonic(), time.process_time()
    model.fit(structures, validation, args.workdir, args.seed)
    logging.info(
        "trained for %.0f s in this process, %.0f s of the processor",
        time.monotonic() - start[0],
        time.process_time() - start[1],
    )
    model.save(args.workdir / "model.safetensors")


def trained(workdir: Path, settings: str, spec) -> tuple[DiffCSP, pd.DataFrame]:
    """Model and history of the newest state: of a finished training or one that goes on."""
    model = models.create("diffcsp", spec, **SETTINGS[settings])
    state = read_tree(states(workdir / "state")[0])
    model.networks = model.new_networks(seed=0)
    prefix = "diffusion."
    weights = state["callbacks"]["Ema"]["weights"]
    model.networks.load_state_dict(
        {name.removeprefix(prefix): value for name, value in weights.items()}
    )
    losses = state["callbacks"]["History"]["rows"].numpy()
    history = pd.DataFrame(losses, columns=["coordinates", "validation"])
    steps_per_epoch = -(-spec.n_train // model.hparams.batch)
    history.insert(0, "step", steps_per_epoch * np.arange(1, len(history) + 1))
    return model, history


def score(args: argparse.Namespace) -> None:
    """Score a generated set; draw the curve and two structures."""
    torch.set_num_threads(args.threads)
    _, _, spec = dataset()
    model, history = trained(args.workdir, args.settings, spec)
    start = time.process_time()
    generated = model.sample(N_GENERATED, args.seed)
    seconds = time.process_time() - start
    print(f"sampling {N_GENERATED} structures took {seconds:.0f} s of the processor")
    title = f"DiffCSP, 32-atom alloy, settings {args.settings}"
    score_and_draw(generated, "translate", history, title, args.workdir)


if __name__ == "__main__":
    run(
        __doc__,
        train,
        score,
        ("--settings", {"choices": SETTINGS, "default": "small"}),
    )
