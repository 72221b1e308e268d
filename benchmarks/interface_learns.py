"""Do CrysTens and UniMat learn? Small interfaces, trained within the hour on one core, scored.

python benchmarks/interface_learns.py train WORKDIR --settings unimat  # after a kill: goes on
python benchmarks/interface_learns.py score WORKDIR --settings unimat  # of the finished training

The interfaces have the geometry of the demo, 44 atoms: two LiCoO2 planes that never move, a random
region of one Li3ScCl6, a Li3ScCl6 slab at a random place above it. They are not relaxed.
"""

import argparse
import logging
import time
from typing import Any

import pandas as pd
import torch
from interface_learning import GENERATED, N_GENERATED, dataset, evaluate, print_and_save
from learning import run

from dismai import models
from dismai.evaluation.self_reports import self_report_scores
from dismai.files.structures import write_structures
from dismai.report.figures import plot_structures, plot_training, save_figure

CRYSTENS: dict[str, Any] = {
    "base_side": 16,
    "base_channels": 24,
    "base_multipliers": [1, 2, 2],
    "base_blocks": [1, 1, 1],
    "sr_channels": 16,
    "sr_multipliers": [2, 2, 2],
    "sr_blocks": [1, 1, 1],
    "sr_attention": ["none", "full", "full"],
    "heads": 2,
    "head_width": 16,
    "norm_groups": 4,
    "learning_rate": 2e-3,
    "batch": 4,
    "base_epochs": 6,
    "sr_epochs": 30,
    "ema_decay": 0.97,
    "validate_every": 3,
    "checkpoint_every": 200,
    "steps": 25,
}
UNIMAT: dict[str, Any] = {
    "side": 3,
    "channels": 32,
    "multipliers": [1],
    "blocks": 1,
    "joint_attention": [False],
    "cross_attention": [False],
    "middle_attention": True,
    "heads": 2,
    "head_width": 16,
    "time_frequencies": 4,
    "learned_places": True,
    "learning_rate": 2e-3,
    "batch": 4,
    "epochs": 30,
    "validate_every": 3,
    "checkpoint_every": 200,
    "steps": 25,
}
SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "crystens": ("crystens", {**CRYSTENS, "resize": "reference"}),
    "crystens_coordinates": ("crystens", {**CRYSTENS, "resize": "coordinate_preserving"}),
    "unimat": ("unimat", UNIMAT),
}


def train(args: argparse.Namespace) -> None:
    """Train, or go on; the model goes to the folder of the run."""
    torch.set_num_threads(args.threads)
    structures, validation, spec = dataset()
    name, hparams = SETTINGS[args.settings]
    model = models.create(name, spec, **hparams)
    start = time.process_time()
    model.fit(structures, validation, args.workdir, args.seed)
    logging.info("trained for %.0f s of processor time here", time.process_time() - start)
    model.save(args.workdir / "model.safetensors")


def score(args: argparse.Namespace) -> None:
    """Print the scores beside those of two baselines; draw the curve and three structures."""
    torch.set_num_threads(args.threads)
    structures, validation, spec = dataset()
    model = models.load(args.workdir / "model.safetensors")
    start = time.process_time()
    generated = model.sample(N_GENERATED, args.seed)
    logging.info("sampled for %.0f s of processor time", time.process_time() - start)
    write_structures(generated, args.workdir / "generated.extxyz")
    rows, done = evaluate(generated, structures, validation, spec, args.workdir / "relaxations")
    reports = self_report_scores(dict(enumerate(generated)))
    rows[GENERATED] |= {metric: interval.value for metric, (_, interval) in reports.items()}
    print_and_save(rows, args.workdir / "scores.json")
    pictures = {"training": structures[0], "generated": generated[0]}
    if done[GENERATED].relaxed:
        pictures["generated, relaxed"] = done[GENERATED].relaxed[0]
    save_figure(plot_structures(pictures), args.workdir / "structures.png")
    history = pd.read_csv(args.workdir / "history.csv").drop(columns="epoch")
    title = f"{args.settings}, interfaces of {spec.n_atoms} atoms"
    save_figure(plot_training({title: history}), args.workdir / "training.svg")


if __name__ == "__main__":
    run(
        __doc__,
        train,
        score,
        ("--settings", {"choices": SETTINGS, "default": "unimat"}),
    )
