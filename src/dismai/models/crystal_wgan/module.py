"""One training step of the Wasserstein model of crystals, in Lightning's terms."""

import torch
from torch import Tensor

from dismai.base.device import sent
from dismai.models.adversarial import AdversarialModule, critic_loss
from dismai.models.crystal_wgan.hparams import Hparams
from dismai.models.crystal_wgan.networks import Networks
from dismai.models.crystals.layers import keras_adam
from dismai.models.image.layers import draw_dropout_from


class CrystalWGANModule(AdversarialModule):
    """A critic step on every batch, a generator step after every few of them."""

    def __init__(self, networks: Networks, hparams: Hparams, seed: int):
        super().__init__(networks, hparams.latent, seed)
        self.h = hparams

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Generator, critic."""
        networks = (self.networks.generator, self.networks.critic)
        return [keras_adam(network, self.h.learning_rate, self.h.betas) for network in networks]

    def training_step(self, pictures: Tensor, batch_idx: int) -> dict[str, Tensor]:
        """pictures: of training crystals, (B, 4, 64, 64)."""
        generator, critic = self.networks.generator, self.networks.critic
        generator_optimizer, critic_optimizer = self.optimizers()
        random = self.random_of_step(batch_idx)
        draw_dropout_from(critic, random)

        with torch.no_grad():
            fake = generator(self.noise(len(pictures), random))
        mixing = sent(torch.rand(len(pictures), generator=random), self.device)
        loss = critic_loss(critic, pictures, fake, mixing, self.h.penalty)
        self.descend(critic_optimizer, loss)
        losses = {"critic": loss.detach()}

        done = self.current_epoch * self.trainer.num_training_batches + batch_idx + 1
        if done % self.h.generator_every == 0:
            loss = -critic(generator(self.noise(len(pictures), random))).mean()
            self.descend(generator_optimizer, loss, of=generator.parameters())
            losses["generator"] = loss.detach()
        return losses
