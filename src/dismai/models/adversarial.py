"""What adversarial trainings share: Wasserstein losses with gradient penalty, and their steps."""

from collections.abc import Callable, Iterable

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn

from dismai.base.device import sent
from dismai.base.seeds import seed_for


def critic_loss(
    critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, mixing: Tensor, penalty: float
) -> Tensor:
    """Wasserstein loss: mean D(fake) - mean D(real) + penalty; means over structures, outputs.

    Args:
        critic: maps tables, (B, ...), to scores, (B, n_outputs)
        real: tables of training structures, (B, ...)
        fake: tables of generated structures, without gradient, (B, ...)
        mixing: share of the real table where the penalty is taken, in [0, 1], (B,)
        penalty: weight of the gradient penalty
    """
    score_real, score_fake = critic(torch.cat([real, fake])).chunk(2)
    mixing = mixing.reshape(-1, *[1] * (real.ndim - 1))
    mixed = mixing * real + (1.0 - mixing) * fake
    return score_fake.mean() - score_real.mean() + penalty * gradient_penalty(critic, mixed)


def gradient_penalty(critic: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """mean_b (|grad_x sum_k D_k(x_b)| - 1)^2: of the sum of the outputs, not of their mean.

    So a critic whose mean enters the loss is driven to the Lipschitz constant 1 / n_outputs.
    """
    x = x.detach()
    if torch.compiler.is_compiling():  # which traces this form of the same gradient
        gradient = torch.func.grad(lambda x: critic(x).sum())(x)
    else:
        x.requires_grad_()
        (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1.0).square().mean()


class AdversarialModule(LightningModule):
    """A generator, and networks that judge it, each with an optimiser of its own.

    networks: with a `generator`.  latent: length of its noise.  seed: of all draws.
    """

    def __init__(self, networks: nn.Module, latent: int, seed: int):
        super().__init__()
        self.automatic_optimization = False
        self.networks, self.latent, self.seed = networks, latent, seed

    def random_of_step(self, batch_idx: int) -> torch.Generator:
        """Where a step draws from, whatever was done before it."""
        random = torch.Generator()
        return random.manual_seed(seed_for(self.seed, "step", self.current_epoch, batch_idx))

    def noise(self, n: int, random: torch.Generator) -> Tensor:
        """Noise of n structures, drawn on the CPU: the same on every device. (n, latent)."""
        return sent(torch.randn(n, self.latent, generator=random), self.device)

    def descend(
        self, optimizer: torch.optim.Optimizer, loss: Tensor, of: Iterable[nn.Parameter] = ()
    ) -> None:
        """One step down a loss.

        of: parameters that get a gradient; all that the loss depends on by default.
        """
        optimizer.zero_grad()
        self.manual_backward(loss, inputs=list(of) or None)
        optimizer.step()
