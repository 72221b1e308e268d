"""Hyperparameters of the plain adversarial model of crystals; defaults: the paper's. No torch."""

from typing import ClassVar

from pydantic import Field

from dismai.models.crystals.settings import PAPER_CRYSTALS, AdversarialHparams
from dismai.models.training_hparams import Betas, CheckpointEvery, Epochs, LearningRate


class Hparams(AdversarialHparams):
    """Settings of the plain adversarial model of crystals."""

    PUBLISHED_STEPS: ClassVar[int] = 100 * (PAPER_CRYSTALS // 64 // 2)

    batch: int = Field(64, ge=2, description="structures per step")
    epochs: Epochs = Field(
        50,
        ge=1,
        description="passes over the training set; one of the 100 epochs of the paper is half a "
        "pass",
    )
    learning_rate: LearningRate = 1e-5
    betas: Betas = (0.9, 0.999)
    checkpoint_every: CheckpointEvery = 500
