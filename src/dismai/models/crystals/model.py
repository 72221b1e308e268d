"""What the three models of crystals share: a picture goes in, and comes out as a crystal.

"CrysTens", Digital Discovery 2024, 3, 62.
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from ase import Atoms
from torch import Tensor

from dismai.base.card import CrystalSpec
from dismai.base.columns import PUBLISHED_STEPS
from dismai.base.errors import InputError
from dismai.base.seeds import seed_for
from dismai.models.batches import Streams, draw_in_batches, torch_device
from dismai.models.crystals.decode import decode
from dismai.models.crystals.pictures import MOST_ATOMS, picture_scales
from dismai.models.crystals.settings import CrystalHparams
from dismai.models.image.scales import Scales
from dismai.models.torch_model import TorchModel

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule

    from dismai.models.crystals.data import PictureSet
    from dismai.training.run import Training

logger = logging.getLogger(__name__)

STEPS = "training_steps"
"""Among the statistics on the card of a model file."""


class CrystalModel(TorchModel):
    """Networks that draw pictures of crystals; scales of pictures stand on its card."""

    def __init__(self, spec: CrystalSpec, hparams: CrystalHparams):
        super().__init__(spec, hparams)
        if spec.max_atoms > MOST_ATOMS:
            raise InputError(
                f"{self.architecture}: max_atoms of {spec.name}: expected at most the {MOST_ATOMS} "
                f"of a picture, found {spec.max_atoms}"
            )

    @abstractmethod
    def draw(self, networks: Any, streams: Streams) -> Tensor:
        """Pictures in [0, 1], (B, 4, 64, 64), one from each stream."""

    def training_pictures(self, train: list[Atoms]) -> PictureSet:
        """The training set; scales of its pictures and the number of steps go to the card."""
        if not train:
            raise InputError(f"training set of {self.spec.name}: expected structures, found none")
        spec = picture_scales(train).on_card(self.spec)
        statistics = {**spec.statistics, STEPS: self.hparams.steps_on(len(train))}
        self.spec = spec.model_copy(update={"statistics": statistics})
        return self.pictures(train, "training set")

    def pictures(self, structures: list[Atoms], name: str) -> PictureSet:
        """Structures as pictures, by the scales of the training set."""
        from dismai.models.crystals.data import PictureSet

        return PictureSet(structures, Scales.of_card(self.spec), f"{name} of {self.spec.name}")

    def sample(self, n: int, seed: int) -> list[Atoms]:
        """Crystals with all that their pictures say of themselves in `info`.

        A picture that cannot be read is an empty structure.
        """
        h, device = self.hparams, torch_device(self.device)
        networks = self.trained("sample").to(device).eval()

        @torch.no_grad()
        def draw(indices: range) -> dict[str, Tensor]:
            streams = Streams((seed_for(seed, "sample", i) for i in indices), device)
            return {"pictures": self.draw(networks, streams)}

        drawn = draw_in_batches(self, self.tensors(), n, seed, h.sampling_batch, draw)
        crystals = decode(drawn["pictures"], Scales.of_card(self.spec), h.clustering)
        share = 100.0 * self.spec.statistics[STEPS] / h.PUBLISHED_STEPS
        for atoms in crystals:
            atoms.info[PUBLISHED_STEPS] = share
        if n_bad := sum(len(atoms) == 0 for atoms in crystals):
            logger.warning("%d of %d pictures are no crystals", n_bad, n)
        return crystals


class AdversarialModel(CrystalModel):
    """One whose networks have a `generator`, which draws in one forward pass.

    COLUMNS: of the history.  FEWEST: crystals that it can be trained on.
    """

    COLUMNS: ClassVar[tuple[str, ...]]
    FEWEST: ClassVar[int] = 1

    @abstractmethod
    def module(self, seed: int) -> LightningModule:
        """The steps of a training of the networks; seed: of its draws."""

    def trainings(self, train: list[Atoms], val: list[Atoms], seed: int) -> Iterator[Training]:
        """The last weights are used. The validation set is not needed and not looked at."""
        from dismai.training.run import Training

        pictures = self.training_pictures(train)
        if len(train) < self.FEWEST:
            raise InputError(
                f"training set of {self.spec.name}: expected at least {self.FEWEST} structures, as "
                f"a batch norm needs them, found {len(train)}"
            )
        self.networks = self.new_networks(seed_for(seed, "weights"))
        yield Training(
            self.module(seed_for(seed, "draws")),
            pictures,
            columns=self.COLUMNS,
            epochs=self.hparams.epochs,
            seed=seed_for(seed, "batches"),
        )

    def draw(self, networks: Any, streams: Streams) -> Tensor:
        return networks.generator(streams.normal(self.hparams.latent))
