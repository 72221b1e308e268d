"""Noise levels of CDVAE, what the decoder is to predict, and its losses."""

import torch
from torch import Tensor
from torch.nn import functional


def noise_levels(begin: float, end: float, n: int) -> Tensor:
    """Geometric series, largest first, (n,), float64."""
    return torch.logspace(0, 1, n, base=end / begin, dtype=torch.float64) * begin


def minimal_image(delta: Tensor, cell: Tensor) -> Tensor:
    """The shortest of all periodic images of vectors: fractional, (B, N, 3), to Å, (B, N, 3).

    27 images about the wrapped vector: exact unless a cell is strongly skewed.
    """
    images = torch.cartesian_prod(*[torch.arange(-1.0, 2.0, device=delta.device)] * 3)
    wrapped = delta - delta.round()
    vectors = (wrapped[:, :, None] + images) @ cell[:, None]  # (B, N, 27, 3)
    nearest = vectors.square().sum(-1).argmin(-1)
    return vectors.take_along_dim(nearest[..., None, None], dim=2)[:, :, 0]


def add_noise(x: Tensor, cell: Tensor, sigma: Tensor, epsilon: Tensor) -> Tensor:
    """Noisy x + sigma epsilon, fractional, wrapped; epsilon Cartesian, (B, N, 3), sigma Å, (B,)."""
    return (x + (sigma[:, None, None] * epsilon) @ torch.linalg.inv(cell)) % 1.0


def coordinate_loss(o: Tensor, true: Tensor, noisy: Tensor, cell: Tensor, sigma: Tensor) -> Tensor:
    """Mean over atoms and structures of |v / sigma - o|^2 / 2 (CDVAE).

    v is the minimal image of the vector from a noisy position to the true one, so o, (B, N, 3),
    estimates sigma times the score and points where an atom should go.
    """
    target = minimal_image(true - noisy, cell) / sigma[:, None, None]
    return 0.5 * (target - o).square().sum(-1).mean()


def kl_loss(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence of N(mean, variance) from N(0, 1), batch mean of the sum."""
    return -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(1).mean()


def composition_loss(logits: Tensor, numbers: Tensor) -> Tensor:
    """Cross-entropy per atom of a composition, (B, z_max), with atomic numbers, (B, N)."""
    n_atoms = numbers.shape[1]
    return functional.cross_entropy(logits.repeat_interleave(n_atoms, dim=0), numbers.flatten() - 1)


def noisy_species(
    numbers: Tensor, composition: Tensor, sigma: Tensor, random: torch.Generator
) -> Tensor:
    """Atomic numbers drawn with weights onehot + sigma softmax(composition), (B, N) (CDVAE)."""
    onehot = functional.one_hot(numbers - 1, composition.shape[1]).to(composition.dtype)
    weight = onehot + sigma[:, None, None] * composition.softmax(1)[:, None]
    drawn = torch.multinomial(weight.flatten(0, 1).cpu(), 1, generator=random)
    return drawn.view_as(numbers).to(numbers.device) + 1


def species_loss(logits: Tensor, numbers: Tensor, sigma: Tensor) -> Tensor:
    """Cross-entropy per atom divided by the noise of its structure: (B, N, z_max), (B, N), (B,)."""
    losses = functional.cross_entropy(logits.mT, numbers - 1, reduction="none")
    return (losses / sigma[:, None]).mean()
