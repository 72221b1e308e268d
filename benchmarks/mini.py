"""What does every pair of config/mini.yaml cost? Times single steps, derives epochs from a budget.

python benchmarks/mini.py results/mini/datasets     # after these have been made
python benchmarks/mini.py results/mini/datasets --pairs alloy_300K_narrow/melt

Two short trainings of different length by the model's own `fit`, and two short samplings, are
timed; the differences are the cost of a step and of a structure. Processor time of one thread.
"""

import argparse
import dataclasses
import json
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from ase import Atoms

from dismai import models
from dismai.base.card import read_card
from dismai.files.structures import read_structures
from dismai.models.torch_model import TorchModel
from dismai.pipeline.config import Config, load, n_generated, run_table
from dismai.training.run import Training, run_training

KINDS = ("alloy_300K_narrow", "amorphous_si", "interface")
"""One dataset of each kind: the four alloys cost the same."""
N_SHORT, N_LONG, N_FEW = 1, 4, 24
FORWARD = 1 / 3
"""Share of a training step that a batch of a validation takes."""


class First(torch.utils.data.Dataset):
    """The first items of a dataset that takes lists of indices."""

    def __init__(self, dataset: torch.utils.data.Dataset, n: int):
        self.dataset, self.n = dataset, min(n, len(dataset))

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, items: list[int]) -> Any:
        return self.dataset[items]


def seconds(work: Callable[[], Any]) -> float:
    """Processor time of a call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def stages(model: TorchModel, train: list[Atoms], val: list[Atoms]) -> list[dict[str, Any]]:
    """Of every training of a model, from few structures: epochs, steps and seconds."""
    few, rows = train[:N_FEW], []
    start = time.process_time()
    for training in model.trainings(few, val[:N_FEW], 0):
        setup = (time.process_time() - start) * len(train) / len(few)
        batch = training.batch or model.hparams.batch
        items = len(training.dataset) * len(train) // len(few)  # with copies, if it has any
        steps = training.epochs * -(-items // batch)
        if model.architecture == "melt":  # as many steps of any set
            steps = training.epochs * -(-len(training.dataset) // batch)
        validation = training.validation
        calls = 0
        if validation is not None:
            calls = training.epochs // validation.every * -(-len(val) // validation.batch)
        step = step_seconds(training, batch, model)
        rows.append(
            {
                "stage": training.stage or "",
                "steps": steps,
                "step_s": step,
                "setup_s": setup,
                "training_s": setup + step * (steps + FORWARD * calls),
            }
        )
        start = time.process_time()
    return rows


def step_seconds(training: Training, batch: int, model: TorchModel) -> float:
    """One step of a training: the difference of a long and a short one."""
    times = []
    for n in (N_SHORT, N_LONG):
        short = dataclasses.replace(
            training,
            dataset=First(training.dataset, batch),
            epochs=n,
            validation=None,
            plateau=None,
            ema=None,
        )
        with tempfile.TemporaryDirectory() as folder:
            fit = partial(
                run_training,
                short,
                Path(folder),
                batch=batch,
                made_for="",
                checkpoint_every=10**6,
                precision=model.hparams.precision,
                device="cpu",
            )
            times.append(seconds(fit))
    return (times[1] - times[0]) / (N_LONG - N_SHORT)


def sampling_seconds(model: TorchModel, n: int) -> float:
    """Of one structure, from a batch of n; the first call loads what later ones have."""
    model.sample(1, 0)
    return seconds(lambda: model.sample(n, 1)) / n


def row_of(config: Config, folder: Path, dataset: str, name: str, n: int) -> dict[str, Any]:
    """One row of the table: what a training and a generated set of this pair cost, in seconds."""
    spec = read_card(folder / dataset / "card.json")
    train, val = (read_structures(folder / dataset / f"{part}.extxyz") for part in ("train", "val"))
    chosen = config.models[name]
    hparams = chosen.hparams(dataset)
    model = models.create(chosen.architecture, spec, **hparams)
    parts = stages(model, train, val)
    run = next(run for run in run_table(config) if (run.dataset, run.model) == (dataset, name))
    return {
        "dataset": dataset,
        "model": name,
        "step_s": [round(part["step_s"], 4) for part in parts],
        "steps": [part["steps"] for part in parts],
        "setup_s": [round(part["setup_s"], 1) for part in parts],
        "training_s": [round(part["training_s"]) for part in parts],
        "sampling_s": round(sampling_seconds(model, n) * n_generated(config, run)),
        "parameters": model.parameter_count(),
    }


def main() -> None:
    """The table, one row a pair."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("datasets", type=Path, help="folder of the datasets that the run made")
    parser.add_argument("--config", nargs="+", default=["config/config.yaml", "config/mini.yaml"])
    parser.add_argument("--pairs", nargs="+", help="dataset/model; all of one dataset a kind")
    parser.add_argument("--structures", type=int, default=4, help="that are drawn")
    args = parser.parse_args()
    torch.set_num_threads(1)
    config = load(*args.config)
    names = config.runs[0].models
    pairs = args.pairs or [f"{dataset}/{name}" for dataset in KINDS for name in names]
    for pair in pairs:
        row = row_of(config, args.datasets, *pair.split("/"), args.structures)
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
