"""Gaussian diffusion in continuous time t, from 0 (picture) to 1 (noise), told by its log-SNR l.

    x_t = alpha x_0 + sigma eps,   alpha^2 = sigmoid(l),   sigma^2 = sigmoid(-l)

The network predicts eps. All values of pictures are meant to lie in [-1, 1].
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from dismai.models.batches import Streams

SMALLEST_COSINE = 4.37e-8
"""What single precision gives for the cosine at t = 1, so that the log-SNR ends at -34."""
SMALLEST_ALPHA = 1e-8
EMA_START = 100
EMA_EVERY = 10
MOST_SORTED = 1 << 24
"""Numbers that `torch.quantile` takes at one time."""


def cosine_log_snr(t: Tensor) -> Tensor:
    """-ln(max(cos^-2(((t + 0.008) / 1.008) pi / 2) - 1, 1e-5)) (Nichol and Dhariwal 2021)."""
    cosine = torch.cos((t.double() + 0.008) / 1.008 * math.pi / 2).clamp(min=SMALLEST_COSINE)
    return -(cosine**-2 - 1).clamp(min=1e-5).log().to(t.dtype)


def linear_log_snr(t: Tensor) -> Tensor:
    """-ln(exp(1e-4 + 10 t^2) - 1): of betas that grow with t."""
    return -torch.expm1(1e-4 + 10 * t.double() ** 2).log().to(t.dtype)


def alpha_sigma(log_snr: Tensor) -> tuple[Tensor, Tensor]:
    """Shares of signal and noise; their squares add up to 1."""
    return torch.sigmoid(log_snr).sqrt(), torch.sigmoid(-log_snr).sqrt()


def min_snr_weight(log_snr: Tensor, cap: float) -> Tensor:
    """min(SNR, cap) / SNR, the weight of an error of eps (Hang et al. 2023, arXiv:2303.09556)."""
    return (cap * torch.exp(-log_snr)).clamp(max=1.0)


def add_noise(x: Tensor, log_snr: Tensor, eps: Tensor) -> Tensor:
    """Pictures at a noise level each: x, eps (B, ...), log_snr (B,)."""
    alpha, sigma = alpha_sigma(log_snr.reshape(-1, *(1,) * (x.ndim - 1)))
    return alpha * x + sigma * eps


def weighted_error(predicted: Tensor, eps: Tensor, log_snr: Tensor, cap: float) -> Tensor:
    """Mean over the batch of the weighted mean square error of each picture, (B, ...) to ()."""
    error = (predicted - eps).square().flatten(1).mean(1)
    return (min_snr_weight(log_snr, cap) * error).mean()


def dynamic_threshold(x0: Tensor, share: float = 0.95) -> Tensor:
    """Cut every picture at s, then divide it by s (Saharia et al. 2022, arXiv:2205.11487).

    s is the quantile of |x0| for this share of the pixels, at least 1.
    """
    parts = x0.abs().flatten(1).split(max(1, MOST_SORTED // x0[0].numel()))
    s = torch.cat([torch.quantile(part, share, dim=1) for part in parts]).clamp(min=1.0)
    s = s.reshape(-1, *(1,) * (x0.ndim - 1))
    return x0.clamp(-s, s) / s


@torch.no_grad()
def ancestral_sampling(
    predict: Callable[[Tensor, Tensor], Tensor],
    shape: tuple[int, ...],
    streams: Streams,
    steps: int,
    limit: Callable[[Tensor], Tensor] = dynamic_threshold,
) -> tuple[Tensor, Tensor]:
    """Pictures from noise in equal steps of t from 1 to 0 (DDPM in continuous time).

        x0 = limit((x - sigma eps) / alpha),   c = 1 - exp(l_t - l_t')
        x <- alpha' ((1 - c) x / alpha + c x0) + sigma' sqrt(c) xi,   no xi in the last step

    The last sample keeps some noise: the cosine schedule ends at sigma = 0.0125, and even the true
    eps leaves 0.0055 (root mean square, 100 steps). The last x0 has none of it.

    Args:
        predict: noisy pictures, (B, *shape), and their log-SNR, (B,), to eps, (B, *shape)
        shape: of a picture
        streams: random numbers of every picture
        steps: network calls
        limit: keeps the estimate of the pictures in range

    Returns:
        the last sample and the last x0, (B, *shape); neither is cut to [-1, 1]
    """
    x = x0 = streams.normal(*shape)
    levels = cosine_log_snr(torch.linspace(1, 0, steps + 1, dtype=torch.float64))
    alphas, sigmas = (values.tolist() for values in alpha_sigma(levels))
    for i in range(steps):
        alpha, sigma = max(alphas[i], SMALLEST_ALPHA), sigmas[i]
        eps = predict(x, torch.full((len(x),), levels[i].item(), device=x.device))
        x0 = limit((x - sigma * eps) / alpha)
        kept = torch.exp(levels[i] - levels[i + 1]).item()  # 1 - c
        x = alphas[i + 1] * (kept / alpha * x + (1 - kept) * x0)
        if i < steps - 1:
            x = x + sigmas[i + 1] * math.sqrt(1 - kept) * streams.normal(*shape)
    return x, x0


def ema_decay(step: int, most: float) -> float:
    """Decay of the moving average of weights at a step: 0 up to step 100, then up to `most`."""
    if step <= EMA_START:
        return 0.0
    return min(1.0 - (step - EMA_START) ** (-2 / 3), most)
