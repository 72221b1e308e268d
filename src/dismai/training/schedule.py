"""What a diffusion or score model adds to a training: validation, learning rate, averaged weights.

Each is a callback whose memory travels inside the state. They do not use Lightning's own
validation loop and schedulers, which act after the state is saved: a resumed run would differ.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.data import Dataset


class Validation(Callback):
    """Losses of held-out structures every few epochs, and in the last one.

    The module's `validation_step(batch, index)` returns a dict of scalars, means over the batch,
    and takes all randomness from (seed, index): every validation then draws the same noise, and
    its curve is not blurred by new draws.
    """

    def __init__(self, dataset: Dataset, batch: int, every: int, columns: tuple[str, ...]):
        self.dataset, self.batch, self.every, self.columns = dataset, batch, every, columns
        self.losses: dict[str, float] = {}
        """Of the newest validation; empty before the first one."""
        self.fresh = False
        """Whether these were computed in this epoch."""

    @torch.no_grad()
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        epochs = trainer.current_epoch + 1
        self.fresh = epochs % self.every == 0 or epochs == trainer.max_epochs
        if not self.fresh:
            return
        totals = dict.fromkeys(self.columns, 0.0)
        pl_module.eval()
        for index, items in enumerate(self._batches()):
            batch = trainer.strategy.batch_to_device(self.dataset[items])
            with trainer.precision_plugin.val_step_context():
                losses = pl_module.validation_step(batch, index)
            for name in self.columns:
                totals[name] += float(losses[name]) * len(items)
        pl_module.train()
        self.losses = {name: total / len(self.dataset) for name, total in totals.items()}

    def _batches(self) -> Iterator[list[int]]:
        for start in range(0, len(self.dataset), self.batch):
            yield list(range(start, min(start + self.batch, len(self.dataset))))

    def state_dict(self) -> dict[str, Any]:
        return {"losses": self.losses}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.losses = state_dict["losses"]


class Plateau(Callback):
    """Lowers the learning rate when a validation loss has stopped falling.

    Args:
        validation: where the loss comes from
        monitor: its name
        factor: the rate is multiplied by this
        patience: judgements without improvement (0.01 %) before that
        min_lr: lowest rate
        every_epoch: judge after every epoch on the newest value, however old, as the published
            codes of CDVAE and DiffCSP do; otherwise after validations only
    """

    def __init__(
        self,
        validation: Validation,
        monitor: str,
        *,
        factor: float,
        patience: int,
        min_lr: float,
        every_epoch: bool,
    ):
        self.validation, self.monitor, self.every_epoch = validation, monitor, every_epoch
        self.settings = {"factor": factor, "patience": patience, "min_lr": min_lr}
        self._schedulers: list[ReduceLROnPlateau] = []
        self._loaded: list[dict[str, Any]] = []

    @classmethod
    def steered(cls, h: Any, validation: Validation, *, every_epoch: bool) -> "Plateau":
        """As hyperparameters (`SteeredHparams`) say, on the loss `validation`."""
        return cls(
            validation,
            "validation",
            factor=h.plateau_factor,
            patience=h.plateau_patience,
            min_lr=h.lowest_learning_rate,
            every_epoch=every_epoch,
        )

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._schedulers = [ReduceLROnPlateau(o, **self.settings) for o in trainer.optimizers]
        for scheduler, state in zip(self._schedulers, self._loaded, strict=False):
            scheduler.load_state_dict(state)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.validation.fresh or (self.every_epoch and self.validation.losses):
            for scheduler in self._schedulers:
                scheduler.step(self.validation.losses[self.monitor])

    def state_dict(self) -> dict[str, Any]:
        return {"schedulers": [scheduler.state_dict() for scheduler in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._loaded = state_dict["schedulers"]


class Ema(Callback):
    """Exponential moving average of all weights, with which the trained module ends.

    Args:
        decay: number of the step (from 1) to the decay at that step; 0 copies the weights
        every: steps between updates
        best_of: a validation; the module ends with the average as it was at its lowest loss, not
            with the last one. The loss is that of the weights themselves, as published.
        monitor: name of that loss
    """

    def __init__(
        self,
        decay: Callable[[int], float],
        every: int = 1,
        best_of: Validation | None = None,
        monitor: str = "validation",
    ):
        self.decay, self.every = decay, every
        self.best_of, self.monitor = best_of, monitor
        self.weights: dict[str, Tensor] = {}
        self.best_weights: dict[str, Tensor] = {}
        self.lowest = math.inf

    @classmethod
    def rising_to(cls, decay: float) -> "Ema | None":
        """An average whose decay rises from 1/11 to `decay`, step by step; None for 0."""
        return cls(lambda step: min(decay, step / (step + 10))) if decay else None

    @torch.no_grad()
    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        step = trainer.current_epoch * trainer.num_training_batches + batch_idx + 1
        if step % self.every and self.weights:
            return
        decay = self.decay(step)
        averages, values = [], []
        for name, value in pl_module.state_dict().items():
            if name not in self.weights or not value.is_floating_point():
                self.weights[name] = value.clone()
            else:
                self.weights[name] = self.weights[name].to(value.device)  # after a resume
                averages.append(self.weights[name])
                values.append(value)
        if averages:
            torch._foreach_lerp_(averages, values, 1.0 - decay)  # one launch for all on a GPU

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.best_of and self.best_of.fresh and self.best_of.losses[self.monitor] < self.lowest:
            self.lowest = self.best_of.losses[self.monitor]
            self.best_weights = {name: value.clone() for name, value in self.weights.items()}

    def apply(self, pl_module: LightningModule) -> None:
        """Put the averaged weights in place of the trained ones."""
        pl_module.load_state_dict(self.best_weights or self.weights)

    def state_dict(self) -> dict[str, Any]:
        return {"weights": self.weights, "best": self.best_weights, "lowest": self.lowest}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.weights, self.best_weights = state_dict["weights"], state_dict["best"]
        self.lowest = state_dict["lowest"]
