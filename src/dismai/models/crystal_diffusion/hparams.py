"""Hyperparameters of the diffusion of crystals; defaults are the CrysTens paper's. No torch."""

from math import ceil
from typing import ClassVar

from pydantic import Field, model_validator

from dismai.base.card import CrystalSpec
from dismai.models.crystals.settings import PAPER_CRYSTALS, CrystalHparams
from dismai.models.crystens.hparams import BaseSide, ResizeLines, Stages, UNets
from dismai.models.training_hparams import Batch, LearningRate, SamplingBatch

STAGE_STEPS = 250_000
SIDE, PROPERTY_LINES = 64, 11
CHANNELS = 256


class Hparams(Stages, UNets, CrystalHparams):
    """Settings of the two U-Nets of crystals; `None`: as many epochs as make 250,000 steps.

    Lists have one value per level, from the finest to the coarsest.
    """

    SAMPLING: ClassVar[tuple[str, ...]] = (*Stages.SAMPLING, "clustering")
    PUBLISHED_STEPS: ClassVar[int] = 2 * STAGE_STEPS

    base_side: BaseSide = 32
    resize: ResizeLines = Field(
        "reference",
        description="lines of the small picture: every second one, as published, which leaves out "
        "x, z, b, alpha and gamma; or all lines of quantities and evenly chosen atoms",
    )
    base_channels: int = Field(CHANNELS, ge=4, description="of the first level, small picture")
    sr_channels: int = Field(CHANNELS, ge=4, description="of the first level, full picture")
    batch: Batch = 4
    base_epochs: int | None = Field(
        None, ge=1, description="passes over the training set, small picture"
    )
    sr_epochs: int | None = Field(
        None, ge=1, description="passes over the training set, full picture"
    )
    learning_rate: LearningRate = 1e-4
    steps: int = Field(1000, ge=1, description="calls of each of the two networks")
    sampling_batch: SamplingBatch = 25

    @model_validator(mode="after")
    def _sides_fit(self):
        if not PROPERTY_LINES < self.base_side < SIDE:
            raise ValueError(
                f"base_side above the {PROPERTY_LINES} lines of quantities and below the {SIDE} "
                "of the full picture"
            )
        halvings = len(self.sr_multipliers)
        if SIDE % 2**halvings:
            raise ValueError(f"at most 6 sr_multipliers, as each halves the {SIDE} lines")
        return self

    def steps_on(self, n_crystals: int) -> int:
        """Of both networks together."""
        return (self.base_epochs + self.sr_epochs) * ceil(n_crystals / self.batch)

    def resolved(self, spec: CrystalSpec) -> "Hparams":
        """The same with as many epochs as make the published steps in place of every `None`."""
        epochs = ceil(STAGE_STEPS / ceil((spec.n_train or PAPER_CRYSTALS) / self.batch))
        chosen = {"base_epochs": epochs, "sr_epochs": epochs}
        return self.model_copy(
            update={name: value for name, value in chosen.items() if getattr(self, name) is None}
        )
