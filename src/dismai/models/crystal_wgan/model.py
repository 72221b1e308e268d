"""The Wasserstein model of crystals behind the contract of a generative model.

"CrysTens", Digital Discovery 2024, 3, 62, appendix B.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from ase import Atoms

from dismai.base.seeds import seed_for
from dismai.models.crystal_wgan.hparams import Hparams
from dismai.models.crystal_wgan.networks import Networks
from dismai.models.crystals.model import AdversarialModel

if TYPE_CHECKING:
    from dismai.training.run import Training


class CrystalWGAN(AdversarialModel):
    """Generator and critic of one dataset."""

    architecture = "crystal_wgan"
    Hparams = Hparams

    def trainings(self, train: list[Atoms], val: list[Atoms], seed: int) -> Iterator[Training]:
        """The last weights are used. The validation set is not needed and not looked at."""
        from dismai.models.crystal_wgan.module import CrystalWGANModule
        from dismai.training.run import Training

        pictures = self.training_pictures(train)
        self.networks = self.new_networks(seed_for(seed, "weights"))
        yield Training(
            CrystalWGANModule(self.networks, self.hparams, seed_for(seed, "draws")),
            pictures,
            columns=("critic", "generator"),
            epochs=self.hparams.epochs,
            seed=seed_for(seed, "batches"),
        )

    def new_networks(self, seed: int) -> Networks:
        return Networks(self.hparams, torch.Generator().manual_seed(seed))
