"""CryinGAN behind the contract of a generative model.

"Dismai-Bench", Digital Discovery 2024, 3, 1889. A generator turns noise into the fractional
coordinates of all atoms of a fixed cell with fixed species; one critic judges coordinates, another
the distances to nearest neighbours, both pooled over the atoms of a species.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from ase import Atoms
from torch import Tensor

from dismai.base.card import DatasetSpec
from dismai.base.seeds import seed_for
from dismai.models.cryingan.distances import nearest_distances
from dismai.models.cryingan.hparams import Hparams
from dismai.models.cryingan.networks import Networks
from dismai.models.torch_model import TorchModel

if TYPE_CHECKING:
    from dismai.models.cryingan.graph_critic import GraphCritic
    from dismai.models.cryingan.module import TranslatedTables
    from dismai.training.run import Training

SAMPLING_CHUNK = 64
"""Structures per forward pass; fixed, so that the bytes of one never depend on how many follow."""


class CryinGAN(TorchModel):
    """Generator and critics of one dataset."""

    architecture = "cryingan"
    Hparams = Hparams

    def __init__(self, spec: DatasetSpec, hparams: Hparams):
        super().__init__(spec, hparams.resolved(spec))

    def trainings(self, train: list[Atoms], val: list[Atoms], seed: int) -> Iterator[Training]:
        """The last weights are used. The validation set is not needed and not looked at."""
        from dismai.models.cryingan.module import CryinGANModule
        from dismai.training.run import Training

        h = self.hparams
        self.networks = self.new_networks(seed_for(seed, "weights"))
        cell = torch.tensor(self.spec.cell, dtype=torch.float32)
        yield Training(
            CryinGANModule(self.networks, cell, h, seed),
            self._tables(train),
            columns=(*(f"critic_{kind}" for kind in self.networks.critics), "generator"),
            epochs=h.epochs,
            seed=seed_for(seed, "batches"),
        )

    @torch.no_grad()
    def sample(self, n: int, seed: int) -> list[Atoms]:
        """One forward pass on the CPU, each structure from noise of its own stream."""
        generator = self.trained("sample").generator.eval()
        chunks = [
            generator(self._noise(range(start, start + SAMPLING_CHUNK), seed))[:, 0].numpy()
            for start in range(0, n, SAMPLING_CHUNK)
        ]
        x = np.concatenate(chunks)[:n].astype(float) % 1.0
        return [
            Atoms(self.spec.symbols, positions=x_i @ self.spec.cell, cell=self.spec.cell, pbc=True)
            for x_i in x
        ]

    def new_networks(self, seed: int) -> Networks:
        random = torch.Generator().manual_seed(seed)
        counts = list(self.spec.composition.values())
        return Networks(counts, self.hparams, random, self._graph_critic)

    def _graph_critic(self, random: torch.Generator) -> GraphCritic:
        from dismai.models.cryingan.graph_critic import GraphCritic

        numbers = Atoms(self.spec.symbols).numbers.tolist()
        return GraphCritic(numbers, torch.tensor(self.spec.cell, dtype=torch.float32), random)

    def _noise(self, indices: range, seed: int) -> Tensor:
        """Noise of structures with these indices, each from its own stream, (n, latent)."""
        rows = []
        for i in indices:
            random = torch.Generator().manual_seed(seed_for(seed, "sample", i))
            rows.append(torch.randn(self.hparams.latent, generator=random))
        return torch.stack(rows)

    def _tables(self, structures: list[Atoms]) -> TranslatedTables:
        """Training tables; distances once, in double precision, before they are rounded."""
        from dismai.models.cryingan.module import TranslatedTables, lattice_translations
        from dismai.training.data import fractional_coordinates

        x = torch.from_numpy(fractional_coordinates(structures, self.spec))
        cell = torch.from_numpy(self.spec.cell)
        distances = torch.cat(
            [nearest_distances(chunk, cell, self.hparams.neighbours) for chunk in x.split(32)]
        )
        fcc = self.spec.fcc
        supercell = fcc.supercell if fcc is not None and self.hparams.translations else (1, 1, 1)
        return TranslatedTables(x.float(), distances.float(), lattice_translations(supercell))
