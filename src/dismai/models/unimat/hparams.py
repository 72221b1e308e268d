"""Hyperparameters of UniMat; the defaults are the Dismai-Bench paper's. Free of torch."""

from typing import ClassVar, Literal

from pydantic import Field, PositiveInt, model_validator

from dismai.base.card import DatasetSpec
from dismai.base.errors import InputError
from dismai.models.image.settings import Copies, EmaDecay, Region, SnrCap
from dismai.models.training_hparams import (
    Batch,
    Betas,
    Compile,
    LearningRate,
    SamplingBatch,
    TrainingHparams,
    ValidateEvery,
)

STEM_PARTS = 4
"""The stem splits its channels into a half and two quarters."""


class Hparams(TrainingHparams):
    """Settings of video, network, training and sampling; `None`: follows from the dataset."""

    SAMPLING: ClassVar[tuple[str, ...]] = ("steps", "threshold", "final", "sampling_batch")

    # Video
    side: int = Field(4, ge=1, description="pixels along an edge of a frame; one pixel per species")

    # Network
    channels: int = Field(64, ge=STEM_PARTS, description="channels of the first level")
    multipliers: tuple[PositiveInt, ...] = Field(
        (1, 2, 4), min_length=1, description="channels after each level, in units of `channels`"
    )
    blocks: int = Field(3, ge=1, description="residual blocks per level, after a first one")
    joint_attention: tuple[bool, ...] = Field(
        (False, True, True), description="by level: attention between all pixels of all frames"
    )
    cross_attention: tuple[bool, ...] = Field(
        (False, True, True), description="by level: attention to the time tokens"
    )
    learned_places: bool = Field(
        False,
        description="add a learned vector per frame and pixel after the stem; the published "
        "network has to count frames through its causal parts",
    )
    middle_attention: bool = Field(
        True, description="attention between all pixels of all frames at the lowest size"
    )
    gates: bool = Field(True, description="blocks end with a factor from all frames and pixels")
    heads: int = Field(8, ge=1, description="heads of every attention")
    head_width: int = Field(64, ge=1, description="channels of a head")
    feed_forward: int = Field(2, ge=1, description="hidden channels after a joint attention, times")
    time_frequencies: int = Field(8, ge=1, description="learned waves of the log-SNR")
    norm: Literal["group", "pixel"] = Field(
        "group",
        description="of residual blocks: over all frames and pixels (imagen-pytorch 1), or of "
        "every pixel by itself (imagen-pytorch 2)",
    )
    norm_groups: int = Field(8, ge=1, description="groups of channels of the group norm")

    # Training
    snr_cap: SnrCap = 5.0
    region: Region = None
    copies: Copies = None
    batch: Batch = 8
    compile: Compile = False
    epochs: int = Field(
        1000, ge=1, description="passes over the training set, each with another of the orders"
    )
    learning_rate: LearningRate = 1e-4
    betas: Betas = (0.9, 0.99)
    ema_decay: EmaDecay = 0.9999
    validate_every: ValidateEvery = 5

    # Sampling
    steps: int = Field(100, ge=1, description="network calls from noise to a structure")
    threshold: Literal["masked", "all", "off"] = Field(
        "masked",
        description="what the dynamic threshold divides after an overshoot: all pixels, as "
        "published, which shrinks coordinates; masked: those of the wrong species; off: none",
    )
    final: Literal["x0", "sample"] = Field(
        "x0",
        description="returned at the end: the last estimate of the structure, or, as published, "
        "the last sample, which holds noise",
    )
    sampling_batch: SamplingBatch = 25

    @model_validator(mode="after")
    def _sizes_agree(self):
        n_levels = len(self.multipliers)
        halvings = 2 ** (n_levels - 1)
        if self.side % halvings:
            raise ValueError(
                f"side a multiple of {halvings}, since {n_levels} levels halve it "
                f"{n_levels - 1} times"
            )
        for name in ("joint_attention", "cross_attention"):
            if len(getattr(self, name)) != n_levels:
                raise ValueError(f"{n_levels} values of {name}, one for each of multipliers")
        if self.norm == "group" and self.channels % self.norm_groups:
            raise ValueError(f"channels a multiple of norm_groups ({self.norm_groups})")
        return self

    def resolved(self, spec: DatasetSpec) -> "Hparams":
        """The same with the paper's values for a dataset in place of `None`."""
        n_species = len(spec.species)
        if n_species > self.side**2:
            raise InputError(
                f"unimat: side: expected at least {n_species} pixels for the species of "
                f"{spec.name}, found {self.side} x {self.side}"
            )
        # Imported here: torch comes with it, and a configuration is checked without.
        from dismai.models.image.orders import chosen_region, default_copies, region_blocks

        chosen = {
            "region": chosen_region(self.region, spec),
            "copies": self.copies or default_copies(spec),
        }
        resolved = self.model_copy(update=chosen)
        region_blocks(spec, resolved.region)  # a wrong one fails here
        return resolved
