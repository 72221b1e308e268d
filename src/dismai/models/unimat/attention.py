"""Attention of the 3D U-Net: between all pixels of all frames, along the frames, to the time.

Similarities are 8 times the cosine of query and key, with a learned scale per channel. Every
attention has one more key and value that are learned ("null"), so that it can attend to nothing.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, pad, scaled_dot_product_attention, silu

COSINE_SCALE = 8.0


class Gain(nn.Module):
    """Layer norm over the last dimension with a gain and no shift, (..., n) to (..., n)."""

    def __init__(self, n: int):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(n))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.layer_norm(x, x.shape[-1:], self.gain)


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


class SelfAttention(nn.Module):
    """Attention with many heads of queries and one of keys and values, shared by all heads.

    Args:
        width: channels of a token
        heads, head_width: of the queries
        context: channels of context tokens, appended to keys and values; 0 without
        causal: a token sees itself, earlier ones and the null key, by a learned bias of distance
    """

    def __init__(
        self, width: int, heads: int, head_width: int, context: int = 0, causal: bool = False
    ):
        super().__init__()
        self.heads = heads
        self.norm = Gain(width)
        self.query = nn.Linear(width, heads * head_width, bias=False)
        self.key_value = nn.Linear(width, 2 * head_width, bias=False)
        self.null = nn.Parameter(torch.empty(2, head_width))
        self.query_scale = nn.Parameter(torch.ones(head_width))
        self.key_scale = nn.Parameter(torch.ones(head_width))
        self.context = (
            nn.Sequential(nn.LayerNorm(context), nn.Linear(context, 2 * head_width))
            if context
            else None
        )
        self.bias = DistanceBias(width, heads) if causal else None
        self.null_bias = nn.Parameter(torch.empty(heads)) if causal else None
        self.out = nn.Linear(heads * head_width, width, bias=False)
        self.out_norm = Gain(width)
        if causal:  # starts as the identity
            nn.init.zeros_(self.out_norm.gain)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """What is added to the tokens: (B, n, width), (B, n_context, context) to (B, n, width)."""
        n_batch, n, _ = x.shape
        x = self.norm(x)
        parts = [self.null.flatten().expand(n_batch, 1, -1), self.key_value(x)]
        if self.context is not None:
            parts.insert(0, self.context(context))
        k, v = torch.cat([part.to(x.dtype) for part in parts], dim=1)[:, None].chunk(2, dim=-1)
        q = self.query(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        # Keys are the same for all heads: heads are taken as more queries.
        q = normalize(q, dim=-1).flatten(1, 2)[:, None] * self.query_scale
        k = normalize(k, dim=-1) * self.key_scale
        out = scaled_dot_product_attention(
            *(q.to(v.dtype), k.to(v.dtype), v), attn_mask=self._mask(n), scale=COSINE_SCALE
        )
        out = out.unflatten(2, (self.heads, n)).squeeze(1).transpose(1, 2).flatten(2)
        return self.out_norm(self.out(out))

    def _mask(self, n: int) -> Tensor | None:
        """Bias of a causal attention, -inf for later frames, (heads * n, 1 + n)."""
        if self.bias is None:
            return None
        bias = self.bias(n)
        later = torch.ones(n, n, dtype=torch.bool, device=bias.device).triu(1)
        null = self.null_bias.to(bias.dtype)[:, None, None].expand(-1, n, 1)
        return torch.cat([null, bias.masked_fill(later, -torch.inf)], dim=-1).flatten(0, 1)


class CrossAttention(nn.Module):
    """Attention of all tokens to context tokens, with keys and values per head."""

    def __init__(self, width: int, heads: int, head_width: int, context: int):
        super().__init__()
        self.heads = heads
        self.norm = Gain(width)
        self.query = nn.Linear(width, heads * head_width, bias=False)
        self.key_value = nn.Linear(context, 2 * heads * head_width, bias=False)
        self.null = nn.Parameter(torch.empty(2, head_width))
        self.query_scale = nn.Parameter(torch.ones(head_width))
        self.key_scale = nn.Parameter(torch.ones(head_width))
        self.out = nn.Linear(heads * head_width, width, bias=False)
        self.out_norm = Gain(width)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """What is added to the tokens: (B, n, width), (B, n_context, context) to (B, n, width)."""
        q = self.query(self.norm(x)).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        k, v = (
            torch.cat([null.expand(len(x), self.heads, 1, -1).to(part.dtype), part], dim=2)
            for null, part in zip(
                self.null,
                self.key_value(context).unflatten(-1, (2, self.heads, -1)).permute(2, 0, 3, 1, 4),
                strict=True,
            )
        )
        q = normalize(q, dim=-1) * self.query_scale
        k = normalize(k, dim=-1) * self.key_scale
        out = scaled_dot_product_attention(
            *(q.to(v.dtype), k.to(v.dtype), v), scale=COSINE_SCALE
        )
        return self.out_norm(self.out(out.transpose(1, 2).flatten(2)))


class FeedForward(nn.Module):
    """Two linear maps per pixel; half of the hidden channels comes from the frame before."""

    def __init__(self, width: int, factor: int):
        super().__init__()
        self.norm, self.hidden_norm = Gain(width), Gain(factor * width)
        self.first = nn.Linear(width, factor * width, bias=False)
        self.last = nn.Linear(factor * width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """What is added to the pixels: (B, F, P, width) to the same."""
        same, before = nn.functional.gelu(self.first(self.norm(x))).chunk(2, dim=-1)
        before = pad(before, (0, 0, 0, 0, 1, -1))
        return self.last(self.hidden_norm(torch.cat([same, before], dim=-1)))
