"""Hyperparameters of CryinGAN; the defaults are the Dismai-Bench paper's. Free of torch."""

from typing import Literal

from pydantic import Field, PositiveInt

from dismai.base.card import DatasetSpec
from dismai.models.training_hparams import (
    Batch,
    Betas,
    CheckpointEvery,
    Compile,
    LearningRate,
    TrainingHparams,
)

Pooling = Literal["average", "max", "mix"]


class Hparams(TrainingHparams):
    """Settings of networks, losses and training; `None` means the paper's value for the dataset."""

    # Networks
    latent: int = Field(64, ge=1, description="length of the noise vector z")
    generator_first: int = Field(128, ge=1, description="channels per atom after the first layer")
    generator_channels: tuple[PositiveInt, ...] = Field(
        (256, 512, 256), min_length=1, description="channels per atom and axis, layer by layer"
    )
    critic_channels: tuple[PositiveInt, ...] = Field(
        (512, 512, 256), min_length=1, description="channels per atom before pooling"
    )
    critic_hidden: tuple[PositiveInt, ...] = Field(
        (1000, 200), description="widths of the linear layers after pooling"
    )
    critic_outputs: int = Field(10, ge=1, description="numbers a critic returns per structure")
    neighbours: int = Field(6, ge=1, le=26, description="nearest distances per atom")
    critics: Literal["separate", "combined", "graph"] = Field(
        "separate",
        description="one critic each for coordinates and distances; one that sees both; or one of "
        "graph convolutions, CGCNN with its default settings, which the paper found to diverge",
    )
    coordinate_pooling: Pooling = Field(
        "average", description="over the atoms of a species; also that of a combined critic"
    )
    distance_pooling: Pooling = Field("average", description="over the atoms of a species")

    harmonics: int = Field(
        0,
        ge=0,
        description="0: critics see coordinates as they are, like the paper's; n: as sine and "
        "cosine of 2 pi x, 4 pi x, ... 2 n pi x, which knows that a cell is periodic",
    )

    # Losses
    lambda_distance: float | None = Field(
        None, ge=0, description="weight of the distance critic; 0: no such critic"
    )
    penalty: float = Field(10.0, ge=0, description="weight of the gradient penalty")

    # Training
    batch: Batch = 32
    epochs: int | None = Field(None, ge=1, description="passes over all copies of the training set")
    generator_every: int = Field(
        5, ge=1, description="a generator step in batches 0, n, 2n... of every epoch"
    )
    learning_rate: LearningRate = 5e-5
    betas: Betas = (0.5, 0.999)
    translations: bool = Field(
        True, description="alloys: also train on all translations by conventional cells"
    )
    precision: Literal["32-true", "tf32", "bf16-mixed"] = Field(
        "32-true", description="arithmetic of the networks in training"
    )
    checkpoint_every: CheckpointEvery = 2000
    compile: Compile = False

    def resolved(self, spec: DatasetSpec) -> "Hparams":
        """The same with the paper's values for a dataset in place of every `None`."""
        alloy = spec.fcc is not None
        chosen = {
            "lambda_distance": 0.1 if alloy else 0.05,
            "epochs": 1500 if alloy else 100_000,
        }
        return self.model_copy(
            update={name: value for name, value in chosen.items() if getattr(self, name) is None}
        )
