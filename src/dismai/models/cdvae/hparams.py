"""Hyperparameters of CDVAE; the defaults are the Dismai-Bench paper's. Free of torch."""

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from dismai.base.card import DatasetSpec
from dismai.models.training_hparams import (
    Batch,
    CheckpointEvery,
    Epochs,
    LearningRate,
    SamplingBatch,
    SteeredHparams,
)

PAPER_LANGEVIN_STEPS = {"amorphous_si": 6}
"""By kind of dataset; 100 for the others."""


class Hparams(SteeredHparams):
    """Settings of networks, noise, losses, training and sampling.

    `None` means the paper's value for the dataset.
    """

    SAMPLING: ClassVar[tuple[str, ...]] = ("langevin_steps", "langevin_step_size", "sampling_batch")

    # Encoder and heads
    latent: int = Field(256, ge=1, description="length of the latent vector z")
    encoder_hidden: int = Field(128, ge=1, description="channels of an edge in the encoder")
    encoder_blocks: int = Field(4, ge=1, description="interaction blocks of the encoder")
    encoder_triplet: int = Field(64, ge=1, description="channels of a triplet in the encoder")
    encoder_basis: int = Field(8, ge=1, description="channels of its embedded basis functions")
    encoder_output: int = Field(256, ge=1, description="width of its output layers and result")
    head_hidden: int = Field(256, ge=1, description="width of the heads on z")

    # Decoder
    hidden: int = Field(128, ge=1, description="channels of an atom and of an edge in the decoder")
    blocks: int = Field(3, ge=1, description="interaction blocks of the decoder")
    triplet: int = Field(64, ge=1, description="channels of a triplet in the decoder")
    basis: int = Field(16, ge=1, description="channels of its embedded basis functions")
    radial: int = Field(128, ge=2, description="Gaussians of a distance in the decoder")
    cutoff_A: float = Field(7.0, gt=0, description="of basis functions, and of decoder edges, Å")
    neighbours: int = Field(20, ge=1, description="nearest atoms that a decoder atom selects")
    graph: Literal["symmetric", "reference"] = Field(
        "symmetric",
        description="edges of the decoder: where either end selects the other, or, as in the "
        "published code, where the end of higher index does, which depends on the order of atoms",
    )

    # Noise
    sigma_begin_A: float = Field(10.0, gt=0, description="largest noise of coordinates, Å")
    sigma_end_A: float = Field(0.01, gt=0, description="smallest noise of coordinates, Å")
    levels: int = Field(50, ge=2, description="noise levels, a geometric series")
    species_denoising: bool = Field(
        False, description="also noise the species and have the decoder restore them"
    )
    species_sigma_begin: float = Field(5.0, gt=0, description="largest noise of species")
    species_sigma_end: float = Field(0.01, gt=0, description="smallest noise of species")

    # Lattice
    lattice: Literal["mended", "published"] = Field(
        "mended",
        description="a lattice parameter that is constant in the training set: known exactly, or, "
        "as in the published code, divided by a standard deviation of 1e-5",
    )
    teacher_forcing_epochs: int = Field(
        501, ge=0, description="epochs with the true lattice as input of the decoder"
    )

    # Loss weights
    weight_number: float = Field(1.0, ge=0, description="of the number of atoms")
    weight_lattice: float = Field(10.0, ge=0, description="of the standardised lattice")
    weight_coordinates: float = Field(10.0, ge=0, description="of the coordinates")
    weight_kl: float = Field(0.01, ge=0, description="of the Kullback-Leibler divergence of z")
    weight_composition: float = Field(1.0, ge=0, description="of the composition")
    weight_species: float = Field(1.0, ge=0, description="of restored species")

    # Training
    batch: Batch = 8
    epochs: Epochs = 1000
    learning_rate: LearningRate = 1e-3
    plateau_patience: int = Field(30, ge=0, description="epochs without progress before it falls")
    checkpoint_every: CheckpointEvery = 1500

    # Sampling
    langevin_steps: int | None = Field(None, ge=1, description="Langevin steps per noise level")
    langevin_step_size: float = Field(
        1e-4, gt=0, description="a step is this times (sigma / sigma_end)^2, Å^2"
    )
    sampling_batch: SamplingBatch = 25

    @model_validator(mode="after")
    def _noise_falls(self):
        for begin, end in (
            ("sigma_begin_A", "sigma_end_A"),
            ("species_sigma_begin", "species_sigma_end"),
        ):
            if getattr(self, end) >= getattr(self, begin):
                raise ValueError(f"{end} below {begin}")
        return self

    def resolved(self, spec: DatasetSpec) -> "Hparams":
        """The same with the paper's values for a dataset in place of every `None`."""
        if self.langevin_steps is not None:
            return self
        steps = PAPER_LANGEVIN_STEPS.get(spec.kind, 100)
        return self.model_copy(update={"langevin_steps": steps})
