"""One training step of the plain adversarial model of crystals, in Lightning's terms."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from dismai.models.adversarial import AdversarialModule
from dismai.models.crystal_gan.hparams import Hparams
from dismai.models.crystal_gan.networks import BatchNorm, Networks
from dismai.models.crystals.layers import keras_adam
from dismai.models.image.layers import draw_dropout_from


@contextmanager
def running_statistics(network: nn.Module) -> Iterator[None]:
    """Batch norms use their running statistics, and leave them as they are."""
    norms = [module for module in network.modules() if isinstance(module, BatchNorm)]
    for norm in norms:
        norm.eval()
    yield
    for norm in norms:
        norm.train()


class CrystalGANModule(AdversarialModule):
    """Discriminator on real pictures, then on drawn ones, then the generator; one step each.

    Real and drawn pictures are never in one batch, so each is normalised by its own kind; the
    generator then meets a discriminator that normalises by the running mean of both, and draws for
    the discriminator by running statistics, but for its own step by those of the batch. All that is
    as published: it comes with Keras' `predict` and `trainable = False`.
    """

    def __init__(self, networks: Networks, hparams: Hparams, seed: int):
        super().__init__(networks, hparams.latent, seed)
        self.h = hparams

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Generator, discriminator."""
        networks = (self.networks.generator, self.networks.discriminator)
        return [keras_adam(network, self.h.learning_rate, self.h.betas) for network in networks]

    def training_step(self, pictures: Tensor, batch_idx: int) -> dict[str, Tensor] | None:
        """Nothing is done on a last batch of one crystal: it has no variance.

        pictures: of training crystals, (B, 4, 64, 64).
        """
        if len(pictures) < 2:
            return None
        generator, discriminator = self.networks.generator, self.networks.discriminator
        generator_optimizer, discriminator_optimizer = self.optimizers()
        random = self.random_of_step(batch_idx)
        draw_dropout_from(discriminator, random)

        real = _cross_entropy(discriminator(pictures), 1.0)
        self.descend(discriminator_optimizer, real)

        with torch.no_grad(), running_statistics(generator):
            fake = generator(self.noise(len(pictures), random))
        drawn = _cross_entropy(discriminator(fake), 0.0)
        self.descend(discriminator_optimizer, drawn)

        with running_statistics(discriminator):
            fooled = discriminator(generator(self.noise(len(pictures), random)))
        loss = _cross_entropy(fooled, 1.0)
        self.descend(generator_optimizer, loss, of=generator.parameters())
        return {
            "discriminator_real": real.detach(),
            "discriminator_drawn": drawn.detach(),
            "generator": loss.detach(),
        }


def _cross_entropy(logits: Tensor, label: float) -> Tensor:
    """Mean binary cross-entropy of pictures that all have one label."""
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))
