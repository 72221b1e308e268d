"""Blocks of the 3D U-Net on videos, (B, channels, frames, height, width).

Space and time are apart: maps over the pixels of a frame, then causal maps along the frames.
"""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, pad, pixel_shuffle, pixel_unshuffle, silu

from dismai.models.image import layers
from dismai.models.image.layers import CrossAttention, Gate, SelfAttention
from dismai.models.unimat.attention import FeedForward, FrameAttention


class Spatial(nn.Conv3d):
    """Convolution over the pixels of every frame, size x size, zeros around it."""

    def __init__(self, n_in: int, n_out: int, size: int):
        super().__init__(n_in, n_out, (1, size, size), padding=(0, size // 2, size // 2))

    def forward(self, x: Tensor) -> Tensor:
        """Where every pixel sees the whole frame this is a matrix between pixels.

        The convolution would multiply zeros around the frame: 5 of 9 products at 2 x 2 pixels, 8
        of 9 at one.
        """
        height, width = x.shape[3:]
        if self.padding[1] < max(height, width) - 1:
            return super().forward(x)
        weight = self.matrix(height, width)
        return torch.einsum("oyxcvu,bcfvu->bofyx", weight, x) + self.bias[:, None, None, None]

    def matrix(self, height: int, width: int) -> Tensor:
        """Weights from pixels (v, u) to pixels (y, x), (n_out, y, x, n_in, v, u)."""
        weight, reach = self.weight[:, :, 0], self.padding[1]
        rows = [weight.narrow(2, reach - y, height) for y in range(height)]
        weight = torch.stack(rows, dim=1)  # (n_out, y, n_in, v, size)
        columns = [weight.narrow(4, reach - x, width) for x in range(width)]
        return torch.stack(columns, dim=2)


class Temporal(nn.Module):
    """Causal convolution along the frames, length 3: a frame sees itself and the two before."""

    def __init__(self, channels: int, depthwise: bool = False):
        super().__init__()
        groups = channels if depthwise else 1
        self.convolution = nn.Conv2d(channels, channels, (3, 1), groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        """One dimension of pixels: a 3D convolution is ten times as slow on a CPU."""
        return self.convolution(pad(x.flatten(3), (0, 0, 2, 0))).unflatten(3, x.shape[3:])


class PixelNorm(nn.Module):
    """Root mean square over the channels of every pixel set to a learned gain."""

    def __init__(self, channels: int):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return normalize(x, dim=1) * math.sqrt(x.shape[1]) * self.gain


class ResidualBlock(nn.Module):
    """Norm, SiLU, convolution, twice; the time scales and shifts before the second SiLU."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        time: int,
        norm: Callable[[int], nn.Module],
        gate: bool,
        cross: tuple[int, int, int] | None = None,
    ):
        """A block.

        Args:
            n_in: channels before
            n_out: channels after
            time: features of the time
            norm: makes a norm of so many channels
            gate: whether a gate closes the block
            cross: heads, their width and channels of tokens of an attention to the time tokens
        """
        super().__init__()
        self.time = nn.Linear(time, 2 * n_out)
        self.norms = nn.ModuleList(norm(n) for n in (n_in, n_out))
        self.space = nn.ModuleList(Spatial(n, n_out, 3) for n in (n_in, n_out))
        self.frames = nn.ModuleList(Temporal(n_out) for _ in range(2))
        self.cross = CrossAttention(n_out, *cross) if cross else None
        self.gate = Gate(n_out) if gate else None
        self.shortcut = Spatial(n_in, n_out, 1) if n_in != n_out else nn.Identity()

    def forward(self, x: Tensor, time: Tensor, tokens: Tensor) -> Tensor:
        h = self.frames[0](self.space[0](silu(self.norms[0](x))))
        if self.cross is not None:
            added = self.cross(h.flatten(2).transpose(1, 2), tokens)
            h = h + added.transpose(1, 2).unflatten(2, h.shape[2:])
        scale, shift = self.time(silu(time))[..., None, None, None].chunk(2, dim=1)
        h = self.norms[1](h) * (scale + 1) + shift
        h = self.frames[1](self.space[1](silu(h)))
        if self.gate is not None:
            h = h * self.gate(h)
        return h + self.shortcut(x)


class AlongFrames(nn.Module):
    """Causal: a depthwise convolution, then attention of every pixel to its earlier selves."""

    def __init__(self, channels: int, heads: int, head_width: int):
        super().__init__()
        self.position = Temporal(channels, depthwise=True)
        self.attention = FrameAttention(channels, heads, head_width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.position(x)
        n_batch, _, _, height, width = x.shape
        pixels = x.permute(0, 3, 4, 2, 1).flatten(0, 2)  # (B h w, frames, channels)
        added = self.attention(pixels).unflatten(0, (n_batch, height, width))
        return x + added.permute(0, 4, 3, 1, 2)


class JointAttention(nn.Module):
    """Attention between all pixels of all frames, not causal, and a feed-forward after it."""

    def __init__(
        self, channels: int, heads: int, head_width: int, context: int = 0, feed_forward: int = 0
    ):
        super().__init__()
        self.attention = SelfAttention(channels, heads, head_width, context)
        self.feed_forward = FeedForward(channels, feed_forward) if feed_forward else None

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        pixels = x.flatten(3).permute(0, 2, 3, 1)  # (B, frames, pixels, channels)
        joint = pixels.flatten(1, 2)
        pixels = pixels + self.attention(joint, tokens).unflatten(1, pixels.shape[1:3])
        if self.feed_forward is not None:
            pixels = pixels + self.feed_forward(pixels)
        return pixels.permute(0, 3, 1, 2).unflatten(3, x.shape[3:])


def in_frames(change: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """A map of pictures, (n, channels, h, w), applied to every frame of a video."""
    frames = change(x.transpose(1, 2).flatten(0, 1))
    return frames.unflatten(0, (x.shape[0], x.shape[2])).transpose(1, 2)


class Down(nn.Module):
    """Blocks of 2 x 2 pixels to channels, then a map of channels."""

    def __init__(self, n_in: int, n_out: int):
        super().__init__()
        self.map = Spatial(4 * n_in, n_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.map(in_frames(partial(pixel_unshuffle, downscale_factor=2), x))


class Up(nn.Module):
    """A map of channels and SiLU, then channels to blocks of 2 x 2 pixels."""

    def __init__(self, n_in: int, n_out: int):
        super().__init__()
        self.map = Spatial(n_in, 4 * n_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        return in_frames(partial(pixel_shuffle, upscale_factor=2), silu(self.map(x)))


class Widen(nn.Module):
    """The lowest level keeps its size: a 3 x 3 and a 1 x 1 convolution, added."""

    def __init__(self, n_in: int, n_out: int):
        super().__init__()
        self.near, self.point = Spatial(n_in, n_out, 3), Spatial(n_in, n_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.near(x) + self.point(x)


class Stem(nn.Module):
    """Parallel 3 x 3, 7 x 7 and 15 x 15 convolutions that give 1/2, 1/4, 1/4 of the channels."""

    def __init__(self, n_in: int, n_out: int):
        super().__init__()
        widths = (n_out // 2, n_out // 4, n_out - n_out // 2 - n_out // 4)
        self.maps = nn.ModuleList(
            Spatial(n_in, width, size) for width, size in zip(widths, (3, 7, 15), strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([layer(x) for layer in self.maps], dim=1)


def initialise(network: nn.Module, random: torch.Generator) -> None:
    """Draw all weights; what looks along the frames starts as the identity."""
    layers.initialise(network, random)
    for module in network.modules():
        if isinstance(module, FrameAttention):
            nn.init.normal_(module.null_bias, generator=random)
            nn.init.zeros_(module.out_norm.gain)
        elif isinstance(module, Temporal) and module.convolution.groups == 1:
            _start_as_identity(module.convolution)
        elif isinstance(module, Up):
            layers.start_with_equal_pixels(module.map, random)


@torch.no_grad()
def _start_as_identity(layer: nn.Conv2d) -> None:
    """The last of the three frames is the frame itself, the centre would be the one before."""
    layer.weight.zero_()
    layer.weight[:, :, -1, 0] = torch.eye(layer.out_channels)
    layer.bias.zero_()
