"""Noise of DiffCSP: wrapped normal on fractional coordinates, DDPM on the lattice matrix.

NeurIPS 2023, "Crystal Structure Prediction by Joint Equivariant Diffusion" (DiffCSP).
"""

import math

import numpy as np
import torch
from torch import Tensor, nn

from dismai.models.diffcsp.hparams import Hparams

N_IMAGES = 10
N_DRAWS = 10_000
QUADRATURE_POINTS = 801
QUADRATURE_REACH = 10.0
"""Standard deviations."""


def negative_score(x: Tensor, sigma: Tensor) -> Tensor:
    """Minus the score of a wrapped normal, g = - d log p(x | sigma) / dx.

        g = sum_k (x + k) w_k / sigma^2,   w_k = softmax of -(x + k)^2 / (2 sigma^2)

    with k from -10 to 10 around the nearest image. Softmax subtracts the largest exponent, so that
    no x and sigma give 0/0, as the plain quotient of sums does far from the origin.

    Args:
        x: displacement, fractional, any shape
        sigma: fractional, broadcasts against x

    Returns:
        g, 1 / fractional, shape of x
    """
    k = torch.arange(-N_IMAGES, N_IMAGES + 1, dtype=x.dtype, device=x.device)
    shifted = (x - torch.round(x))[..., None] + k  # (..., 21)
    weight = torch.softmax(-0.5 * (shifted / sigma[..., None]).square(), dim=-1)
    return (weight * shifted).sum(-1) / sigma.square()


def mean_square_score(sigma: Tensor) -> Tensor:
    """Mean n = E g(sigma eps, sigma)^2, eps normal, by quadrature; sigma and n: (n_levels,)."""
    eps = torch.linspace(
        -QUADRATURE_REACH, QUADRATURE_REACH, QUADRATURE_POINTS, dtype=torch.float64
    )
    density = torch.exp(-0.5 * eps.square())
    density /= density.sum()
    sigma = sigma.double()
    return torch.stack([negative_score(s * eps, s).square() @ density for s in sigma])


def mean_square_score_by_draws(sigma: Tensor, random: torch.Generator) -> Tensor:
    """The same by 10,000 draws a level, as in the published code; 1.4 % standard error each."""
    eps = torch.randn(N_DRAWS, generator=random, dtype=torch.float64)
    return torch.stack([negative_score(s * eps, s).square().mean() for s in sigma.double()])


def cosine_alpha_bar(n_steps: int, s: float = 0.008) -> Tensor:
    """Share of the signal left at steps 0..n_steps of DDPM with the cosine schedule, (n_steps+1,).

    Nichol and Dhariwal 2021, Eq. 17, betas clipped to [1e-4, 0.9999].
    """
    x = torch.linspace(0, n_steps, n_steps + 1, dtype=torch.float64)
    curve = torch.cos((x / n_steps + s) / (1 + s) * math.pi / 2).square()
    betas = (1 - curve[1:] / curve[:-1]).clamp(1e-4, 0.9999)
    return torch.cat([torch.ones(1, dtype=torch.float64), torch.cumprod(1 - betas, 0)])


def lattice_matrix(cell: np.ndarray) -> np.ndarray:
    """The same cell with c along z and a in the xz plane; rows are vectors, Å, (3, 3)."""
    lengths = np.linalg.norm(cell, axis=1)
    cosines = (cell @ cell.T) / np.outer(lengths, lengths)
    a, b, c = lengths
    cos_alpha, cos_beta, cos_gamma = cosines[1, 2], cosines[0, 2], cosines[0, 1]
    sin_alpha, sin_beta = np.sqrt(1 - cos_alpha**2), np.sqrt(1 - cos_beta**2)
    cos_star = np.clip((cos_alpha * cos_beta - cos_gamma) / (sin_alpha * sin_beta), -1.0, 1.0)
    sin_star = np.sqrt(1 - cos_star**2)
    return np.array(
        [
            [a * sin_beta, 0.0, a * cos_beta],
            [-b * sin_alpha * cos_star, b * sin_alpha * sin_star, b * cos_alpha],
            [0.0, 0.0, c],
        ]
    )


class NoiseSchedule(nn.Module):
    """Levels t = 0..timesteps, of which 0 has no noise.

    Buffers: sigma, fractional; root_n, the root mean square of g, 1 / fractional (1 at t = 0);
    alpha_bar of the lattice. All (timesteps + 1,). They are saved with the weights.
    """

    def __init__(self, hparams: Hparams, random: torch.Generator):
        super().__init__()
        h = hparams
        ramp = torch.linspace(
            math.log(h.sigma_begin), math.log(h.sigma_end), h.timesteps, dtype=torch.float64
        )
        levels = ramp.exp()
        if h.normaliser == "quadrature":
            n = mean_square_score(levels)
        else:
            n = mean_square_score_by_draws(levels, random)
        first = torch.zeros(1, dtype=torch.float64)
        self.register_buffer("sigma", torch.cat([first, levels]).float())
        self.register_buffer("root_n", torch.cat([first + 1, n]).sqrt().float())
        self.register_buffer("alpha_bar", cosine_alpha_bar(h.timesteps).float())

    def disturb(self, f: Tensor, t: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
        """Coordinates at level t and what the network has to predict of them.

        Args:
            f: fractional coordinates, (B, n_atoms, 3)
            t: levels, (B,)
            eps: standard normal, (B, n_atoms, 3)

        Returns:
            f_t in [0, 1), and g(sigma_t eps, sigma_t) / sqrt(n_t), which has unit variance
        """
        sigma = self.sigma[t][:, None, None]
        target = negative_score(sigma * eps, sigma) / self.root_n[t][:, None, None]
        return torch.remainder(f + sigma * eps, 1.0), target

    def disturb_lattice(self, lattice: Tensor, t: Tensor, eps: Tensor) -> Tensor:
        """The lattice matrix at level t of DDPM; all (B, 3, 3)."""
        left = self.alpha_bar[t][:, None, None]
        return left.sqrt() * lattice + (1 - left).sqrt() * eps
