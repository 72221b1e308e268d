"""Hyperparameters of CrysTens; the defaults are the Dismai-Bench paper's. Free of torch."""

from typing import Annotated, ClassVar, Literal

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

PROPERTY_LINES = 11
"""Species, x, y, z, a, b, c, alpha, beta, gamma, space group."""
FEWEST_SEPARATORS = 5
SIDE_UNIT = 8

Attention = Literal["none", "linear", "full"]
ResizeLines = Literal["reference", "coordinate_preserving"]
BaseSide = Annotated[int, Field(ge=4, description="side of the small picture, pixels")]


class UNets(TrainingHparams):
    """Shape of the U-Nets of the small and of the full picture.

    Lists have one value per level, from the finest to the coarsest.
    """

    base_side: BaseSide
    base_channels: int = Field(64, ge=4, description="of the first level, small picture")
    base_multipliers: tuple[PositiveInt, ...] = Field(
        (1, 2, 4), min_length=1, description="channels after each level, in units of base_channels"
    )
    base_blocks: tuple[PositiveInt, ...] = Field(
        (3, 3, 3), description="residual blocks, after a first one"
    )
    base_attention: tuple[Attention, ...] = Field(
        ("linear", "full", "full"), description="between the pixels of a level"
    )
    base_cross_attention: tuple[bool, ...] = Field(
        (False, True, True), description="from pixels to tokens of the noise level"
    )
    sr_channels: int = Field(64, ge=4, description="of the first level, full picture")
    sr_multipliers: tuple[PositiveInt, ...] = Field(
        (1, 2, 4), min_length=1, description="channels of each level, in units of sr_channels"
    )
    sr_blocks: tuple[PositiveInt, ...] = Field(
        (2, 4, 8), description="residual blocks, after a first one"
    )
    sr_attention: tuple[Attention, ...] = Field(
        ("none", "none", "full"), description="between the pixels of a level"
    )
    sr_cross_attention: tuple[bool, ...] = Field(
        (False, False, True), description="from pixels to tokens of the noise levels"
    )
    heads: int = Field(8, ge=1, description="heads of every attention")
    head_width: int = Field(64, ge=1, description="channels of a head")
    feed_forward: int = Field(2, ge=1, description="hidden channels after an attention, times")
    frequencies: int = Field(8, ge=1, description="learned waves of the log-SNR")
    norm_groups: int = Field(8, ge=1, description="groups of channels of the group norm")
    dropout: float = Field(0.05, ge=0, lt=1, description="before the maps of a linear attention")
    snr_cap: SnrCap = 5.0

    @model_validator(mode="after")
    def _levels_agree(self):
        for stage in ("base", "sr"):
            n_levels = len(getattr(self, f"{stage}_multipliers"))
            for name in ("blocks", "attention", "cross_attention"):
                n_values = len(getattr(self, f"{stage}_{name}"))
                if n_values != n_levels:
                    raise ValueError(
                        f"{n_levels} values of {stage}_{name}, one for each of {stage}_multipliers"
                    )
            if getattr(self, f"{stage}_channels") % self.norm_groups:
                raise ValueError(f"{stage}_channels a multiple of norm_groups ({self.norm_groups})")
        halvings = len(self.base_multipliers) - 1
        if self.base_side % 2**halvings:
            raise ValueError(
                f"base_side a multiple of {2**halvings}, since its levels halve it {halvings} times"
            )
        return self


class Stages(TrainingHparams):
    """Training of one network after the other, and sampling by both."""

    SAMPLING: ClassVar[tuple[str, ...]] = ("steps", "conditioning_time", "sampling_batch")

    base_epochs: int = Field(1000, ge=1, description="passes over the training set, small picture")
    sr_epochs: int = Field(1000, ge=1, description="passes over the training set, full picture")
    betas: Betas = (0.9, 0.99)
    ema_decay: EmaDecay = 0.9999
    validate_every: ValidateEvery = 5
    compile: Compile = False

    # Sampling
    steps: int = Field(100, ge=1, description="calls of each of the two networks")
    conditioning_time: float = Field(
        0.2, ge=0, le=1, description="time of the noise that is put on the small picture"
    )
    sampling_batch: SamplingBatch = 25


class _Picture(TrainingHparams):
    # Parts in the order in which files of models hold them.
    separators: int | None = Field(
        None,
        ge=1,
        description="empty lines between properties and atoms; None: at least 5, as many as make "
        "the side of the picture a multiple of 8",
    )
    base_side: BaseSide
    resize: ResizeLines = Field(
        "reference",
        description="lines of the small picture: every 4th to 5th, as published, which leaves out "
        "x, y and z; or those and evenly chosen others",
    )


class _Orders(TrainingHparams):
    region: Region = None
    copies: Copies = None


class Hparams(Stages, _Orders, UNets, _Picture):
    """Settings of picture, networks, training, sampling; `None`: follows from the dataset.

    Lists have one value per level, from the finest to the coarsest.
    """

    base_side: BaseSide = 64
    batch: Batch = 8
    learning_rate: LearningRate = 1e-4

    def resolved(self, spec: DatasetSpec) -> "Hparams":
        """The same with the paper's values for a dataset in place of every `None`."""
        from dismai.models.image.orders import chosen_region, default_copies, region_blocks

        unit = max(SIDE_UNIT, 2 ** len(self.sr_multipliers))
        fewest = PROPERTY_LINES + FEWEST_SEPARATORS + spec.n_atoms
        chosen = {
            "separators": self.separators or FEWEST_SEPARATORS + -fewest % unit,
            "region": chosen_region(self.region, spec),
            "copies": self.copies or default_copies(spec),
        }
        resolved = self.model_copy(update=chosen)
        region_blocks(spec, resolved.region)
        side = PROPERTY_LINES + resolved.separators + spec.n_atoms
        halvings = len(self.sr_multipliers)
        if side % 2**halvings:
            raise InputError(
                f"crystens: separators: expected as many as make the side of the picture a "
                f"multiple of {2**halvings}, since the levels halve it {halvings} times, found "
                f"{resolved.separators}, which makes {side}"
            )
        if self.base_side >= side:
            raise InputError(
                f"crystens: base_side: expected less than the {side} of the full picture of "
                f"{spec.name}, found {self.base_side}"
            )
        return resolved
