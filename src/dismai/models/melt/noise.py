"""Noise of Melt: a normal distribution wrapped on the torus of the cell, in Å, and its score."""

import math

import torch
from torch import Tensor

from dismai.models.melt.graph import heights

MOST_BY_IMAGES = 0.4
"""Noise, in units of the lowest height of the cell, up to which 27 images give the score to 1 %."""
NEGLIGIBLE = 1e-5
"""Amplitude of waves of the wrapped normal that are left out."""


def scaled_score(delta: Tensor, cell: Tensor, sigma: Tensor) -> Tensor:
    """What the mover learns: sigma grad log p of a wrapped normal, which has about unit variance.

        p(delta) = sum_S exp(-|delta + S|^2 / 2 sigma^2)               over lattice vectors S
                 ~ sum_q exp(-q^2 sigma^2 / 2) cos(q delta)            over reciprocal vectors q

    the first where the noise is narrow, the second where it is wide (Poisson's summation).

    Args:
        delta: noisy less true positions, Å, (B, N, 3)
        cell: vectors as rows, Å, (3, 3)
        sigma: Å, (B,)

    Returns:
        (B, N, 3), without unit
    """
    wide = sigma > MOST_BY_IMAGES * heights(cell).min()
    target = torch.empty_like(delta)
    if not wide.all():
        target[~wide] = _by_images(delta[~wide], cell, sigma[~wide])
    if wide.any():
        target[wide] = _by_waves(delta[wide], cell, sigma[wide])
    return target


def _by_images(delta: Tensor, cell: Tensor, sigma: Tensor) -> Tensor:
    """The sum over the nearest image and the 26 around it."""
    f = delta @ torch.linalg.inv(cell)
    steps = torch.arange(-1, 2, device=delta.device)
    images = torch.cartesian_prod(steps, steps, steps).to(delta) @ cell  # (27, 3)
    shifted = ((f - f.round()) @ cell)[..., None, :] + images  # (B, N, 27, 3)
    sigma = sigma[:, None, None]
    weight = torch.softmax(-0.5 * shifted.square().sum(-1) / sigma**2, dim=-1)
    return -(weight[..., None] * shifted).sum(-2) / sigma


def _by_waves(delta: Tensor, cell: Tensor, sigma: Tensor) -> Tensor:
    """The sum over waves that the narrowest of these noises leaves."""
    lowest = float(sigma.min())
    q = reciprocal_half(cell, math.sqrt(-2 * math.log(NEGLIGIBLE)) / lowest)
    phase = delta @ q.T  # (B, N, n_waves)
    amplitude = 2 * torch.exp(-0.5 * q.square().sum(-1) * sigma[:, None, None] ** 2)
    density = 1 + (amplitude * phase.cos()).sum(-1, keepdim=True)
    return -sigma[:, None, None] * (amplitude * phase.sin()) @ q / density


def reciprocal_half(cell: Tensor, longest: float) -> Tensor:
    """Reciprocal vectors up to a length, one of q and -q, without 0, 1/Å, (n, 3)."""
    basis = 2 * math.pi * torch.linalg.inv(cell).T
    reach = [int(longest / (2 * math.pi) * float(vector.norm())) + 1 for vector in cell]
    steps = torch.cartesian_prod(
        *(torch.arange(-m, m + 1, device=cell.device) for m in reach)
    )  # (n, 3)
    sign = steps[:, 0].sign() * 4 + steps[:, 1].sign() * 2 + steps[:, 2].sign()
    q = steps[sign > 0].to(cell) @ basis
    return q[q.norm(dim=-1) <= longest]


def log_uniform(n: int, low: float, high: float, random: torch.Generator) -> Tensor:
    """Numbers between low and high, evenly distributed in their logarithm, (n,)."""
    u = torch.rand(n, generator=random)
    return torch.exp(math.log(low) + u * math.log(high / low))
