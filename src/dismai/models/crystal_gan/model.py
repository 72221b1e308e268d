"""The plain adversarial model of crystals behind the contract of a generative model.

"CrysTens", Digital Discovery 2024, 3, 62, appendix B.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from dismai.models.crystal_gan.hparams import Hparams
from dismai.models.crystal_gan.networks import Networks
from dismai.models.crystals.model import AdversarialModel

if TYPE_CHECKING:
    from dismai.models.crystal_gan.module import CrystalGANModule


class CrystalGAN(AdversarialModel):
    """Generator and discriminator of one dataset."""

    architecture = "crystal_gan"
    Hparams = Hparams
    COLUMNS = ("discriminator_real", "discriminator_drawn", "generator")
    FEWEST = 2

    def new_networks(self, seed: int) -> Networks:
        return Networks(self.hparams, torch.Generator().manual_seed(seed))

    def module(self, seed: int) -> CrystalGANModule:
        from dismai.models.crystal_gan.module import CrystalGANModule

        return CrystalGANModule(self.networks, self.hparams, seed)
