"""Hyperparameters of training that architectures share: one name, bound and meaning each.

Free of torch: the Snakefile reads them. An architecture gives its own defaults.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from dismai.base.section import Section

Batch = Annotated[int, Field(ge=1, description="structures per step")]
Epochs = Annotated[int, Field(ge=1, description="passes over the training set")]
LearningRate = Annotated[float, Field(gt=0, description="of Adam, at the start")]
Betas = Annotated[tuple[float, float], Field(description="moment decay rates of Adam")]
Precision = Annotated[
    Literal["32-true", "tf32", "bf16-mixed", "16-mixed"],
    Field(
        description="arithmetic of the networks in training: 32-true is exact; tf32 rounds the "
        "factors of matrix products on a GPU; bf16-mixed and 16-mixed halve the numbers. All but "
        "32-true round as tf32 where numbers have 32 bits, in sampling, too"
    ),
]
Compile = Annotated[
    bool,
    Field(
        description="compile networks for the shape of a batch, in training and sampling: minutes "
        "at the start, then fewer and larger steps of a GPU; pays for long runs only"
    ),
]
CheckpointEvery = Annotated[int, Field(ge=1, description="steps between checkpoints")]
SamplingBatch = Annotated[int, Field(ge=1, description="structures drawn and saved together")]
ValidateEvery = Annotated[int, Field(ge=1, description="epochs between validations")]


class TrainingHparams(Section):
    """Settings of every training that `TorchModel.fit` runs."""

    RENAMED: ClassVar[dict[str, str]] = {
        "clip_value": "gradient_clip",
        "learning_rate_min": "lowest_learning_rate",
    }
    """Former names: a configuration that still has one is told the new one."""

    SAMPLING: ClassVar[tuple[str, ...]] = ()
    """Names of those that nothing but sampling reads: weights do not depend on them."""

    batch: Batch
    learning_rate: LearningRate
    precision: Precision = "32-true"
    checkpoint_every: CheckpointEvery = 3000

    @property
    def keeps_32_bits(self) -> bool:
        """Whether numbers keep 32 bits, however products of them are made."""
        return self.precision in ("32-true", "tf32")


class SteeredHparams(TrainingHparams):
    """Of trainings whose learning rate falls when the validation loss stops falling."""

    validate_every: ValidateEvery = 5
    gradient_clip: float = Field(0.5, gt=0, description="largest magnitude of a gradient component")
    plateau_factor: float = Field(0.6, gt=0, lt=1, description="of the learning rate on a plateau")
    plateau_patience: int = Field(
        6, ge=0, description="judgements without improvement before the rate falls"
    )
    lowest_learning_rate: float = Field(1e-4, ge=0, description="floor of the learning rate")
    ema_decay: float = Field(
        0.0, ge=0, lt=1, description="of the moving average of weights; 0: the last weights count"
    )
