"""CrysTens behind the contract of a generative model.

"CrysTens", Digital Discovery 2024, 3, 62, as benchmarked in "Dismai-Bench", Digital Discovery 2024,
3, 1889: atoms of given species in a given cell as a picture, drawn by a diffusion model that makes
a small picture, and by another one that makes the full picture from it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from ase import Atoms
from torch import Tensor

from dismai.base.card import DatasetSpec
from dismai.base.seeds import seed_for
from dismai.metrics.self_reports import OF_PICTURES
from dismai.models.batches import Streams, draw_in_batches, torch_device
from dismai.models.crystens.hparams import Hparams
from dismai.models.crystens.network import Networks
from dismai.models.crystens.pictures import Layout, Resize, decode, picture_scales
from dismai.models.crystens.sampler import draw_pictures
from dismai.models.image.scales import Scales
from dismai.models.torch_model import TorchModel

if TYPE_CHECKING:
    from dismai.training.run import Training

logger = logging.getLogger(__name__)


class CrysTens(TorchModel):
    """Both networks of one dataset; scales of pictures stand on its card."""

    architecture = "crystens"
    Hparams = Hparams
    shareable = True

    def __init__(self, spec: DatasetSpec, hparams: Hparams):
        super().__init__(spec, hparams.resolved(spec))
        self.layout = Layout.of(spec.composition, self.hparams.separators)
        resize = getattr(Resize, self.hparams.resize)
        self.resize: Resize = resize(self.layout.side, self.hparams.base_side)

    def trainings(self, train: list[Atoms], val: list[Atoms], seed: int) -> Iterator[Training]:
        from dismai.models.crystens.module import Numbered, OrderedPictures, stages
        from dismai.models.image.orders import RegionOrders
        from dismai.training.data import fractional_coordinates

        h = self.hparams
        f, f_val = (
            torch.from_numpy(fractional_coordinates(part, self.spec, name))
            for part, name in ((train, "training set"), (val, "validation set"))
        )
        scales = picture_scales(f, self.layout)
        self.spec = scales.on_card(self.spec)
        self.networks = self.new_networks(seed_for(seed, "weights"))
        orders = RegionOrders(self.spec, h.region, h.copies, seed_for(seed, "orders"))
        pictures = OrderedPictures(self.layout, scales, orders)
        data, validation = Numbered(f.float()), Numbered(f_val.float())
        yield from stages(self.networks, pictures, data, validation, self.resize, h, seed)

    def sample(self, n: int, seed: int) -> list[Atoms]:
        """`steps` calls of each network; coordinates of a structure that diverges are NaN.

        `info` of a structure holds what its picture says of itself: the names in `OF_PICTURES`.
        """
        h, device = self.hparams, torch_device(self.device)
        networks = self.trained("sample").to(device).eval()
        scales, resize = Scales.of_card(self.spec), self.resize.to(device)

        def draw(indices: range) -> dict[str, Tensor]:
            streams = Streams((seed_for(seed, "sample", i) for i in indices), device)
            pictures = draw_pictures(networks, resize, streams, h).cpu()
            f, diagnostics = decode(pictures, self.layout, scales)
            return {"f": f, "diagnostics": diagnostics}

        drawn = draw_in_batches(self, self.tensors(), n, seed, h.sampling_batch, draw)
        return self._structures(drawn["f"], drawn["diagnostics"])

    def new_networks(self, seed: int) -> Networks:
        return Networks(self.hparams, torch.Generator().manual_seed(seed))

    def _structures(self, f: Tensor, diagnostics: Tensor) -> list[Atoms]:
        """Structures with the species and the cell of the card; coordinates are not wrapped."""
        n_bad = int((~f.isfinite().all(2).all(1)).sum())
        if n_bad:
            logger.warning("%d of %d structures are not finite", n_bad, len(f))
        cell = self.spec.cell
        structures = []
        for x, values in zip(f.numpy(), diagnostics.tolist(), strict=True):
            atoms = Atoms(self.spec.symbols, positions=x @ cell, cell=cell, pbc=True)
            atoms.info.update(zip(OF_PICTURES, values, strict=True))
            structures.append(atoms)
        return structures
