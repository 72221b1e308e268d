"""CDVAE behind the contract of a generative model.

XIE 2022 (arXiv 2110.06197), as in "Dismai-Bench", Digital Discovery 2024, 3, 1889. An encoder turns
a structure into a latent vector z; heads read size, lattice and composition from z; a decoder
moves atoms from anywhere in the cell to where they belong by annealed Langevin dynamics.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from ase import Atoms
from ase.data import atomic_numbers
from torch import Tensor

from dismai.base.card import DatasetSpec
from dismai.base.seeds import seed_for
from dismai.models.batches import draw_in_batches, torch_device
from dismai.models.cdvae.denoise import denoise
from dismai.models.cdvae.hparams import Hparams
from dismai.models.cdvae.lattice import LatticeScale
from dismai.models.cdvae.networks import Networks
from dismai.models.cdvae.noise import noise_levels
from dismai.models.cdvae.sampler import draw_composition, langevin
from dismai.models.torch_model import TorchModel

if TYPE_CHECKING:
    from dismai.training.run import Training

logger = logging.getLogger(__name__)


class CDVAE(TorchModel):
    """Encoder, heads and decoder of one dataset."""

    architecture = "cdvae"
    Hparams = Hparams

    def __init__(self, spec: DatasetSpec, hparams: Hparams):
        super().__init__(spec, hparams.resolved(spec))

    def trainings(self, train: list[Atoms], val: list[Atoms], seed: int) -> Iterator[Training]:
        """The last weights are used. Held-out structures steer the learning rate."""
        from dismai.models.cdvae.module import CDVAEModule, bonded_structures, loss_names
        from dismai.training.run import Training
        from dismai.training.schedule import Ema, Plateau, Validation

        h = self.hparams
        self.networks = self.new_networks(seed_for(seed, "weights"))
        cells = torch.from_numpy(np.array([atoms.cell.array for atoms in train]))
        self.networks.scale.learn(cells, self.spec.n_atoms)
        numbers = torch.tensor(self.numbers)
        held_out = bonded_structures(val, self.spec, "validation set")
        validation = Validation(held_out, h.batch, h.validate_every, ("validation",))
        yield Training(
            CDVAEModule(self.networks, numbers, torch.tensor(self.spec.cell), h, seed),
            bonded_structures(train, self.spec),
            columns=loss_names(h),
            epochs=h.epochs,
            seed=seed_for(seed, "batches"),
            gradient_clip=h.gradient_clip,
            validation=validation,
            plateau=Plateau.steered(h, validation, every_epoch=True),
            ema=Ema.rising_to(h.ema_decay),
        )

    @property
    def numbers(self) -> list[int]:
        """Atomic numbers of the atoms of the card, in its order."""
        return [atomic_numbers[symbol] for symbol in self.spec.symbols]

    @torch.no_grad()
    def sample(self, n: int, seed: int) -> list[Atoms]:
        """Langevin dynamics of n structures; a diverged one has NaN for coordinates.

        Atoms stand in the species blocks of the card; species foreign to it come last.
        """
        device = torch_device(self.device)
        networks = self.trained("sample").eval().to(device)
        drawn = draw_in_batches(
            self,
            networks.state_dict(),
            n,
            seed,
            self.hparams.sampling_batch,
            lambda indices: self._draw(networks, indices, seed),
        )
        networks.to("cpu")
        parts = (drawn[name] for name in ("x", "numbers", "cell"))
        structures = [self._atoms(*row) for row in zip(*parts, strict=True)]
        lost = sum(not np.isfinite(atoms.positions).all() for atoms in structures)
        if lost:
            logger.warning("%d of %d structures have diverged", lost, n)
        return structures

    def dead_parameter_count(self) -> int:
        """Parameters that no structure of the dataset can reach: rows of absent elements."""
        networks = self.new_networks(seed=0)
        return sum(
            (len(table) - len(self.spec.species)) * table.shape[1]
            for table in (networks.encoder.elements, networks.decoder.species)
        )

    def new_networks(self, seed: int) -> Networks:
        cell = torch.tensor(self.spec.cell)
        return Networks(
            self.spec.n_atoms,
            max(self.numbers),
            LatticeScale(self.hparams.lattice, cell, self.spec.n_atoms),
            self.hparams,
            torch.Generator().manual_seed(seed),
        )

    def _draw(self, networks: Networks, indices: range, seed: int) -> dict[str, Tensor]:
        """Structures with these indices; numbers of atoms that are not there are 0.

        Where a head gives no finite numbers, coordinates are NaN and all else is the card's.
        """
        device = next(networks.parameters()).device
        randoms = [torch.Generator().manual_seed(seed_for(seed, "sample", i)) for i in indices]
        latent = self.hparams.latent
        z = torch.stack([torch.randn(latent, generator=random) for random in randoms]).to(device)
        read = networks.read(z)
        sizes = read.number[:, 1:].argmax(1) + 1  # a structure has atoms
        cells = networks.scale.cell(read.lattice, sizes)
        probabilities = read.composition.softmax(1)
        readable = cells.isfinite().all(2).all(1) & probabilities.isfinite().all(1)
        shape = (len(randoms), self.spec.n_atoms)
        x, numbers = torch.full((*shape, 3), torch.nan), torch.zeros(shape, dtype=torch.long)
        cells[~readable] = torch.tensor(self.spec.cell).to(device)
        numbers[~readable.cpu()] = torch.tensor(self.numbers)
        # On a CPU one structure at a time is fastest: what it needs stays in the cache.
        together = 1 if device.type == "cpu" else len(randoms)
        for group in groups_of_equal_size(torch.where(readable, sizes, 0).tolist(), together):
            size = int(sizes[group[0]])
            streams = [randoms[i] for i in group]
            drawn = [
                draw_composition(p, size, random)
                for p, random in zip(probabilities[group].cpu(), streams, strict=True)
            ]
            start = torch.stack([torch.rand(size, 3, generator=random) for random in streams])
            x_end, species = self._langevin(
                networks,
                z[group],
                start.to(device),
                torch.stack(drawn).to(device),
                cells[group],
                streams,
            )
            x[group, :size], numbers[group, :size] = x_end.cpu(), species.cpu()
        return {"x": x, "numbers": numbers, "cell": cells.cpu()}

    def _langevin(
        self,
        networks: Networks,
        z: Tensor,
        x: Tensor,
        numbers: Tensor,
        cell: Tensor,
        randoms: list[torch.Generator],
    ) -> tuple[Tensor, Tensor]:
        h, cell = self.hparams, cell.float()
        return langevin(
            lambda x, numbers, sigma: denoise(networks.decoder, h, z, x, numbers, cell),
            x,
            numbers,
            cell,
            noise_levels(h.sigma_begin_A, h.sigma_end_A, h.levels).tolist(),
            h.langevin_steps,
            h.langevin_step_size,
            randoms,
        )

    def _atoms(self, x: Tensor, numbers: Tensor, cell: Tensor) -> Atoms:
        kept = numbers > 0
        order = {atomic_numbers[symbol]: i for i, symbol in enumerate(self.spec.species)}
        z = numbers[kept].numpy()
        rank = np.array([order.get(number, 1000 + number) for number in z.tolist()])
        by_species = np.argsort(rank, kind="stable")
        return Atoms(
            z[by_species],
            scaled_positions=x[kept].double().numpy()[by_species] % 1.0,
            cell=cell.numpy(),
            pbc=True,
        )


def groups_of_equal_size(sizes: list[int], most: int) -> list[list[int]]:
    """Indices of structures of equal size, in order, at most so many together; none of size 0."""
    distinct = sorted({*sizes} - {0})
    together = [[i for i, other in enumerate(sizes) if other == size] for size in distinct]
    return [
        indices[start : start + most]
        for indices in together
        for start in range(0, len(indices), most)
    ]
