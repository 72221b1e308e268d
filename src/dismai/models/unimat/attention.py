"""Attention along the frames, and a feed-forward that mixes neighbouring frames."""

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, pad, silu

from dismai.models.image.layers import Gain, SelfAttention, shared_attention

GROUP = 64
"""Frames that attend together: fewer would be less work in smaller pieces."""


class DistanceBias(nn.Module):
    """A bias per head and signed distance of two frames, from a small network of that distance."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(1, width), nn.Linear(width, width)])
        self.norms = nn.ModuleList([Gain(width), Gain(width)])
        self.last = nn.Linear(width, heads)

    def forward(self, n_frames: int) -> Tensor:
        """Bias of frame i for frame j, (heads, n_frames, n_frames)."""
        weight = self.last.weight
        x = torch.arange(1 - n_frames, n_frames, device=weight.device).to(weight.dtype)[:, None]
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = silu(norm(layer(x)))
        frame = torch.arange(n_frames, device=weight.device)
        return self.last(x)[frame[:, None] - frame + n_frames - 1].permute(2, 0, 1)


class FrameAttention(SelfAttention):
    """Causal: a frame sees itself, earlier ones and the null key, biased by their distance."""

    def __init__(self, width: int, heads: int, head_width: int):
        super().__init__(width, heads, head_width)
        self.bias = DistanceBias(width, heads)
        self.null_bias = nn.Parameter(torch.empty(heads))

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Frames in groups, each with the keys up to its last frame: what is later is no work."""
        mask, n = self.mask(q.shape[2]), q.shape[2]
        groups = []
        for start in range(0, n, GROUP):
            frames, keys = slice(start, start + GROUP), min(start + GROUP, n) + 1
            seen = (part[:, :, :keys] for part in (k, v))
            groups.append(shared_attention(q[:, :, frames], *seen, mask[:, frames, :keys]))
        return torch.cat(groups, dim=2)

    def mask(self, n: int) -> Tensor:
        """What is added to the similarities of n frames, (heads, n, 1 + n)."""
        bias = self.bias(n)
        later = torch.ones(n, n, dtype=torch.bool, device=bias.device).triu(1)
        null = self.null_bias.to(bias.dtype)[:, None, None].expand(-1, n, 1)
        return torch.cat([null, bias.masked_fill(later, -torch.inf)], dim=-1)


class FeedForward(nn.Module):
    """Two linear maps per pixel; half of the hidden channels comes from the frame before."""

    def __init__(self, width: int, factor: int):
        super().__init__()
        self.norm, self.hidden_norm = Gain(width), Gain(factor * width)
        self.first = nn.Linear(width, factor * width, bias=False)
        self.last = nn.Linear(factor * width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """What is added to the pixels: (B, F, P, width) to the same."""
        same, before = gelu(self.first(self.norm(x))).chunk(2, dim=-1)
        before = pad(before, (0, 0, 0, 0, 1, -1))
        return self.last(self.hidden_norm(torch.cat([same, before], dim=-1)))
