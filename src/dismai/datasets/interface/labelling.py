"""The labels of a potential: relaxations of random interfaces, of which every k-th step is kept.

Finished relaxations live in a state folder: a job that was killed goes on with the next one.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from ase import Atoms

from dismai import dft
from dismai.base import kept, stopping
from dismai.base.errors import StructureError
from dismai.base.seeds import seed_for
from dismai.base.versions import VERSIONS
from dismai.datasets.interface import random_interface
from dismai.datasets.interface.settings import Labels
from dismai.dft.settings import Dft
from dismai.files.structures import hash_structures
from dismai.potentials.labels import Label, Trajectory, read_labels, write_labels

logger = logging.getLogger(__name__)

REGION_TAG = 0
RELAXATIONS_SCHEMA = pa.schema(
    [
        pa.field("relaxation", pa.int64(), nullable=False),
        pa.field("exchanged", pa.bool_(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        *(pa.field(name, pa.int64(), nullable=False) for name in ("region_steps", "n_steps")),
        pa.field("n_labels", pa.int64(), nullable=False),
        *(pa.field(name, pa.float64()) for name in ("energy_eV", "fmax_eV_per_A")),
    ]
)


@dataclass(frozen=True)
class Task:
    """Everything that shapes the relaxation of one interface.

    geometry: fields of `InterfaceGeometry`.  dataset: its name.  seed: root of the run.
    """

    dft: Dft
    labels: Labels
    geometry: dict[str, Any]
    dataset: str
    seed: int

    def structure(self, index: int) -> Atoms:
        """Interface number `index`, unrelaxed; those from n_plain on have exchanges."""
        exchanges = self.labels.exchanges.model_dump() if self.exchanged(index) else {}
        settings = {**self.geometry, "exchanges": exchanges}
        return random_interface(seed_for(self.seed, "labels", self.dataset, index), **settings)

    def exchanged(self, index: int) -> bool:
        return index >= self.labels.n_plain

    def digest(self, atoms: Atoms) -> str:
        """SHA-256 over what must be equal for a finished relaxation to be taken over."""
        identity = {
            "dft": dft.identity(self.dft),
            "labels": self.labels.model_dump(
                mode="json", include={"first_step", "every", "unfinished"}
            ),
            "structure": hash_structures([atoms]),
            "version": VERSIONS["label"],
        }
        return kept.digest(identity)


def kept_steps(n_steps: int, first: int, every: int) -> list[int]:
    """Ionic steps that become labels: first, first + every, ..., and the last one.

    The relaxed structure always counts. n_steps: steps after the start, which is number 0.
    """
    return sorted({*range(first, n_steps + 1, every), n_steps})


def label_interfaces(
    indices: Iterable[int], task: Task, state: Path
) -> tuple[list[Label], pd.DataFrame]:
    """Relax interfaces and keep labels; what fails is a row with its reason.

    Args:
        indices: numbers of the interfaces.
        task: settings.
        state: folder of finished relaxations.

    Returns:
        All labels, and one row a relaxation as in `RELAXATIONS_SCHEMA`.

    Raises:
        InputError: the engine cannot run here.
    """
    dft.check(task.dft)
    labels: list[Label] = []
    rows = []
    for index in indices:
        atoms, folder = task.structure(index), state / f"{index:05d}"
        own, row = RELAXATIONS.take_or_make(
            folder, task.digest(atoms), partial(_run, index, atoms, task, folder)
        )
        labels += own
        rows.append(row)
        logger.info("relaxation %d: %s, %d labels", index, row["status"], len(own))
    table = pd.DataFrame(rows, columns=RELAXATIONS_SCHEMA.names)
    n_whole = int((table["status"] == "ok").sum())
    logger.info("%d of %d relaxations ok, %d labels", n_whole, len(table), len(labels))
    return labels, table


def _read(folder: Path) -> tuple[tuple[list[Label], dict[str, Any]], str]:
    """Labels and row of a finished relaxation, and what it was made for."""
    row, made_for = kept.read_json(folder / "row.json")
    labels = read_labels(folder / "labels.extxyz") if row["n_labels"] else []
    if len(labels) != row["n_labels"]:
        raise ValueError(f"expected {row['n_labels']} labels, found {len(labels)}")
    return (labels, row), made_for


def _write(folder: Path, content: tuple[list[Label], dict[str, Any]], made_for: str) -> None:
    labels, row = content
    if labels:
        write_labels(labels, folder / "labels.extxyz")
    kept.write_json(folder / "row.json", row, made_for)


RELAXATIONS = kept.Pieces("relaxation", "this relaxation is made again", _read, _write)


def _run(index: int, atoms: Atoms, task: Task, folder: Path) -> tuple[list[Label], dict[str, Any]]:
    row = {"relaxation": index, "exchanged": task.exchanged(index), "status": "ok"}
    row |= {"region_steps": 0, "n_steps": 0, "n_labels": 0}
    row |= {"energy_eV": None, "fmax_eV_per_A": None}
    region = atoms.get_tags() == REGION_TAG
    try:
        done = dft.relax(atoms, task.dft, folder / "engine", region)
    except StructureError as error:
        stopping.leave_if_asked()  # an engine may have died of the same signal
        return [], {**row, "status": str(error)}
    row |= {"region_steps": done.region_steps, "n_steps": done.n_steps}
    row |= {"energy_eV": done.steps[-1].energy_eV, "fmax_eV_per_A": done.steps[-1].fmax_eV_per_A}
    if not done.converged:
        row["status"] = (
            f"not converged: expected {task.dft.fmax_eV_per_A:g} eV/Å after at most "
            f"{task.dft.max_steps} steps, found {row['fmax_eV_per_A']:.3g}"
        )
        if task.labels.unfinished == "refuse":
            return [], row
    labels = _kept(done, task.labels, index, row["exchanged"])
    return labels, {**row, "n_labels": len(labels)}


def _kept(done: Trajectory, settings: Labels, index: int, exchanged: bool) -> list[Label]:
    return [
        done.steps[step].noted(relaxation=index, step=step, exchanged=exchanged)
        for step in kept_steps(done.n_steps, settings.first_step, settings.every)
    ]
