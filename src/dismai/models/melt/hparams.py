"""Hyperparameters of Melt, the same for all datasets. Free of torch.

Lengths are in units of d, the mean distance of nearest neighbours in the training set. What else
follows from the training set (cutoffs, waves, highest noise, symmetry) is found in facts.py.
"""

import math
from typing import ClassVar

from pydantic import Field, model_validator

from dismai.base.card import DatasetSpec
from dismai.models.training_hparams import CheckpointEvery, LearningRate, TrainingHparams


class Hparams(TrainingHparams):
    """Settings of both networks, noise, training and sampling; `None`: so many hold 512 atoms."""

    SAMPLING: ClassVar[tuple[str, ...]] = (
        "levels",
        "correctors",
        "corrector",
        "settle_levels",
        "repairs",
        "sampling_batch",
    )

    # Mover
    hidden: int = Field(128, ge=1, description="features per atom")
    channels: int = Field(8, ge=1, description="numbers that an atom tells its neighbours")
    layers: int = Field(2, ge=1, description="moment layers of the mover")
    waves: int = Field(36, ge=0, description="plane waves in the basis of an edge")
    neighbours: int = Field(40, ge=1, description="neighbours that half of the atoms see")
    most_neighbours: int = Field(56, ge=1, description="nearest neighbours, at most so many count")
    shared_waves: int = Field(
        128, ge=0, description="most waves of the density that all structures share"
    )
    shared_strength: float = Field(
        0.02, gt=0, description="least strength of a shared wave; 1: all atoms on its crests"
    )

    # Namer
    namer_hidden: int = Field(96, ge=1, description="features per atom of the namer")
    namer_channels: int = Field(16, ge=1, description="numbers that an atom tells its neighbours")
    namer_layers: int = Field(3, ge=1, description="moment layers of the namer")
    namer_neighbours: int = Field(54, ge=1, description="neighbours that half of the atoms see")

    # Noise, in units of d
    sigma_min: float = Field(0.012, gt=0, description="lowest noise")
    sigma_known: float = Field(0.2, gt=0, description="below it half of the species are known")
    sigma_order: tuple[float, float] = Field(
        (0.06, 0.4), description="noise between which order forms"
    )
    order_share: float = Field(
        0.7, ge=0, le=1, description="share of the training at the noise where order forms"
    )
    namer_noise: tuple[float, float] = Field(
        (0.008, 0.06), description="noise of the places on which species are learned"
    )

    # Training
    batch: int | None = Field(None, ge=1, description="structures per step of the mover")
    namer_batch: int | None = Field(
        None, ge=1, description="structures per step of the namer; None: four times as many"
    )
    steps: int = Field(8000, ge=1, description="training steps of the mover, at least")
    namer_steps: int = Field(3000, ge=1, description="training steps of the namer, at least")
    learning_rate: LearningRate = 3e-3
    namer_learning_rate: LearningRate = 4e-3
    weight_decay: float = Field(0.01, ge=0, description="of AdamW")
    warm_up: int = Field(50, ge=1, description="steps in which the learning rate rises")
    fall: float = Field(
        0.35, gt=0, le=1, description="share of the training in which the rate falls to zero"
    )
    gradient_norm: float = Field(1.0, gt=0, description="largest norm of the gradient")
    ema_decay: float = Field(
        0.998, ge=0, lt=1, description="of the moving average of weights; 0: the last weights count"
    )
    validations: int = Field(20, ge=1, description="validations in a training")
    checkpoint_every: CheckpointEvery = 500

    # Sampling
    levels: int = Field(60, ge=3, description="noise levels on the way to the places")
    correctors: int = Field(6, ge=0, description="Langevin steps a level where order forms")
    corrector: float = Field(0.3, ge=0, description="size of such a step, in sigma squared")
    settle_levels: int = Field(12, ge=1, description="noise levels once species are known")
    repairs: int = Field(3, ge=0, description="times that atoms on one place are pulled apart")
    sampling_batch: int | None = Field(None, ge=1, description="structures drawn and kept together")

    @model_validator(mode="after")
    def _settings_agree(self):
        for name in ("sigma_order", "namer_noise"):
            low, high = getattr(self, name)
            if not 0 < low < high:
                raise ValueError(f"{name} with 0 < low < high, found {low}, {high}")
        if not self.sigma_min < self.sigma_order[0]:
            raise ValueError(f"sigma_min below sigma_order ({self.sigma_order[0]})")
        return self

    def resolved(self, spec: DatasetSpec) -> "Hparams":
        """The same with batches for structures of this size in place of `None`."""
        batch = self.batch or structures_of(512, spec.n_atoms)
        chosen = {
            "batch": batch,
            "namer_batch": self.namer_batch or 4 * batch,
            "sampling_batch": self.sampling_batch or structures_of(512, spec.n_atoms),
        }
        return self.model_copy(update=chosen)


def structures_of(atoms: int, n_atoms: int) -> int:
    """Structures of n_atoms each that hold about so many atoms; at least one."""
    return max(1, round(atoms / n_atoms))


def epochs_of(steps: int, n_items: int, batch: int) -> int:
    """Passes over a training set of n_items that take so many steps, or a few more."""
    return math.ceil(steps / math.ceil(n_items / batch))
