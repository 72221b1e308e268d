"""Radial and angular basis functions of CDVAE's two graph networks."""

import math

import numpy as np
import torch
from scipy.optimize import brentq
from scipy.special import spherical_jn
from torch import Tensor, nn


def legendre_harmonics(cosine: Tensor, n_spherical: int) -> Tensor:
    """Y_l0 = sqrt((2 l + 1) / 4 pi) P_l(cosine), l = 0 ... n_spherical - 1, on a last axis."""
    p = [torch.ones_like(cosine), cosine]
    for n in range(1, n_spherical - 1):  # (n + 1) P_{n+1} = (2 n + 1) x P_n - n P_{n-1}
        p.append(((2 * n + 1) * cosine * p[n] - n * p[n - 1]) / (n + 1))
    factor = [math.sqrt((2 * n + 1) / (4 * math.pi)) for n in range(n_spherical)]
    return torch.stack([f * p_n for f, p_n in zip(factor, p, strict=False)], dim=-1)


def polynomial_envelope(x: Tensor) -> Tensor:
    """1 - 21 x^5 + 35 x^6 - 15 x^7 for x < 1, else 0 (GASTEIGER 2020, p = 5)."""
    return torch.where(x < 1, 1 + x**5 * (-21 + x * (35 - 15 * x)), 0.0)


def singular_envelope(x: Tensor) -> Tensor:
    """1/x - 28 x^5 + 48 x^6 - 21 x^7 for x < 1, else 0 (DimeNet++, p = 6)."""
    return torch.where(x < 1, 1 / x + x**5 * (-28 + x * (48 - 21 * x)), 0.0)


class GaussianBasis(nn.Module):
    """Gaussians of d / cutoff, centres evenly on [0, 1], width their spacing, under an envelope."""

    def __init__(self, n_radial: int, cutoff: float):
        super().__init__()
        self.cutoff = cutoff
        self.register_buffer("centre", torch.linspace(0, 1, n_radial), persistent=False)

    def forward(self, distance: Tensor) -> Tensor:
        """Å, (E,), to (E, n_radial)."""
        x = distance[:, None] / self.cutoff
        spacing = 1 / (len(self.centre) - 1)
        gaussian = (-0.5 * ((x - self.centre) / spacing).square()).exp()
        return polynomial_envelope(x) * gaussian


class SineBasis(nn.Module):
    """u(x) sin(w_k x) of x = d / cutoff with trained w_k, from k pi on (DimeNet++)."""

    def __init__(self, n_radial: int, cutoff: float):
        super().__init__()
        self.cutoff = cutoff
        self.frequency = nn.Parameter(math.pi * torch.arange(1, n_radial + 1, dtype=torch.float32))

    def forward(self, distance: Tensor) -> Tensor:
        """Å, (E,), to (E, n_radial)."""
        x = distance[:, None] / self.cutoff
        return singular_envelope(x) * (self.frequency * x).sin()


class BesselBasis(nn.Module):
    """u(x) sqrt(2) / |j_{l+1}(z_ln)| j_l(z_ln x), z_ln the zeros of j_l (DimeNet++)."""

    def __init__(self, n_spherical: int, n_radial: int, cutoff: float):
        super().__init__()
        self.cutoff = cutoff
        zeros = bessel_zeros(n_spherical, n_radial)
        order = np.arange(n_spherical)[:, None]
        norm = math.sqrt(2) / np.abs(spherical_jn(order + 1, zeros))
        self.register_buffer("zeros", torch.from_numpy(zeros), persistent=False)
        self.register_buffer("norm", torch.from_numpy(norm), persistent=False)

    def forward(self, distance: Tensor) -> Tensor:
        """Å, (E,), to (E, n_spherical, n_radial); upward recurrence in double precision."""
        x = distance.double()[:, None] / self.cutoff
        rows = []
        for order, zeros in enumerate(self.zeros):
            y = zeros * x
            below, current = y.cos() / y, y.sin() / y  # j_{-1}, j_0
            for n in range(order):  # j_{n+1} = (2 n + 1) / y j_n - j_{n-1}
                below, current = current, (2 * n + 1) / y * current - below
            rows.append(current)
        radial = singular_envelope(x)[:, None] * self.norm * torch.stack(rows, dim=1)
        return radial.to(distance.dtype)


def bessel_zeros(n_spherical: int, n_radial: int) -> np.ndarray:
    """First n_radial zeros of the spherical Bessel functions j_0 ..., (n_spherical, n_radial).

    Zeros of j_{l+1} lie between those of j_l.
    """
    zeros = math.pi * np.arange(1, n_radial + n_spherical)
    rows = [zeros[:n_radial]]
    for order in range(1, n_spherical):
        zeros = np.array(
            [
                brentq(lambda y, n=order: spherical_jn(n, y), *ends)
                for ends in zip(zeros, zeros[1:], strict=False)
            ]
        )
        rows.append(zeros[:n_radial])
    return np.array(rows)
