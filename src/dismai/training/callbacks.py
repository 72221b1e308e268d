"""Lightning callbacks common to all models: history, progress in the log, states on disk."""

import logging
import math
import time
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.plugins.io import CheckpointIO

from dismai.base import kept, stopping
from dismai.base.atomic import write_atomically
from dismai.base.errors import InputError
from dismai.files.tensors import read_tree, write_tree
from dismai.training.schedule import Validation

logger = logging.getLogger(__name__)

KEPT_STATES = 2
FOREIGN = ".foreign"
"""Suffix of a state that was not used; it may have taken days."""


class SafetensorsIO(CheckpointIO):
    """Lightning checkpoints as safetensors with JSON, written atomically, never pickled."""

    def save_checkpoint(self, checkpoint, path, storage_options=None) -> None:
        write_tree(Path(path), checkpoint)

    def load_checkpoint(self, path, map_location=None, weights_only=None) -> dict[str, Any]:
        return read_tree(Path(path))

    def remove_checkpoint(self, path) -> None:
        Path(path).unlink(missing_ok=True)


class History(Callback):
    """Mean of every loss over each epoch; travels inside the state, so a resumed run has it all.

    `training_step` returns a dict of scalars; a loss may be missing in some steps. Losses of a
    validation follow, NaN in epochs without one.
    """

    def __init__(self, columns: tuple[str, ...], model: str, validation: Validation | None = None):
        self.columns, self.model, self.validation = columns, model, validation
        self.rows: list[list[float]] = []
        self._epoch: dict[str, list[torch.Tensor]] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """What a state has brought lies on the CPU; the losses that follow do not."""
        for name, losses in self._epoch.items():
            self._epoch[name] = [loss.to(pl_module.device) for loss in losses]

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._epoch = {name: [] for name in self.columns}

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        for name in self.columns:
            if outputs and name in outputs:  # None: the module skipped this step
                self._epoch[name].append(outputs[name].detach())

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.should_stop and not any(self._epoch.values()):
            return  # the module ended the training in the first step of this epoch
        means = {name: self._mean(name) for name in self.columns}
        if self.validation and self.validation.fresh:
            means |= self.validation.losses
        for name, mean in means.items():
            if not math.isfinite(mean):
                raise InputError(
                    f"{self.model}: {name} loss in epoch {trainer.current_epoch}: expected a "
                    f"finite number, found {mean}; a lower learning rate may help"
                )
        self.rows.append([means.get(name, math.nan) for name in self.all_columns])
        self._epoch = {}

    @property
    def all_columns(self) -> tuple[str, ...]:
        """Losses of training, then of validation."""
        return (*self.columns, *(self.validation.columns if self.validation else ()))

    def _mean(self, name: str) -> float:
        return torch.stack(self._epoch[name]).double().mean().item() if self._epoch[name] else 0.0

    def state_dict(self) -> dict[str, Any]:
        shape = (len(self.rows), len(self.all_columns))
        return {
            "rows": torch.tensor(self.rows, dtype=torch.float64).reshape(shape),
            "epoch": {name: torch.stack(v) for name, v in self._epoch.items() if v},
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = state_dict["rows"].tolist()
        self._epoch = {name: [] for name in self.columns}
        for name, losses in state_dict["epoch"].items():
            self._epoch[name] = list(losses)

    def write(self, path: Path, steps_per_epoch: int) -> None:
        """One row per epoch: epochs and steps done, mean losses, empty where there is none."""
        lines = [",".join(("epoch", "step", *self.all_columns))]
        for epoch, row in enumerate(self.rows, start=1):
            values = ("" if math.isnan(value) else f"{value:.9g}" for value in row)
            lines.append(",".join((str(epoch), str(epoch * steps_per_epoch), *values)))
        write_atomically(path, "\n".join(lines) + "\n")


class Progress(Callback):
    """A line in the log every few seconds."""

    def __init__(self, n_steps: int, steps_per_epoch: int, interval_s: float = 10.0):
        self.n_steps, self.steps_per_epoch, self.interval_s = n_steps, steps_per_epoch, interval_s
        self._last: tuple[float, int] | None = None

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        step = trainer.current_epoch * self.steps_per_epoch + batch_idx + 1
        now = time.monotonic()
        if self._last is None:
            self._last = (now, step)
        elapsed = now - self._last[0]
        if elapsed < self.interval_s:
            return
        rate = (step - self._last[1]) / elapsed
        values = {name: float(value.detach()) for name, value in (outputs or {}).items()}
        losses = ", ".join(f"{name} {value:.4g}" for name, value in values.items())
        logger.info(
            "step %d of %d (%.1f %%, %.1f per s): %s",
            step,
            self.n_steps,
            100 * step / self.n_steps,
            rate,
            losses,
        )
        self._last = (now, step)


class StateKeeper(Callback):
    """Saves the state of training every few steps, and keeps the newest two states.

    One more is saved after the last step, and when a signal asks the process to end, which it
    then does. One of several processes of a training writes; the others go on until it ends them.
    """

    def __init__(self, folder: Path, made_for: str, every: int, writes: bool = True):
        self.folder, self.made_for, self.every, self.writes = folder, made_for, every, writes
        self._batches = 0

    def state_dict(self) -> dict[str, Any]:
        return {"made_for": self.made_for, "batches": self._batches}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._batches = state_dict["batches"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        stopping.listen_again()  # Lightning's own handler ends a fit without saving
        trainer.datamodule.sampler.leave_out(self._batches)

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        if batch_idx + 1 < trainer.num_training_batches:  # the last one: after the validation
            self._save_if_due(trainer, batch_idx + 1)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._save_if_due(trainer, 0, last=trainer.current_epoch + 1 == trainer.max_epochs)

    def _save_if_due(self, trainer: Trainer, batches: int, last: bool = False) -> None:
        """Save after a number of batches of this epoch, 0 for all of them."""
        self._batches = batches
        if not self.writes:
            return
        epoch_length = trainer.num_training_batches
        step = trainer.current_epoch * epoch_length + (batches or epoch_length)
        if step % self.every == 0 or last or stopping.asked():
            trainer.save_checkpoint(self.folder / f"step{step:09d}.safetensors")
            for old in states(self.folder)[KEPT_STATES:]:
                old.unlink()
        if not last:
            stopping.leave_if_asked()


def states(folder: Path) -> list[Path]:
    """States in a folder, newest first."""
    return sorted(folder.glob("step*.safetensors"), reverse=True)


def newest_usable(folder: Path, made_for: str) -> Path | None:
    """The newest undamaged state made for this digest; states of anything else are set aside."""
    for path in states(folder):
        try:
            return kept.read(path, made_for, _made_for)
        except kept.Damaged as error:
            logger.warning("state is damaged, trying an older one: %s", error)
            path.unlink()
        except kept.Foreign:
            logger.warning(
                "%s belongs to other settings, data, code, threads or device: training starts "
                "afresh; the state stays as *.foreign until you delete it",
                path,
            )
            for stale in states(folder):
                stale.replace(stale.with_suffix(FOREIGN))
            return None
    return None


def _made_for(path: Path) -> tuple[Path, str]:
    """The path of a state that can be read, and the digest of what it was made for."""
    return path, read_tree(path)["callbacks"]["StateKeeper"]["made_for"]
