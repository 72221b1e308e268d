"""Predictor-corrector sampling of DiffCSP."""

from collections.abc import Callable

import torch
from torch import Tensor

from dismai.models.batches import Streams
from dismai.models.diffcsp.hparams import Hparams
from dismai.models.diffcsp.noise import NoiseSchedule

Network = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
"""(f, t, lattice) to (coordinates, lattice), as CSPNet."""


def visited_levels(timesteps: int, steps: int) -> list[int]:
    """Levels from the highest to 1, evenly spaced; all of them if steps = timesteps."""
    if steps == 1:
        return [timesteps]
    return [round(timesteps - i * (timesteps - 1) / (steps - 1)) for i in range(steps)]


@torch.no_grad()
def predictor_corrector(
    network: Network,
    schedule: NoiseSchedule,
    lattice: Tensor,
    n_atoms: int,
    streams: Streams,
    h: Hparams,
) -> tuple[Tensor, Tensor]:
    """Structures from noise (DiffCSP, Algorithm 2).

        f uniform in the cell; L as given, or normal if it is diffused too
        for t = T..1, network output p, q = sqrt(n_t), xi normal:
            corrector   s = 0.4 sigma_t^2,  f <- f - s q p + sqrt(2 s) xi
            predictor   s = sigma_t^2 - sigma_t'^2,  f <- f - s q p + sigma_t' sqrt(s) / sigma_t xi
            wrap; no xi at the last level

    t' is the next level that is visited, and 0 after the last one. The network learns minus the
    score: updates subtract. A lattice that is diffused takes an ancestral step with the predictor.

    Args:
        network: CSPNet, or what stands for it
        schedule: noise levels
        lattice: true lattice of every structure, in the network's unit, (B, 3, 3)
        n_atoms: atoms per structure
        streams: one a structure
        h: hyperparameters

    Returns:
        fractional coordinates in [0, 1], (B, n_atoms, 3), and the lattice, (B, 3, 3)
    """
    diffused = h.cost_lattice > 0
    f = streams.uniform(n_atoms, 3)
    if diffused:
        lattice = streams.normal(3, 3)
    levels = visited_levels(h.timesteps, h.steps)
    below = [t - 1 for t in levels] if h.full_grid_noise else [*levels[1:], 0]
    for t, lower in zip(levels, below, strict=True):
        last = lower == 0
        sigma, sigma_lower, q = schedule.sigma[t], schedule.sigma[lower], schedule.root_n[t]
        time = torch.full((len(f),), t, device=f.device)

        p, _ = network(f, time, lattice)
        s = h.corrector * sigma**2
        f = f - s * q * p
        if not last:
            f = f + (2 * s).sqrt() * streams.normal(n_atoms, 3)

        p, p_lattice = network(f, time, lattice)
        s = sigma**2 - sigma_lower**2
        f = f - s * q * p
        if not last:
            f = f + sigma_lower * s.sqrt() / sigma * streams.normal(n_atoms, 3)
        f = torch.remainder(f, 1.0)

        if diffused:
            noise = streams.normal(3, 3) if not last else torch.zeros_like(lattice)
            lattice = ancestral_step(
                lattice, p_lattice, schedule.alpha_bar[t], schedule.alpha_bar[lower], noise
            )
    return f, lattice


def ancestral_step(
    x: Tensor, eps: Tensor, left: Tensor, left_lower: Tensor, noise: Tensor
) -> Tensor:
    """One step of DDPM from signal share `left` to `left_lower` (Ho et al. 2020, Algorithm 2)."""
    alpha = left / left_lower
    mean = (x - (1 - alpha) / (1 - left).sqrt() * eps) / alpha.sqrt()
    return mean + ((1 - alpha) * (1 - left_lower) / (1 - left)).sqrt() * noise
