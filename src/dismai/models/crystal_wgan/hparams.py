"""Hyperparameters of the Wasserstein model of crystals; defaults are the paper's. No torch."""

from typing import ClassVar

from pydantic import Field

from dismai.models.crystals.settings import PAPER_CRYSTALS, AdversarialHparams
from dismai.models.training_hparams import Betas, CheckpointEvery, Epochs, LearningRate


class Hparams(AdversarialHparams):
    """Settings of the Wasserstein model of crystals."""

    PUBLISHED_STEPS: ClassVar[int] = 500 * (PAPER_CRYSTALS // 64)

    penalty: float = Field(10.0, ge=0, description="weight of the gradient penalty")
    generator_every: int = Field(
        5, ge=1, description="steps of the critic, each on a new batch, to one of the generator"
    )
    epochs: Epochs = Field(
        500,
        ge=1,
        description="passes over the training set; an epoch of the paper is five, one for each "
        "step of the critic",
    )
    learning_rate: LearningRate = 1e-4
    betas: Betas = (0.0, 0.9)
    checkpoint_every: CheckpointEvery = 500
