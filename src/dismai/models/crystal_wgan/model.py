"""The Wasserstein model of crystals behind the contract of a generative model.

"CrysTens", Digital Discovery 2024, 3, 62, appendix B.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from dismai.models.crystal_wgan.hparams import Hparams
from dismai.models.crystal_wgan.networks import Networks
from dismai.models.crystals.model import AdversarialModel

if TYPE_CHECKING:
    from dismai.models.crystal_wgan.module import CrystalWGANModule


class CrystalWGAN(AdversarialModel):
    """Generator and critic of one dataset."""

    architecture = "crystal_wgan"
    Hparams = Hparams
    COLUMNS = ("critic", "generator")

    def new_networks(self, seed: int) -> Networks:
        return Networks(self.hparams, torch.Generator().manual_seed(seed))

    def module(self, seed: int) -> CrystalWGANModule:
        from dismai.models.crystal_wgan.module import CrystalWGANModule

        return CrystalWGANModule(self.networks, self.hparams, seed)
