"""UniMat behind the contract of a generative model.

"Scalable Diffusion for Materials Generation", ICLR 2024, as benchmarked in "Dismai-Bench", Digital
Discovery 2024, 3, 1889: a structure is a video with a frame per atom and a pixel per species; a 3D
U-Net removes noise from it. Species and cell of the output are those of the card.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from ase import Atoms
from torch import Tensor

from dismai.base.card import DatasetSpec
from dismai.base.seeds import seed_for
from dismai.metrics.self_reports import SPECIES
from dismai.models.batches import Streams, draw_in_batches, torch_device
from dismai.models.image.orders import RegionOrders
from dismai.models.image.scales import Scales
from dismai.models.torch_model import TorchModel
from dismai.models.unimat.hparams import Hparams
from dismai.models.unimat.network import UNet
from dismai.models.unimat.representation import decode, species_mask
from dismai.models.unimat.sampler import draw_videos

if TYPE_CHECKING:
    from dismai.training.run import Training

logger = logging.getLogger(__name__)

UNKNOWN = "X"
"""Species of an atom whose frame shows none, another one or several."""


class UniMat(TorchModel):
    """The network of one dataset; scales of coordinates stand on its card."""

    architecture = "unimat"
    Hparams = Hparams
    shareable = True

    def __init__(self, spec: DatasetSpec, hparams: Hparams):
        super().__init__(spec, hparams.resolved(spec))
        self.mask = species_mask(spec, self.hparams.side)

    def trainings(self, train: list[Atoms], val: list[Atoms], seed: int) -> Iterator[Training]:
        """Averaged weights are used, of the lowest validation loss."""
        from dismai.models.image.diffusion import EMA_EVERY, ema_decay
        from dismai.models.unimat.module import ScaledCoordinates, UniMatModule
        from dismai.training.data import fractional_coordinates
        from dismai.training.run import Training
        from dismai.training.schedule import Ema, Validation

        h = self.hparams
        f, f_val = (
            torch.from_numpy(fractional_coordinates(part, self.spec, name))
            for part, name in ((train, "training set"), (val, "validation set"))
        )
        scales = Scales(f.amin(dim=(0, 1)), f.amax(dim=(0, 1)))
        self.spec = scales.on_card(self.spec)
        self.networks = self.new_networks(seed_for(seed, "weights"))
        train_set, val_set = (ScaledCoordinates(scales.down(x).float()) for x in (f, f_val))
        orders = RegionOrders(self.spec, h.region, h.copies, seed_for(seed, "orders"))
        validation = Validation(val_set, h.batch, h.validate_every, ("validation",))
        yield Training(
            UniMatModule(self.networks, self.mask, orders, h, seed),
            train_set,
            columns=("loss",),
            epochs=h.epochs,
            seed=seed_for(seed, "batches"),
            validation=validation,
            ema=Ema(partial(ema_decay, most=h.ema_decay), EMA_EVERY, best_of=validation),
        )

    def sample(self, n: int, seed: int) -> list[Atoms]:
        """Atoms whose frame is wrong get the species X; such a structure counts as failed."""
        h, device = self.hparams, torch_device(self.device)
        network, mask = self.trained("sample").to(device).eval(), self.mask.to(device)

        def draw(indices: range) -> dict[str, Tensor]:
            streams = Streams((seed_for(seed, "sample", i) for i in indices), device)
            scaled, right = decode(draw_videos(network, mask, streams, h), mask)
            return {"scaled": scaled, "right": right}

        drawn = draw_in_batches(self, self.tensors(), n, seed, h.sampling_batch, draw)
        right = drawn["right"].numpy()
        logger.info(
            "composition: %.2f %% of the atoms are right, in %d of %d structures all of them",
            100 * right.mean(),
            right.all(axis=1).sum(),
            n,
        )
        return self._structures(drawn["scaled"], right)

    def new_networks(self, seed: int) -> UNet:
        return UNet(self.spec.n_atoms, self.hparams, torch.Generator().manual_seed(seed))

    def _structures(self, scaled: Tensor, right: np.ndarray) -> list[Atoms]:
        """Structures in the cell of the card; `info` holds the share of right atoms."""
        f = Scales.of_card(self.spec).up(scaled.double()).numpy()
        n_bad = int((~np.isfinite(f).all(axis=(1, 2))).sum())
        if n_bad:
            logger.warning("%d of %d structures are not finite", n_bad, len(f))
        symbols = np.where(right, np.array(self.spec.symbols), UNKNOWN)
        return [
            Atoms(
                list(symbols_i),
                positions=f_i @ self.spec.cell,
                cell=self.spec.cell,
                pbc=True,
                info={SPECIES: float(right_i.mean())},
            )
            for symbols_i, f_i, right_i in zip(symbols, f, right, strict=True)
        ]
