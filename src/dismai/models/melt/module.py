"""Training steps of Melt's two networks, in Lightning's terms."""

import torch
from lightning.pytorch import LightningModule
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset

from dismai.base.device import sent
from dismai.base.seeds import seed_for
from dismai.models.melt.facts import Facts
from dismai.models.melt.graph import exactly, neighbours
from dismai.models.melt.hparams import Hparams
from dismai.models.melt.naming import atoms_left, log_pool
from dismai.models.melt.network import Mover, Namer
from dismai.models.melt.noise import log_uniform, scaled_score

MARGIN_A = 0.3
"""Neighbours of the noisy places are found among those of the true ones within the cutoff and so
much more."""
CHUNK = 64
"""Structures whose neighbours are looked for together."""


class Places(Dataset):
    """Positions of a set, Å, (n, N, 3), served in batches."""

    def __init__(self, x: Tensor):
        self.x = x

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, items: list[int]) -> tuple[Tensor, ...]:
        return (self.x[items],)


class Surroundings(Places):
    """The same with the neighbours of every atom: indices, (n, N, K), and vectors, Å."""

    def __init__(self, x: Tensor, cell: Tensor, cutoff: float, most: int):
        super().__init__(x)
        found = [neighbours(part, cell, cutoff + MARGIN_A, most)[:2] for part in x.split(CHUNK)]
        self.index = torch.cat([index for index, _ in found])
        self.vectors = torch.cat([vectors for _, vectors in found])

    def __getitem__(self, items: list[int]) -> tuple[Tensor, ...]:
        return self.x[items], self.index[items], self.vectors[items]


class Scheduled(LightningModule):
    """AdamW whose rate rises, stays, and falls to zero; gradients cut to a norm.

    Subclasses give `losses(batch, random)`, a dict with `loss`.
    """

    def __init__(self, h: Hparams, rate: float, seed: int):
        super().__init__()
        self.h, self.rate, self.seed = h, rate, seed

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(
            self.parameters(),
            lr=self.rate,
            betas=(0.9, 0.99),
            weight_decay=self.h.weight_decay,
            foreach=True,
        )

    def on_train_batch_start(self, batch: tuple[Tensor, ...], batch_idx: int) -> None:
        per_epoch = self.trainer.num_training_batches
        step = self.current_epoch * per_epoch + batch_idx
        share = (step + 1) / (self.trainer.max_epochs * per_epoch)
        factor = min(1.0, (step + 1) / self.h.warm_up, (1 - share) / self.h.fall + 0.01)
        for group in self.optimizers().param_groups:
            group["lr"] = self.rate * factor

    def configure_gradient_clipping(self, optimizer, gradient_clip_val, gradient_clip_algorithm):
        """By norm: Lightning's own setting here cuts by value."""
        torch.nn.utils.clip_grad_norm_(self.parameters(), self.h.gradient_norm)

    def training_step(self, batch: tuple[Tensor, ...], batch_idx: int) -> dict[str, Tensor]:
        return self.losses(batch, self._random("step", self.current_epoch, batch_idx))

    def validation_step(self, batch: tuple[Tensor, ...], index: int) -> dict[str, Tensor]:
        """The same noise each time."""
        return {"validation": self.losses(batch, self._random("validate", index))["loss"]}

    def _random(self, *names: str | int) -> torch.Generator:
        return torch.Generator().manual_seed(seed_for(self.seed, *names))


