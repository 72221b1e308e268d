"""The plain adversarial model of crystals behind the contract of a generative model.

"CrysTens", Digital Discovery 2024, 3, 62, appendix B.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from ase import Atoms

from dismai.base.errors import InputError
from dismai.base.seeds import seed_for
from dismai.models.crystal_gan.hparams import Hparams
from dismai.models.crystal_gan.networks import Networks
from dismai.models.crystals.model import AdversarialModel

if TYPE_CHECKING:
    from dismai.training.run import Training


class CrystalGAN(AdversarialModel):
    """Generator and discriminator of one dataset."""

    architecture = "crystal_gan"
    Hparams = Hparams

    def trainings(self, train: list[Atoms], val: list[Atoms], seed: int) -> Iterator[Training]:
        """The last weights are used. The validation set is not needed and not looked at."""
        from dismai.models.crystal_gan.module import CrystalGANModule
        from dismai.training.run import Training

        pictures = self.training_pictures(train)
        if len(train) < 2:
            raise InputError(
                f"training set of {self.spec.name}: expected at least 2 structures, as a batch "
                f"norm needs them, found {len(train)}"
            )
        self.networks = self.new_networks(seed_for(seed, "weights"))
        yield Training(
            CrystalGANModule(self.networks, self.hparams, seed_for(seed, "draws")),
            pictures,
            columns=("discriminator_real", "discriminator_drawn", "generator"),
            epochs=self.hparams.epochs,
            seed=seed_for(seed, "batches"),
        )

    def new_networks(self, seed: int) -> Networks:
        return Networks(self.hparams, torch.Generator().manual_seed(seed))
