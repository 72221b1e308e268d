"""One training step of CryinGAN, in Lightning's terms."""

import logging
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from dismai.base.device import sent
from dismai.models.adversarial import AdversarialModule, critic_loss
from dismai.models.cryingan.distances import nearest_distances
from dismai.models.cryingan.hparams import Hparams
from dismai.models.cryingan.networks import Networks

logger = logging.getLogger(__name__)


class TranslatedTables(Dataset):
    """Coordinate and distance tables of the training set and of all its translated copies.

    Item i is structure i // n_copies under translation i % n_copies, computed when asked for;
    distances are the same in all copies.
    """

    def __init__(self, x: Tensor, distances: Tensor, translations: Tensor):
        self.x, self.distances, self.translations = x, distances, translations

    def __len__(self) -> int:
        return len(self.x) * len(self.translations)

    def __getitem__(self, items: list[int]) -> tuple[Tensor, Tensor]:
        index = torch.tensor(items)
        structure = index // len(self.translations)
        translation = self.translations[index % len(self.translations)]
        x = torch.remainder(self.x[structure] + translation[:, None], 1.0)
        return x[:, None], self.distances[structure][:, None]  # (B, 1, n_atoms, 3 or k)


def lattice_translations(supercell: Sequence[int]) -> Tensor:
    """All translations by whole conventional cells, fractional, (prod(supercell), 3); 0 first."""
    steps = torch.cartesian_prod(*(torch.arange(n) for n in supercell)).reshape(-1, 3)
    return steps / torch.tensor(supercell)


class CriticLoss(nn.Module):
    """The loss of a critic, which can be compiled as a whole: the gradient in it, too.

    compilable: not where a critic searches neighbours, whose number only the device knows.
    """

    def __init__(self, critic: nn.Module, penalty: float, compilable: bool):
        super().__init__()
        self.critics = (critic,)  # in a tuple: its weights belong to the networks
        self.penalty, self.compilable = penalty, compilable

    def forward(self, real: Tensor, fake: Tensor, mixing: Tensor) -> Tensor:
        (critic,) = self.critics
        return critic_loss(critic, real, fake, mixing, self.penalty)


class CryinGANModule(AdversarialModule):
    """Adversarial training: critics every step, the generator every few (CryinGAN)."""

    def __init__(self, networks: Networks, cell: Tensor, hparams: Hparams, seed: int):
        super().__init__(networks, hparams.latent, seed)
        self.register_buffer("cell", cell, persistent=False)  # rows, Å, (3, 3)
        self.h = hparams
        self.losses = nn.ModuleDict(
            {
                kind: CriticLoss(critic, hparams.penalty, compilable=kind != "graph")
                for kind, critic in networks.critics.items()
            }
        )

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Generator first, then the critics in their order."""
        networks = [self.networks.generator, *self.networks.critics.values()]
        return [
            torch.optim.Adam(
                network.parameters(), lr=self.h.learning_rate, betas=self.h.betas, fused=True
            )
            for network in networks
        ]

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> dict[str, Tensor]:
        x, distances = batch
        random = self.random_of_step(batch_idx)
        generator_optimizer, *critic_optimizers = self.optimizers()
        losses = {}

        with torch.no_grad():
            fake = self.views(self.networks.generator(self.noise(len(x), random)))
        real = self.views(x, distances)
        for (kind, loss_of), optimizer in zip(self.losses.items(), critic_optimizers, strict=True):
            mixing = sent(torch.rand(len(x), generator=random), x.device)
            loss = loss_of(real[kind], fake[kind], mixing)
            if kind == "graph" and not torch.isfinite(loss):
                return self.diverged(batch_idx)
            self.descend(optimizer, self.weight(kind) * loss)
            losses[f"critic_{kind}"] = loss.detach().clone()  # a CUDA graph writes over its own

        if batch_idx % self.h.generator_every == 0:
            fake = self.views(self.networks.generator(self.noise(len(x), random)))
            loss = self.generator_loss(fake)
            # Gradients of the generator only: the critics are fixed here.
            self.descend(generator_optimizer, loss, of=self.networks.generator.parameters())
            losses["generator"] = loss.detach()
        return losses

    def diverged(self, batch_idx: int) -> dict[str, Tensor]:
        """End a training whose losses are no numbers any more, with the weights before that step.

        That graph critics diverge is what the paper reports of them, and so a result.
        """
        logger.warning(
            "epoch %d, step %d: the loss of the critic is not finite: the training ends here",
            self.current_epoch,
            batch_idx,
        )
        self.trainer.should_stop = True
        return {}

    def generator_loss(self, fake: dict[str, Tensor]) -> Tensor:
        """Weighted sum over the critics of - mean D(fake)."""
        scores = {kind: critic(fake[kind]) for kind, critic in self.networks.critics.items()}
        return sum(-self.weight(kind) * score.mean() for kind, score in scores.items())

    def weight(self, kind: str) -> float:
        """Weight of a critic in all losses."""
        return self.h.lambda_distance if kind == "distances" else 1.0

    def views(self, x: Tensor, distances: Tensor | None = None) -> dict[str, Tensor]:
        """The table each critic sees, made from fractional coordinates, (B, 1, n_atoms, 3)."""
        kinds = self.networks.critics.keys()
        if distances is None and kinds & {"distances", "combined"}:
            distances = nearest_distances(x[:, 0], self.cell, self.h.neighbours)[:, None]
        tables = {"coordinates": x, "graph": x, "distances": distances}
        if "combined" in kinds:
            tables["combined"] = torch.cat([x, distances], dim=-1)
        return {kind: tables[kind] for kind in kinds}
