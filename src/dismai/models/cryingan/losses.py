"""Wasserstein losses with gradient penalty (CryinGAN)."""

from collections.abc import Callable

import torch
from torch import Tensor


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
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1.0).square().mean()
