"""Hyperparameters of DiffCSP; the defaults are the Dismai-Bench paper's. Free of torch.

Where the published code has a flaw the default is the mended form; a setting gives the other one.
"""

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from dismai.base.card import DatasetSpec
from dismai.models.training_hparams import (
    Batch,
    Betas,
    Compile,
    Epochs,
    LearningRate,
    SamplingBatch,
    SteeredHparams,
)

PAPER_ATOMS = 256
SMALL_CELL_EXPONENT = 0.28
PAPER_SIGMA_END = {"amorphous_si": 0.05}
"""Highest noise by kind of dataset, fractional; 0.1 for the others."""


class Hparams(SteeredHparams):
    """Settings of network, noise, training and sampling; `None`: follows from the dataset."""

    SAMPLING: ClassVar[tuple[str, ...]] = (
        "steps",
        "full_grid_noise",
        "corrector",
        "sampling_batch",
    )

    # Network
    layers: int = Field(4, ge=1, description="message-passing layers")
    hidden: int = Field(256, ge=1, description="features per atom and per message")
    time_features: int = Field(256, ge=2, multiple_of=2, description="length of the time embedding")
    frequencies: int = Field(128, ge=2, description="waves per axis: sin, cos of 2 pi k d from k=0")

    # Noise
    timesteps: int = Field(1000, ge=2, description="noise levels in training")
    sigma_begin: float = Field(0.005, gt=0, description="lowest noise, fractional")
    sigma_end: float | None = Field(
        None,
        gt=0,
        description="highest noise, fractional; None: 0.05 for amorphous silicon, 0.1 otherwise, "
        "larger in cells below 256 atoms",
    )
    normaliser: Literal["quadrature", "monte_carlo"] = Field(
        "quadrature",
        description="how the mean square score is computed; published: monte_carlo of 10,000 draws",
    )

    # Lattice
    cost_coordinates: float = Field(1.0, gt=0, description="weight of the loss of coordinates")
    cost_lattice: float = Field(
        0.0, ge=0, description="weight of the loss of the lattice; 0: the true lattice is copied"
    )
    teacher_forcing_epochs: int = Field(
        0, ge=0, description="epochs with the true lattice as input and no loss of the lattice"
    )
    lattice_unit_A: float = Field(
        1.0, gt=0, description="unit of length of the lattice that the network sees, Å"
    )

    # Training
    batch: Batch = 4
    compile: Compile = False
    epochs: Epochs = 1000
    learning_rate: LearningRate = 1e-3
    betas: Betas = (0.9, 0.999)
    plateau_every_epoch: bool = Field(
        False,
        description="judge after every epoch on the newest value; published: true, with patience "
        "30, which is six validations as well",
    )
    skip_bad_steps: bool = Field(
        False,
        description="skip a step whose loss is not finite, as published; otherwise training stops",
    )

    # Sampling
    steps: int = Field(1000, ge=1, description="noise levels visited, two network calls each")
    full_grid_noise: bool = Field(
        False,
        description="with fewer steps than levels: go from each visited level to the next lower "
        "one of all levels, as the published code does; hardly any noise is removed then",
    )
    corrector: float = Field(
        0.4, ge=0, description="Langevin step in units of sigma squared (1e-5 / 0.005^2)"
    )
    sampling_batch: SamplingBatch = 20

    @model_validator(mode="after")
    def _settings_agree(self):
        if self.sigma_end is not None and self.sigma_end <= self.sigma_begin:
            raise ValueError(f"sigma_end above sigma_begin ({self.sigma_begin})")
        if self.steps > self.timesteps:
            raise ValueError(f"steps up to timesteps ({self.timesteps})")
        if self.teacher_forcing_epochs and not self.cost_lattice:
            raise ValueError("teacher_forcing_epochs only with a cost_lattice")
        if self.teacher_forcing_epochs >= self.epochs:
            raise ValueError(f"teacher_forcing_epochs below epochs ({self.epochs})")
        return self

    def resolved(self, spec: DatasetSpec) -> "Hparams":
        """The same with the highest noise for a dataset in place of `None`.

        Sampling starts from uniform positions, so the highest noise has to reach from a random
        point to the nearest free site of the right species once equal atoms are relabelled. The
        published 0.05 and 0.1 are close to that distance at 256 atoms, 0.06 and 0.09; at 32 it
        is 0.11 and 0.15. The power law follows both within 4 %.
        """
        if self.sigma_end is not None:
            return self
        published = PAPER_SIGMA_END.get(spec.kind, 0.1)
        growth = max(1.0, (PAPER_ATOMS / spec.n_atoms) ** SMALL_CELL_EXPONENT)
        return self.model_copy(update={"sigma_end": round(published * growth, 4)})
