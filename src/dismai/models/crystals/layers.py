"""Layers of both adversarial models: valid 3-D convolutions on 64 x 64 x 4 numbers, dense maps.

A layer is a map, a norm and an activation. The models differ in norm, activation and whether the
largest singular value of every map is kept at 1. Defaults of Keras, in which both were published:
Glorot's weights, biases of 0, eps of 1e-3 in norms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm, normalize
from torch.nn.utils.parametrizations import spectral_norm

NORM_EPS = 1e-3
ADAM_EPS = 1e-7
FEWEST = 4
LEAK = 0.2
START_SIDE, START_DEPTH = 16, 4
START = START_SIDE * START_SIDE * START_DEPTH
"""Numbers that a generator starts its convolutions from."""
SINGULAR = ("parametrizations.weight.0._u", "parametrizations.weight.0._v")
"""Buffers of a map with a spectral norm: left and right singular vectors."""
POWER_ITERATIONS = 15
"""Of a new map, as torch does; then one in every training step."""


@dataclass(frozen=True)
class Style:
    """How a network makes its layers.

    norm: channels to a norm.  leak: slope of the activation below 0.  spectral: keep the largest
    singular value of every map at 1.  random: draws the weights.
    """

    norm: Callable[[int], nn.Module]
    leak: float
    spectral: bool
    random: torch.Generator

    def map(self, made: nn.Module) -> nn.Module:
        """A new map, with its weights."""
        nn.init.xavier_uniform_(made.weight, generator=self.random)
        nn.init.zeros_(made.bias)
        if self.spectral:
            # One side of the matrix is the last one of Keras: also of a transposed map the inputs.
            spectral_norm(made, dim=0)
            _start_singular_vectors(made, self.random)
        return made

    def layer(self, made: nn.Module, n_out: int) -> nn.Sequential:
        """A map, a norm over its n_out channels, an activation."""
        return nn.Sequential(self.map(made), self.norm(n_out), nn.LeakyReLU(self.leak))

    def dense(self, widths: Sequence[int]) -> nn.Sequential:
        """Dense layers, from width to width."""
        pairs = zip(widths, widths[1:], strict=False)
        return nn.Sequential(*(self.layer(nn.Linear(a, b), b) for a, b in pairs))

    def convolutions(self, n_in: int, layers: Sequence[Layer], down: bool = True) -> nn.Sequential:
        """Convolutions one after the other; transposed ones if not `down`."""
        kind = nn.Conv3d if down else nn.ConvTranspose3d
        made = []
        for one in layers:
            made.append(self.layer(kind(n_in, one.channels, one.kernel, one.stride), one.channels))
            n_in = one.channels
        return nn.Sequential(*made)


@dataclass(frozen=True)
class Layer:
    """A convolution without padding."""

    channels: int
    kernel: tuple[int, int, int]
    stride: tuple[int, int, int] = (1, 1, 1)


@torch.no_grad()
def _start_singular_vectors(made: nn.Module, random: torch.Generator) -> None:
    """Vectors of the power method from our generator instead of that of the process."""
    u, v = (made.get_buffer(name) for name in SINGULAR)
    matrix = made.parametrizations.weight.original.flatten(1)
    v.copy_(normalize(torch.randn(v.shape, generator=random), dim=0))
    for _ in range(POWER_ITERATIONS):
        u.copy_(normalize(matrix @ v, dim=0))
        v.copy_(normalize(matrix.T @ u, dim=0))


class ChannelNorm(nn.Module):
    """Layer norm over the channels of every place, (B, channels, ...) to the same."""

    def __init__(self, channels: int):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels))
        self.shift = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        last = x.movedim(1, -1)
        return layer_norm(last, last.shape[-1:], self.gain, self.shift, NORM_EPS).movedim(-1, 1)


class Picture(nn.Module):
    """The last layer of a generator: numbers in (0, 1) from ten planes each."""

    def __init__(self, channels: int, style: Style):
        super().__init__()
        self.map = style.map(nn.Conv3d(channels, 1, (1, 1, 10), (1, 1, 10)))

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, 64, 64, 40) to pictures, (B, 4, 64, 64)."""
        with torch.autocast(x.device.type, enabled=False):  # half precision is too coarse
            picture = torch.sigmoid(self.map(x.float()))
        return picture[:, 0].movedim(-1, 1)


def keras_adam(
    network: nn.Module, learning_rate: float, betas: tuple[float, float]
) -> torch.optim.Optimizer:
    """Adam with Keras' eps."""
    return torch.optim.Adam(
        network.parameters(), lr=learning_rate, betas=betas, eps=ADAM_EPS, fused=True
    )


def volume(pictures: Tensor) -> Tensor:
    """Pictures, (B, 4, 64, 64), as volumes of one channel, (B, 1, 64, 64, 4)."""
    return pictures.movedim(1, -1)[:, None]


def as_sheet(numbers: Tensor, side: int) -> Tensor:
    """Dense numbers, (B, side^2), as what is added to all planes and channels of a volume."""
    return numbers.reshape(-1, 1, side, side, 1)


def scaled(n: int, width: float) -> int:
    """So many channels in units of the published number, at least 4.

    A layer norm over one channel gives 0 whatever it sees, over two only which one is larger.
    """
    return max(FEWEST, round(n * width))
