"""Blocks of the U-Nets on pictures, (B, channels, height, width)."""

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, pixel_shuffle, pixel_unshuffle, silu

from dismai.models.image.layers import CrossAttention, Dropout, Gain, Gate, SelfAttention


class ResidualBlock(nn.Module):
    """Norm, SiLU, convolution, twice; the noise level scales and shifts before the second SiLU.

    Args:
        n_in, n_out: channels
        level: features of the noise level
        groups: of the group norm
        gate: whether a gate closes the block
        cross: heads, their width and channels of tokens of an attention to the level's tokens
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        level: int,
        groups: int,
        gate: bool,
        cross: tuple[int, int, int] | None = None,
    ):
        super().__init__()
        self.level = nn.Linear(level, 2 * n_out)
        self.norms = nn.ModuleList(nn.GroupNorm(groups, n) for n in (n_in, n_out))
        self.maps = nn.ModuleList(nn.Conv2d(n, n_out, 3, padding=1) for n in (n_in, n_out))
        self.cross = CrossAttention(n_out, *cross) if cross else None
        self.gate = Gate(n_out) if gate else None
        self.shortcut = nn.Conv2d(n_in, n_out, 1) if n_in != n_out else nn.Identity()

    def forward(self, x: Tensor, level: Tensor, tokens: Tensor) -> Tensor:
        h = self.maps[0](silu(self.norms[0](x)))
        if self.cross is not None:
            added = self.cross(h.flatten(2).transpose(1, 2), tokens)
            h = h + added.transpose(1, 2).unflatten(2, h.shape[2:])
        scale, shift = self.level(silu(level))[..., None, None].chunk(2, dim=1)
        h = self.maps[1](silu(self.norms[1](h) * (scale + 1) + shift))
        if self.gate is not None:
            h = h * self.gate(h)
        return h + self.shortcut(x)


class LinearAttention(nn.Module):
    """Attention whose cost grows with the number of pixels, not with its square.

    Queries are a softmax over channels, keys over positions and context tokens together.
    """

    def __init__(self, channels: int, heads: int, head_width: int, context: int, dropout: float):
        super().__init__()
        inner = heads * head_width
        self.heads, self.scale = heads, head_width**-0.5
        self.norm = Gain(channels)
        self.maps = nn.ModuleList(
            nn.Sequential(
                Dropout(dropout),
                nn.Conv2d(channels, inner, 1, bias=False),
                nn.Conv2d(inner, inner, 3, padding=1, groups=inner, bias=False),
            )
            for _ in range(3)
        )
        self.context = nn.Sequential(
            nn.LayerNorm(context), nn.Linear(context, 2 * inner, bias=False)
        )
        self.out = nn.Linear(inner, channels, bias=False)
        self.out_norm = Gain(channels)

    def forward(self, pixels: Tensor, tokens: Tensor) -> Tensor:
        """What is added to the pixels: (B, h, w, channels) to the same."""
        x = self.norm(pixels).permute(0, 3, 1, 2)
        q, k, v = (self._by_head(layer(x).flatten(2).transpose(1, 2)) for layer in self.maps)
        context_k, context_v = map(self._by_head, self.context(tokens).chunk(2, dim=-1))
        k = torch.cat([k, context_k.to(k.dtype)], dim=2).softmax(dim=2)
        v = torch.cat([v, context_v.to(v.dtype)], dim=2)
        out = (q.softmax(dim=-1) * self.scale) @ (k.transpose(2, 3) @ v)
        out = out.transpose(1, 2).flatten(2).unflatten(1, pixels.shape[1:3])
        return self.out_norm(self.out(silu(out)))

    def _by_head(self, x: Tensor) -> Tensor:
        """(B, n, heads * head_width) to (B, heads, n, head_width)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class FullAttention(SelfAttention):
    """Self-attention between the pixels of a picture, (B, h, w, channels) to the same."""

    def forward(self, pixels: Tensor, tokens: Tensor) -> Tensor:
        return super().forward(pixels.flatten(1, 2), tokens).unflatten(1, pixels.shape[1:3])


class Transformer(nn.Module):
    """An attention between pixels, then two linear maps of every pixel; both are added."""

    def __init__(self, attention: LinearAttention | FullAttention, channels: int, factor: int):
        super().__init__()
        self.attention = attention
        self.norm, self.hidden_norm = Gain(channels), Gain(factor * channels)
        self.first = nn.Linear(channels, factor * channels, bias=False)
        self.last = nn.Linear(factor * channels, channels, bias=False)

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        pixels = x.permute(0, 2, 3, 1)
        pixels = pixels + self.attention(pixels, tokens)
        pixels = pixels + self.last(self.hidden_norm(gelu(self.first(self.norm(pixels)))))
        return pixels.permute(0, 3, 1, 2)


class Stem(nn.Module):
    """Parallel 3 x 3, 7 x 7 and 15 x 15 convolutions that give 1/2, 1/4, 1/4 of the channels."""

    def __init__(self, n_in: int, n_out: int):
        super().__init__()
        widths = (n_out // 2, n_out // 4, n_out - n_out // 2 - n_out // 4)
        self.maps = nn.ModuleList(
            nn.Conv2d(n_in, width, size, padding=size // 2)
            for width, size in zip(widths, (3, 7, 15), strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([layer(x) for layer in self.maps], dim=1)


class Down(nn.Module):
    """Blocks of 2 x 2 pixels to channels, then a map of channels."""

    def __init__(self, n_in: int, n_out: int):
        super().__init__()
        self.map = nn.Conv2d(4 * n_in, n_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.map(pixel_unshuffle(x, 2))


class Up(nn.Module):
    """A map of channels and SiLU, then channels to blocks of 2 x 2 pixels."""

    def __init__(self, n_in: int, n_out: int):
        super().__init__()
        self.map = nn.Conv2d(n_in, 4 * n_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        return pixel_shuffle(silu(self.map(x)), 2)


class Widen(nn.Module):
    """The lowest level of the small picture keeps its size: a 3 x 3 and a 1 x 1 convolution."""

    def __init__(self, n_in: int, n_out: int):
        super().__init__()
        self.near, self.point = nn.Conv2d(n_in, n_out, 3, padding=1), nn.Conv2d(n_in, n_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.near(x) + self.point(x)
