"""Processes that train one model together, each on a GPU of its own, or on the CPU.

python -m dismai.models.together FOLDER RANK     # a follower; the training starts them itself
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import torch
import torch.distributed as dist
from ase import Atoms

from dismai import models
from dismai.base import stopping
from dismai.base.card import Card, card_from
from dismai.base.errors import InputError
from dismai.base.processes import die_with_parent
from dismai.files.tensors import read_tree, write_tree
from dismai.models.training_hparams import TrainingHparams
from dismai.training.sharing import Group

TASK = "task.safetensors"
LONGEST_WAIT = timedelta(minutes=10)
"""For another process; a validation or a state takes less."""


class Shared(Protocol):
    """What has to be known of a model; `TorchModel` is one."""

    architecture: str
    spec: Card
    hparams: TrainingHparams
    devices: int
    deterministic: bool
    shareable: bool


@contextmanager
def followed(
    model: Shared, train: list[Atoms], val: list[Atoms], seed: int, device: str
) -> Iterator[Group]:
    """While this lasts other processes do the same training; gives the group that this one leads.

    Raises:
        InputError: the model cannot be shared, or there are fewer GPUs.
    """
    _check(model, device)
    with tempfile.TemporaryDirectory() as folder:
        task = {
            "architecture": model.architecture,
            "hparams": model.hparams.model_dump(mode="json"),
            "card": model.spec.model_dump(mode="json"),
            "train": [_numbers(atoms) for atoms in train],
            "val": [_numbers(atoms) for atoms in val],
            "seed": seed,
            "size": model.devices,
            "device": device,
            "deterministic": model.deterministic,
        }
        write_tree(Path(folder) / TASK, task)
        followers = [_start(folder, rank, device) for rank in range(1, model.devices)]
        try:
            with joined(Path(folder), Group(0, model.devices), device) as group:
                yield group
        finally:
            for process in followers:
                process.kill()  # the leader keeps what counts
                process.wait()


def _check(model: Shared, device: str) -> None:
    """InputError where several processes cannot train a model together."""
    name, h, n = model.architecture, model.hparams, model.devices
    if not model.shareable:
        raise InputError(
            f"{name}: devices: expected 1, for none of its networks can be shared, found {n}"
        )
    if h.precision == "16-mixed" or h.compile:
        found = "compile: true" if h.compile else "precision: 16-mixed"
        raise InputError(f"{name}: devices: expected 1 with {found}, found {n}")
    if device.startswith("cuda") and torch.cuda.device_count() < n:
        there = torch.cuda.device_count()
        raise InputError(f"{name}: devices: expected {n} GPUs, found {there}")


def _start(folder: str, rank: int, device: str) -> subprocess.Popen:
    environment = os.environ | {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    if device.startswith("cuda"):
        visible = environment.get("CUDA_VISIBLE_DEVICES")
        numbers = visible.split(",") if visible else [str(i) for i in range(rank + 1)]
        environment["CUDA_VISIBLE_DEVICES"] = numbers[rank]
    return subprocess.Popen(
        [sys.executable, "-m", "dismai.models.together", folder, str(rank)],
        env=environment,
        preexec_fn=die_with_parent,
    )


@contextmanager
def joined(folder: Path, group: Group, device: str) -> Iterator[Group]:
    """The connection of a process to the others of its group."""
    dist.init_process_group(
        "nccl" if device.startswith("cuda") else "gloo",
        init_method=f"file://{folder / 'meeting'}",
        rank=group.rank,
        world_size=group.size,
        timeout=LONGEST_WAIT,
    )
    try:
        yield group
    finally:
        dist.destroy_process_group()


def _numbers(atoms: Atoms) -> dict[str, torch.Tensor]:
    """A structure as tensors: atomic numbers, positions and cell, Å."""
    parts = {"numbers": atoms.numbers, "positions": atoms.positions, "cell": atoms.cell.array}
    return {name: torch.from_numpy(value.copy()) for name, value in parts.items()}


def _structure(numbers: dict[str, torch.Tensor]) -> Atoms:
    return Atoms(**{name: value.numpy() for name, value in numbers.items()}, pbc=True)


def follow(folder: Path, rank: int) -> None:
    """Do the training of a folder as one of its followers, which write nothing."""
    stopping.listen()  # only the leader leaves when a signal asks for it
    task = read_tree(folder / TASK)
    spec = card_from(task["card"])
    model = models.create(task["architecture"], spec, **task["hparams"])
    model.device, model.deterministic = task["device"], task["deterministic"]
    train, val = ([_structure(one) for one in task[part]] for part in ("train", "val"))
    with joined(folder, Group(rank, task["size"]), task["device"]) as group:
        model.fit_as(group, train, val, folder / "work", task["seed"])


if __name__ == "__main__":
    follow(Path(sys.argv[1]), int(sys.argv[2]))
