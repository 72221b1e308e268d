"""CrysTens behind the contract of a generative model.

"CrysTens", Digital Discovery 2024, 3, 62, as benchmarked in "Dismai-Bench", Digital Discovery 2024,
3, 1889: atoms of given species in a given cell as a picture, drawn by a diffusion model that makes
a small picture, and by another one that makes the full picture from it.
"""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from ase import Atoms
from torch import Tensor

from dismai.datasets.spec import DatasetSpec
from dismai.evaluation.said import SAID
from dismai.models.batches import Streams, draw_in_batches, torch_device
from dismai.models.crystens.hparams import Hparams
from dismai.models.crystens.network import Networks
from dismai.models.crystens.pictures import (
    Layout,
    Resize,
    decode,
    picture_scales,
)
from dismai.models.crystens.sampler import draw_pictures
from dismai.models.image.scales import Scales
from dismai.models.torch_model import TorchModel
from dismai.seeds import seed_for

logger = logging.getLogger(__name__)

STAGES = ("base", "sr")


class CrysTens(TorchModel):
    """Both networks of one dataset; scales of pictures stand on its card."""

    architecture = "crystens"
    Hparams = Hparams

    def __init__(self, spec: DatasetSpec, hparams: Hparams):
        super().__init__(spec, hparams.resolved(spec))
        self.layout = Layout.of(spec.composition, self.hparams.separators)
        sides = (self.layout.side, self.hparams.base_side)
        self.resize: Resize = getattr(Resize, self.hparams.resize)(*sides)

    def fit(self, train: list[Atoms], val: list[Atoms], workdir: Path, seed: int) -> None:
        """Train one network after the other; averaged weights of the lowest validation are used.

        The second one sees small pictures of the training set, so it needs nothing of the first.
        """
        # Lightning takes seconds to import, and sampling does without.
        from dismai.models.crystens.module import Numbered, StageModule
        from dismai.models.image.diffusion import EMA_EVERY, ema_decay
        from dismai.models.image.orders import RegionOrders
        from dismai.training.data import TrainingData, fractional_coordinates
        from dismai.training.run import STATE_FOLDER, fingerprint, run_training
        from dismai.training.schedule import Ema, Validation

        h = self.hparams
        f, f_val = (
            torch.from_numpy(fractional_coordinates(part, self.spec, name))
            for part, name in ((train, "training set"), (val, "validation set"))
        )
        scales = picture_scales(f, self.layout)
        self.spec = scales.on_card(self.spec)
        self.networks = self.new_networks(seed_for(seed, "weights"))
        orders = RegionOrders(self.spec, h.region, h.copies, seed_for(seed, "orders"))
        folders = {stage: Path(workdir) / STATE_FOLDER / stage for stage in STAGES}
        for stage, epochs in zip(STAGES, (h.base_epochs, h.sr_epochs), strict=True):
            logger.info("%s: training the network of the %s picture", stage, stage)
            stage_seed = seed_for(seed, stage)
            validation = Validation(
                Numbered(f_val.float()), h.batch, h.validate_every, ("validation",)
            )
            module = StageModule(
                *(getattr(self.networks, stage), self.layout, scales, self.resize),
                *(orders, h, stage_seed),
            )
            run_training(
                module,
                TrainingData(Numbered(f.float()), h.batch, seed_for(stage_seed, "batches")),
                folders[stage],
                columns=("loss",),
                fingerprint=fingerprint(f"{self.architecture} {stage}", h, train + val, seed),
                epochs=epochs,
                checkpoint_every=h.checkpoint_every,
                precision=h.precision,
                device=self.device,
                validation=validation,
                ema=Ema(ema_decay, EMA_EVERY, best_of=validation),
            )
        join_histories(folders, Path(workdir))

    def sample(self, n: int, seed: int) -> list[Atoms]:
        """`steps` calls of each network; coordinates of a structure that diverges are NaN.

        `info` of a structure holds what its picture says of itself: the names in `SAID`.
        """
        h, device = self.hparams, torch_device(self.device)
        networks = self.trained("sample").to(device).eval()
        scales = Scales.of_card(self.spec)

        def draw(indices: range) -> dict[str, Tensor]:
            streams = Streams((seed_for(seed, "sample", i) for i in indices), device)
            pictures = draw_pictures(networks, self.resize, streams, h).cpu()
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
            atoms.info.update(zip(SAID, values, strict=True))
            structures.append(atoms)
        return structures


def join_histories(folders: dict[str, Path], workdir: Path) -> None:
    """One history.csv of all stages, one after the other: columns of a stage carry its name."""
    import pandas as pd

    from dismai.training.files import write_atomically
    from dismai.training.run import HISTORY_FILE

    parts, done = [], {"epoch": 0, "step": 0}
    for stage, folder in folders.items():
        table = pd.read_csv(folder / HISTORY_FILE)
        for column in done:
            table[column] += done[column]
            done[column] = int(table[column].iloc[-1])
        parts.append(table.rename(columns={"loss": stage, "validation": f"{stage}_validation"}))
    text = pd.concat(parts).to_csv(index=False, float_format="%.9g")
    write_atomically(workdir / HISTORY_FILE, text.encode())