class MoverModule(Scheduled):
    """Learns scaled scores at random noise: mean |eps - sigma grad log p|^2 / 3."""

    def __init__(
        self, mover: Mover, species: Tensor, cell: Tensor, facts: Facts, h: Hparams, seed: int
    ):
        """Species of every atom, (N,), are the same in all structures; so is the cell, (3, 3)."""
        super().__init__(h, h.learning_rate, seed)
        self.mover, self.facts = mover, facts
        self.register_buffer("species", species, persistent=False)
        self.register_buffer("cell", cell, persistent=False)

    def losses(self, batch: tuple[Tensor, ...], random: torch.Generator) -> dict[str, Tensor]:
        """Structures are turned by operations of the lattice that leave the shared density.

        Where nothing is shared a structure floats: neither noise nor target moves it as a whole.
        """
        (x,) = batch
        turns = torch.randint(len(self.facts.operations), (len(x),), generator=random)
        sigma = sent(self.noise(len(x), random), x.device)
        eps = sent(torch.randn(x.shape, generator=random), x.device)
        named = sent(torch.rand(len(x), generator=random), x.device) < 0.5
        floats = not self.mover.field.n_waves
        if floats:
            eps = eps - eps.mean(1, keepdim=True)
        with exactly(x.device):
            turned = x @ sent(self.facts.operations[turns], x.device)
            noisy = turned + sigma[:, None, None] * eps
            target = scaled_score(sigma[:, None, None] * eps, self.cell, sigma)
        if floats:
            target = target - target.mean(1, keepdim=True)
        named = named & (sigma < self.h.sigma_known * self.facts.nearest)
        if self.mover.unknown == 1:  # one species: no name tells anything
            named[:] = True
        species = torch.where(named[:, None], self.species, self.mover.unknown)
        predicted = self.mover(noisy, self.cell, species, sigma)
        return {"loss": (predicted - target).square().mean()}

    def noise(self, n: int, random: torch.Generator) -> Tensor:
        """Most of it where order forms, the rest over the whole range, Å, (n,)."""
        h, unit = self.h, self.facts.nearest
        low, high = (unit * sigma for sigma in h.sigma_order)
        ordering = log_uniform(n, low, high, random)
        whole = log_uniform(n, h.sigma_min * unit, max(self.facts.sigma_max, high), random)
        return torch.where(torch.rand(n, generator=random) < h.order_share, ordering, whole)


class NamerModule(Scheduled):
    """Learns the species of places of which some have names (any-order autoregression).

    The cross-entropy of unnamed places, mean over them, with a uniform number of them.
    """

    def __init__(self, namer: Namer, species: Tensor, facts: Facts, h: Hparams, seed: int):
        """Species of every atom, (N,), are the same in all structures."""
        super().__init__(h, h.namer_learning_rate, seed)
        self.namer, self.facts = namer, facts
        self.register_buffer("species", species, persistent=False)

    def losses(self, batch: tuple[Tensor, ...], random: torch.Generator) -> dict[str, Tensor]:
        """Places carry a little noise, as those have that a mover finds."""
        x, index, vectors = batch
        n_batch, n_atoms, _ = x.shape
        device, unit = x.device, self.facts.nearest
        low, high = (unit * sigma for sigma in self.h.namer_noise)
        sigma = low + (high - low) * torch.rand(n_batch, 1, 1, generator=random)
        eps = sent(sigma * torch.randn(x.shape, generator=random), device)
        of_others = eps.gather(1, index.flatten(1)[..., None].expand(-1, -1, 3))
        vectors = vectors + of_others.view_as(vectors) - eps[:, :, None]
        edges = self.namer.edges(index, vectors.square().sum(-1).clamp(min=1e-10).sqrt())
        n_unnamed = torch.randint(1, n_atoms + 1, (n_batch, 1), generator=random)
        rank = torch.rand(n_batch, n_atoms, generator=random).argsort(1).argsort(1)
        unnamed = sent(rank < n_unnamed, device)
        counts = torch.bincount(self.species, minlength=self.namer.n_species)
        names = torch.where(unnamed, self.namer.n_species, self.species)
        left = atoms_left(names, counts)
        logits = self.namer(x + eps, edges, names, left.float()) + log_pool(left)[:, None]
        truth = self.species.expand(n_batch, -1)
        losses = cross_entropy(logits.mT, truth, reduction="none")
        losses = torch.where(unnamed, losses, 0.0).sum(1) / sent(n_unnamed[:, 0], device)
        return {"loss": losses.mean()}
