"""Diffusion of pictures of crystals behind the contract of a generative model.

"CrysTens", Digital Discovery 2024, 3, 62: the U-Nets, noise and stages of `dismai.models.crystens`
on pictures of crystals, 32 x 32 pixels first, then 64 x 64.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from ase import Atoms
from torch import Tensor

from dismai.base.card import CrystalSpec
from dismai.base.seeds import seed_for
from dismai.models.batches import Streams
from dismai.models.crystal_diffusion.hparams import Hparams
from dismai.models.crystals.model import CrystalModel
from dismai.models.crystals.pictures import N_LINES, SIDE
from dismai.models.crystens.network import Networks
from dismai.models.crystens.pictures import Resize
from dismai.models.crystens.sampler import draw_pictures

if TYPE_CHECKING:
    from dismai.training.run import Training


class CrystalDiffusion(CrystalModel):
    """Both networks of one dataset."""

    architecture = "crystal_diffusion"
    Hparams = Hparams

    def __init__(self, spec: CrystalSpec, hparams: Hparams):
        super().__init__(spec, hparams.resolved(spec))
        small = self.hparams.base_side
        self.resize = {
            "reference": Resize.reference(SIDE, small),
            "coordinate_preserving": Resize.coordinate_preserving(SIDE, small, kept=N_LINES),
        }[self.hparams.resize]

    def trainings(self, train: list[Atoms], val: list[Atoms], seed: int) -> Iterator[Training]:
        from dismai.models.crystens.module import stages

        pictures = self.training_pictures(train)
        validation = self.pictures(val, "validation set")
        self.networks = self.new_networks(seed_for(seed, "weights"))
        yield from stages(
            self.networks, _as_served, pictures, validation, self.resize, self.hparams, seed
        )

    def draw(self, networks: Networks, streams: Streams) -> Tensor:
        """`steps` calls of each network."""
        return draw_pictures(networks, self.resize.to(streams.device), streams, self.hparams)

    def new_networks(self, seed: int) -> Networks:
        return Networks(self.hparams, torch.Generator().manual_seed(seed))

    def parameter_count(self) -> int:
        """As for other models, without taking the 4 GB of the paper's networks."""
        with torch.device("meta"):
            return super().parameter_count()


def _as_served(batch: Tensor, epoch: int | None) -> Tensor:
    """Pictures are the batch itself, and the same in every epoch."""
    return batch
