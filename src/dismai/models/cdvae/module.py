"""One training step of CDVAE, in Lightning's terms."""

import torch
from ase import Atoms
from lightning.pytorch import LightningModule
from torch import Tensor
from torch.nn import functional
from torch.utils.data import Dataset

from dismai.base.card import DatasetSpec
from dismai.base.device import sent
from dismai.base.errors import InputError, StructureError
from dismai.base.seeds import seed_for
from dismai.models.cdvae.denoise import denoise
from dismai.models.cdvae.encoder import bond_graph, join_graphs
from dismai.models.cdvae.graph import Graph
from dismai.models.cdvae.hparams import Hparams
from dismai.models.cdvae.networks import Networks
from dismai.models.cdvae.noise import (
    add_noise,
    composition_loss,
    coordinate_loss,
    kl_loss,
    noise_levels,
    noisy_species,
    species_loss,
)
from dismai.training.data import fractional_coordinates


class BondedStructures(Dataset):
    """Fractional coordinates, (n, N, 3), and bond graphs of structures of one size."""

    def __init__(self, x: Tensor, graphs: list[Graph]):
        self.x, self.graphs = x, graphs

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, items: list[int]) -> tuple[Tensor, Graph]:
        return self.x[items], join_graphs([self.graphs[i] for i in items])


def bonded_structures(
    structures: list[Atoms], spec: DatasetSpec, name: str = "training set"
) -> BondedStructures:
    """A set after a check against the card; its bonds are found here, once."""
    x = torch.from_numpy(fractional_coordinates(structures, spec, name)).float()
    graphs = []
    for i, atoms in enumerate(structures):
        try:
            graphs.append(bond_graph(atoms))
        except StructureError as error:
            place = f"{name} of {spec.name}: structure {i}"
            raise InputError(f"{place}: expected a structure with bonds, found: {error}") from None
    return BondedStructures(x, graphs)


class CDVAEModule(LightningModule):
    """Reconstruction of noisy structures, of their size, lattice and composition, from z."""

    def __init__(self, networks: Networks, numbers: Tensor, cell: Tensor, h: Hparams, seed: int):
        """numbers: atomic numbers of every structure, (N,).  cell: Å, rows, (3, 3), float64."""
        super().__init__()
        self.networks, self.h, self.seed = networks, h, seed
        self.register_buffer("numbers", numbers, persistent=False)
        self.register_buffer("cell", cell, persistent=False)
        levels = noise_levels(h.sigma_begin_A, h.sigma_end_A, h.levels).float()
        species_levels = noise_levels(h.species_sigma_begin, h.species_sigma_end, h.levels).float()
        self.register_buffer("levels", levels, persistent=False)
        self.register_buffer("species_levels", species_levels, persistent=False)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(
            self.networks.parameters(),
            lr=self.h.learning_rate,
            fused=self.h.keeps_32_bits,  # Lightning cuts no gradients of others
        )

    def training_step(self, batch: tuple[Tensor, Graph], batch_idx: int) -> dict[str, Tensor]:
        random = torch.Generator()
        random.manual_seed(seed_for(self.seed, "step", self.current_epoch, batch_idx))
        teacher_forcing = self.current_epoch < self.h.teacher_forcing_epochs
        return self.losses(batch, random, teacher_forcing)

    def validation_step(self, batch: tuple[Tensor, Graph], index: int) -> dict[str, Tensor]:
        """The validation loss is that of the coordinates, in the predicted lattice (CDVAE)."""
        random = torch.Generator().manual_seed(seed_for(self.seed, "validation", index))
        coordinates = self.losses(batch, random, teacher_forcing=False)["coordinates"]
        return {"validation": self.h.weight_coordinates * coordinates}

    def losses(
        self, batch: tuple[Tensor, Graph], random: torch.Generator, teacher_forcing: bool
    ) -> dict[str, Tensor]:
        """Weighted sum `loss` and its terms, not weighted; all noise is drawn on the CPU."""
        h, networks = self.h, self.networks
        x, bonds = batch
        n, n_atoms = x.shape[:2]
        numbers = self.numbers.expand(n, -1)
        cell = self.cell.expand(n, -1, -1)

        mean, log_variance = networks.encode(numbers.flatten(), bonds, n)
        z = mean + (0.5 * log_variance).exp() * self._normal(random, n, h.latent)
        read = networks.read(z)

        size = torch.full((n,), n_atoms, device=x.device)
        decoded = networks.scale.cell(read.lattice.detach(), size)
        used = (cell if teacher_forcing else decoded).float()
        level = sent(torch.randint(h.levels, (n,), generator=random), x.device)
        sigma = self.levels[level]
        noisy = add_noise(x, used, sigma, self._normal(random, n, n_atoms, 3))
        seen = numbers
        if h.species_denoising:
            species_level = sent(torch.randint(h.levels, (n,), generator=random), x.device)
            species_sigma = self.species_levels[species_level]
            seen = noisy_species(numbers, read.composition.detach(), species_sigma, random)
        o, logits = denoise(networks.decoder, h, z, noisy, seen, used)

        losses = {
            "coordinates": coordinate_loss(o, x, noisy, cell.float(), sigma),
            "lattice": functional.mse_loss(
                read.lattice, networks.scale.standardise(self.cell[None], n_atoms).expand(n, -1)
            ),
            "number": functional.cross_entropy(read.number, size),
            "composition": composition_loss(read.composition, numbers),
            "kl": kl_loss(mean, log_variance),
        }
        if h.species_denoising:
            losses["species"] = species_loss(logits, numbers, species_sigma)
        total = sum(getattr(h, f"weight_{name}") * loss for name, loss in losses.items())
        return {"loss": total, **losses}

    def _normal(self, random: torch.Generator, *shape: int) -> Tensor:
        return sent(torch.randn(*shape, generator=random), self.device)


def loss_names(h: Hparams) -> tuple[str, ...]:
    """Columns of the history."""
    names = ("loss", "coordinates", "lattice", "number", "composition", "kl")
    return (*names, "species") if h.species_denoising else names
