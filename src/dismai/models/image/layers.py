"""Layers that networks on pictures and on videos use alike.

Similarities of attention are 8 times the cosine of query and key, with a learned scale per
channel. Every attention has one more key and value that are learned ("null"), so that it can
attend to nothing.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm, normalize, scaled_dot_product_attention, silu

from dismai.base.device import sent

COSINE_SCALE = 8.0
SKIP_SCALE = 2**-0.5


class Gain(nn.Module):
    """Layer norm over the last dimension with a gain and no shift, (..., n) to (..., n)."""

    def __init__(self, n: int):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(n))

    def forward(self, x: Tensor) -> Tensor:
        return layer_norm(x, x.shape[-1:], self.gain)


class Dropout(nn.Module):
    """Sets a share of all numbers to 0 in training, by the generator in `random`."""

    def __init__(self, share: float):
        super().__init__()
        self.share = share
        self.random: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.share:
            return x
        kept = drawn_above(self.share, x.shape, self.random)
        return x * sent(kept, x.device) / (1 - self.share)


def drawn_above(share: float, shape: torch.Size, random: torch.Generator | None) -> Tensor:
    """Which of so many random numbers in [0, 1) lie above a share, on the CPU.

    The numbers are multiples of 2^-16: four for one draw, and a quarter of the time of others.
    """
    n = math.prod(shape)
    bits = torch.empty(-(-n // 4), dtype=torch.int64).random_(-(2**63), None, generator=random)
    return (bits.view(torch.int16)[:n] >= round(share * 2**16) - 2**15).reshape(shape)


def draw_dropout_from(network: nn.Module, random: torch.Generator) -> None:
    """Where the next training steps of a network take their dropout from."""
    for module in network.modules():
        if isinstance(module, Dropout):
            module.random = random


class LevelFeatures(nn.Module):
    """Log-SNR to features that scale and shift, and to tokens that are attended to."""

    def __init__(self, frequencies: int, features: int, n_tokens: int, token_width: int):
        super().__init__()
        self.frequencies = nn.Parameter(torch.empty(frequencies))
        self.hidden = nn.Linear(2 * frequencies + 1, features)
        self.features = nn.Linear(features, features)
        self.tokens = nn.Linear(features, n_tokens * token_width)
        self.n_tokens = n_tokens

    def forward(self, log_snr: Tensor) -> tuple[Tensor, Tensor]:
        """(B,) to (B, features) and (B, n_tokens, token_width), not yet normalised."""
        phase = 2 * math.pi * log_snr[:, None] * self.frequencies
        waves = torch.cat([log_snr[:, None], phase.sin(), phase.cos()], dim=1)
        hidden = silu(self.hidden(waves))
        return self.features(hidden), self.tokens(hidden).unflatten(1, (self.n_tokens, -1))


class Gate(nn.Module):
    """Factor per channel in (0, 1) from a softmax-weighted mean over all pixels."""

    def __init__(self, channels: int):
        super().__init__()
        hidden = max(3, channels // 2)
        self.weight = nn.Linear(channels, 1)
        self.first, self.last = nn.Linear(channels, hidden), nn.Linear(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, ...) to (B, channels, 1, ...)."""
        pixels = x.flatten(2).transpose(1, 2)  # (B, n, channels)
        mean = (torch.softmax(self.weight(pixels), dim=1) * pixels).sum(1)
        factor = torch.sigmoid(self.last(silu(self.first(mean))))
        return factor.reshape(*factor.shape, *(1,) * (x.ndim - 2))


class SelfAttention(nn.Module):
    """Attention with many heads of queries and one of keys and values, shared by all heads.

    Args:
        width: channels of a token
        heads, head_width: of the queries
        context: channels of context tokens, appended to keys and values; 0 without
    """

    def __init__(self, width: int, heads: int, head_width: int, context: int = 0):
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
        self.out = nn.Linear(heads * head_width, width, bias=False)
        self.out_norm = Gain(width)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """What is added to the tokens: (B, n, width), (B, n_context, context) to (B, n, width)."""
        n_batch, n, _ = x.shape
        x = self.norm(x)
        parts = [self.null.flatten().expand(n_batch, 1, -1), self.key_value(x)]
        if self.context is not None:
            parts.insert(0, self.context(context))
        k, v = torch.cat([part.to(x.dtype) for part in parts], dim=1)[:, None].chunk(2, dim=-1)
        q = self.query(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        q = normalize(q, dim=-1) * self.query_scale
        k = normalize(k, dim=-1) * self.key_scale
        out = self.attend(q.to(v.dtype), k.to(v.dtype), v)
        return self.out_norm(self.out(out.transpose(1, 2).flatten(2)))

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Queries, (B, heads, n, d), and keys and values, (B, 1, 1 + n, d), to values, as q."""
        return shared_attention(q, k, v)


def shared_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """Attention of all heads to the same keys: heads are taken as more queries.

    q: (B, heads, n, d).  k, v: (B, 1, n_keys, d).  mask: what is added to similarities,
    (heads, n, n_keys).
    """
    if mask is not None:
        mask = mask.flatten(0, 1)
    queries = q.flatten(1, 2)[:, None]
    out = scaled_dot_product_attention(queries, k, v, attn_mask=mask, scale=COSINE_SCALE)
    return out.squeeze(1).unflatten(1, q.shape[1:3])


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
        pairs = self.key_value(context).unflatten(-1, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        k, v = (
            torch.cat([null.expand(len(x), self.heads, 1, -1).to(part.dtype), part], dim=2)
            for null, part in zip(self.null, pairs, strict=True)
        )
        q = normalize(q, dim=-1) * self.query_scale
        k = normalize(k, dim=-1) * self.key_scale
        out = scaled_dot_product_attention(q.to(v.dtype), k.to(v.dtype), v, scale=COSINE_SCALE)
        return self.out_norm(self.out(out.transpose(1, 2).flatten(2)))


def initialise(network: nn.Module, random: torch.Generator) -> None:
    """Draw all weights: uniform within 1 / sqrt(fan in), normal where they have no input.

    Gains stay 1. What starts as something else is set by its own network afterwards.
    """
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.Conv3d):
            bound = module.weight[0].numel() ** -0.5
            for parameter in module.parameters(recurse=False):
                nn.init.uniform_(parameter, -bound, bound, generator=random)
        elif isinstance(module, SelfAttention | CrossAttention):
            nn.init.normal_(module.null, generator=random)
        elif isinstance(module, LevelFeatures):
            nn.init.normal_(module.frequencies, generator=random)


@torch.no_grad()
def start_with_equal_pixels(layer: nn.Conv2d | nn.Conv3d, random: torch.Generator) -> None:
    """The map before a pixel shuffle: the four pixels of a block begin equal."""
    one = torch.empty_like(layer.weight[::4])
    nn.init.kaiming_uniform_(one, generator=random)
    layer.weight.copy_(one.repeat_interleave(4, dim=0))
    nn.init.zeros_(layer.bias)
