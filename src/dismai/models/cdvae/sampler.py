"""Generation by CDVAE: what the heads say about z, then annealed Langevin dynamics."""

from collections.abc import Callable

import torch
from torch import Tensor

from dismai.base.device import sent

Denoiser = Callable[[Tensor, Tensor, float], tuple[Tensor, Tensor | None]]
"""Fractional coordinates, (B, N, 3), atomic numbers, (B, N), and sigma, Å, to sigma times the
score, Cartesian, (B, N, 3), and logits of the species, (B, N, z_max), or None."""


def draw_composition(probabilities: Tensor, n_atoms: int, random: torch.Generator) -> Tensor:
    """Atomic numbers of n_atoms atoms in random order, (n_atoms,) (CDVAE).

    probabilities: of atomic numbers 1, 2, ..., (z_max,). Counts are rounded; what is missing is
    drawn from what rounding took off, what is too much is dropped at random.
    """
    expected = probabilities.double() * n_atoms
    counts = expected.round()
    numbers = torch.arange(1, len(counts) + 1).repeat_interleave(counts.long())
    missing = n_atoms - len(numbers)
    if missing > 0:
        rest = (expected - counts).clamp(min=0)
        drawn = torch.multinomial(rest, missing, replacement=True, generator=random)
        numbers = torch.cat([numbers, drawn + 1])
    return numbers[torch.randperm(len(numbers), generator=random)][:n_atoms]


def normal_noise(randoms: list[torch.Generator], n_atoms: int) -> Tensor:
    """Standard normal numbers, each structure's from its own stream, (B, n_atoms, 3)."""
    return torch.stack([torch.randn(n_atoms, 3, generator=random) for random in randoms])


def langevin(
    denoiser: Denoiser,
    x: Tensor,
    numbers: Tensor,
    cell: Tensor,
    levels: list[float],
    n_steps: int,
    step_size: float,
    randoms: list[torch.Generator],
) -> tuple[Tensor, Tensor]:
    """Annealed Langevin dynamics: fractional coordinates and atomic numbers at the end (CDVAE).

    At every level sigma, from the largest on, n times:

        a = step_size (sigma / sigma_end)^2
        x <- x + a o / sigma + sqrt(2 a) xi

    Args:
        denoiser: o, and logits from which species are read afresh, if it gives any
        x: fractional coordinates to start from, (B, N, 3)
        numbers: atomic numbers, (B, N)
        cell: cell vectors as rows, Å, (B, 3, 3)
        levels: sigma, Å, largest first
        n_steps: steps at every level
        step_size: e, Å^2
        randoms: streams of xi, one a structure
    """
    to_fractional = torch.linalg.inv(cell)
    for sigma in levels:
        a = step_size * (sigma / levels[-1]) ** 2
        for _ in range(n_steps):
            o, logits = denoiser(x, numbers, sigma)
            xi = sent(normal_noise(randoms, x.shape[1]), x.device).to(x.dtype)
            step = a / sigma * o + (2 * a) ** 0.5 * xi
            x = (x + step @ to_fractional) % 1.0
            if logits is not None:
                numbers = logits.argmax(-1) + 1
    return x, numbers
