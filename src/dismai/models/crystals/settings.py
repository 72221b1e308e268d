"""Hyperparameters that models of crystals share. Free of torch: the Snakefile reads them."""

from abc import abstractmethod
from math import ceil
from typing import ClassVar

from pydantic import Field

from dismai.base.card import CrystalSpec
from dismai.models.crystals.clusters import Clustering
from dismai.models.training_hparams import Batch, Epochs, SamplingBatch, TrainingHparams

PAPER_CRYSTALS = 53_856
"""Training set of the CrysTens paper."""


class CrystalHparams(TrainingHparams):
    """Of any model that draws pictures of crystals."""

    CARD: ClassVar[type] = CrystalSpec
    """The class of cards of the datasets that are modelled."""
    SAMPLING: ClassVar[tuple[str, ...]] = ("clustering", "sampling_batch")
    PUBLISHED_STEPS: ClassVar[int]
    """Steps of one training in the paper, counted as `steps_on` counts."""

    clustering: Clustering = Field(
        "published",
        description="which numbers of a picture are taken for one: published, 3 means of species "
        "and 6 of coordinates; none; auto, what the picture cannot tell apart",
    )
    sampling_batch: SamplingBatch = 64

    @abstractmethod
    def steps_on(self, n_crystals: int) -> int:
        """Steps of one training on so many crystals."""


class AdversarialHparams(CrystalHparams):
    """Of a generator and a network that judges its pictures."""

    latent: int = Field(128, ge=1, description="length of the noise")
    width: float = Field(
        1.0,
        gt=0,
        description="channels and hidden numbers of both networks, in units of the published ones, "
        "at least 4; the picture stays as large as it is",
    )
    dropout: float = Field(0.25, ge=0, lt=1, description="before the last layer of the judge")
    batch: Batch = 64
    epochs: Epochs

    def steps_on(self, n_crystals: int) -> int:
        """Batches."""
        return self.epochs * ceil(n_crystals / self.batch)
