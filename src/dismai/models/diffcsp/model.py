"""DiffCSP behind the contract of a generative model.

"Crystal Structure Prediction by Joint Equivariant Diffusion", NeurIPS 2023, as benchmarked in
"Dismai-Bench", Digital Discovery 2024, 3, 1889: atoms of given species in a given cell start at
uniformly random positions and are moved to where the network sees higher probability.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from ase import Atoms
from torch import Tensor

from dismai.base.card import DatasetSpec
from dismai.base.seeds import seed_for
from dismai.models.batches import Streams, draw_in_batches, torch_device
from dismai.models.diffcsp.hparams import Hparams
from dismai.models.diffcsp.network import Diffusion
from dismai.models.diffcsp.noise import lattice_matrix
from dismai.models.diffcsp.sampler import predictor_corrector
from dismai.models.torch_model import TorchModel

if TYPE_CHECKING:
    from dismai.training.run import Training

logger = logging.getLogger(__name__)


class DiffCSP(TorchModel):
    """Network and noise of one dataset."""

    architecture = "diffcsp"
    Hparams = Hparams
    shareable = True

    def __init__(self, spec: DatasetSpec, hparams: Hparams):
        super().__init__(spec, hparams.resolved(spec))

    def trainings(self, train: list[Atoms], val: list[Atoms], seed: int) -> Iterator[Training]:
        """The last weights are used, or their average. Validation lowers the rate."""
        from dismai.models.diffcsp.module import Coordinates, DiffCSPModule
        from dismai.training.data import fractional_coordinates
        from dismai.training.run import Training
        from dismai.training.schedule import Ema, Plateau, Validation

        h = self.hparams
        train_set, val_set = (
            Coordinates(torch.from_numpy(fractional_coordinates(part, self.spec, name)).float())
            for part, name in ((train, "training set"), (val, "validation set"))
        )
        self.networks = self.new_networks(seed_for(seed, "weights"))
        validation = Validation(val_set, h.batch, h.validate_every, ("validation",))
        yield Training(
            DiffCSPModule(self.networks, self._lattice(), h, seed),
            train_set,
            columns=("coordinates", *(("lattice",) if h.cost_lattice else ())),
            epochs=h.epochs,
            seed=seed_for(seed, "batches"),
            gradient_clip=h.gradient_clip,
            validation=validation,
            plateau=Plateau.steered(h, validation, every_epoch=h.plateau_every_epoch),
            ema=Ema.rising_to(h.ema_decay),
        )

    def sample(self, n: int, seed: int) -> list[Atoms]:
        """Two network calls a level; coordinates of a structure that diverges are NaN."""
        h, device = self.hparams, torch_device(self.device)
        diffusion = self.trained("sample").to(device).eval()
        lattice = self._lattice().to(device)

        def draw(indices: range) -> dict[str, Tensor]:
            streams = Streams((seed_for(seed, "sample", i) for i in indices), device)
            f, drawn_lattice = predictor_corrector(
                diffusion.network,
                diffusion.schedule,
                lattice.expand(len(indices), -1, -1),
                self.spec.n_atoms,
                streams,
                h,
            )
            return {"f": f, "lattice": drawn_lattice}

        drawn = draw_in_batches(self, diffusion.state_dict(), n, seed, h.sampling_batch, draw)
        return self._structures(drawn["f"], drawn["lattice"])

    def new_networks(self, seed: int) -> Diffusion:
        """With the lattice head, which learns nothing while the lattice is copied."""
        numbers = Atoms(self.spec.symbols).numbers.tolist()
        return Diffusion(numbers, self.hparams, torch.Generator().manual_seed(seed))

    def _lattice(self) -> Tensor:
        """The true lattice in the unit of the network, (3, 3)."""
        lattice = lattice_matrix(self.spec.cell) / self.hparams.lattice_unit_A
        return torch.tensor(lattice, dtype=torch.float32)

    def _structures(self, f: Tensor, lattice: Tensor) -> list[Atoms]:
        """Structures in the cell of the card, or in their own if the lattice was diffused."""
        x = f.double().numpy() % 1.0
        cells = lattice.double().numpy() * self.hparams.lattice_unit_A
        if not self.hparams.cost_lattice:
            cells = np.broadcast_to(self.spec.cell, cells.shape)
        n_bad = int((~np.isfinite(x).all((1, 2)) | ~np.isfinite(cells).all((1, 2))).sum())
        if n_bad:
            logger.warning("%d of %d structures are not finite", n_bad, len(x))
        return [
            Atoms(self.spec.symbols, positions=x_i @ cell, cell=cell, pbc=True)
            for x_i, cell in zip(x, cells, strict=True)
        ]
