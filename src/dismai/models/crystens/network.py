"""The two U-Nets: noisy picture and log-SNR to the noise in it.

After imagen-pytorch 1.26.2, which "Dismai-Bench" (Digital Discovery 2024, 3, 1889) used; without
its text parts, which are never called there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from dismai.models.crystens.blocks import (
    Down,
    FullAttention,
    LinearAttention,
    ResidualBlock,
    Stem,
    Transformer,
    Up,
    Widen,
)
from dismai.models.crystens.hparams import Attention, UNets
from dismai.models.crystens.pictures import CHANNELS
from dismai.models.image.layers import (
    SKIP_SCALE,
    Dropout,
    LevelFeatures,
    initialise,
    start_with_equal_pixels,
)

LEVEL_TOKENS = 2
MIDDLE_FEED_FORWARD = 2


@dataclass(frozen=True)
class Plan:
    """Shape of a U-Net; `conditioned` tells the one of the full picture from the small one's.

    The former sees a noisy small picture too, and halves the size before every level; the latter
    after every level but the last.
    """

    channels: int
    multipliers: tuple[int, ...]
    blocks: tuple[int, ...]
    attention: tuple[Attention, ...]
    cross_attention: tuple[bool, ...]
    conditioned: bool

    @classmethod
    def of(cls, h: UNets, stage: str) -> Plan:
        """That of stage base or sr."""
        names = ("channels", "multipliers", "blocks", "attention", "cross_attention")
        return cls(*(getattr(h, f"{stage}_{name}") for name in names), conditioned=stage == "sr")


class Level(nn.Module):
    """Residual blocks, of which all but the first have a gate, then perhaps an attention."""

    def __init__(self, widths: list[tuple[int, int]], kinds: tuple, plan: Plan, h: UNets):
        """Widths are channels before and after every block; kinds: attention, cross-attention."""
        super().__init__()
        attention, cross = kinds
        width, heads = widths[-1][1], (h.heads, h.head_width)
        block = _block(plan, h)
        tokens = (*heads, plan.channels) if cross else None
        self.blocks = nn.ModuleList([block(*widths[0], gate=False, cross=tokens)])
        self.blocks.extend(block(*pair, gate=True) for pair in widths[1:])
        self.attention = None
        if attention == "linear":
            mixing = LinearAttention(width, *heads, plan.channels, h.dropout)
            self.attention = Transformer(mixing, width, h.feed_forward)
        elif attention == "full":
            mixing = FullAttention(width, *heads, plan.channels)
            self.attention = Transformer(mixing, width, h.feed_forward)

    def after_blocks(self, x: Tensor, tokens: Tensor) -> Tensor:
        return x if self.attention is None else self.attention(x, tokens)


class UNet(nn.Module):
    """Down through the levels, a middle at the lowest size, up again with skip connections."""

    def __init__(self, plan: Plan, h: UNets, random: torch.Generator):
        super().__init__()
        n, early = plan.channels, plan.conditioned
        features = n * (8 if early else 4)
        self.level = LevelFeatures(h.frequencies, features, LEVEL_TOKENS, n)
        self.conditioning = (
            LevelFeatures(h.frequencies, features, LEVEL_TOKENS, n) if early else None
        )
        self.token_norm = nn.LayerNorm(n)
        self.stem = Stem(CHANNELS * (2 if early else 1), n)
        block = _block(plan, h)
        self.entry = block(n, n, gate=True) if early else None

        widths = [n, *(n * multiplier for multiplier in plan.multipliers)]
        self.shrink, self.down = nn.ModuleList(), nn.ModuleList()
        self.up, self.grow = nn.ModuleList(), nn.ModuleList()
        for i, (n_in, n_out) in enumerate(zip(widths, widths[1:], strict=False)):
            last = i == len(plan.multipliers) - 1
            width = n_out if early else n_in
            kinds, n_blocks = (plan.attention[i], plan.cross_attention[i]), 1 + plan.blocks[i]
            self.shrink.append(Widen(n_in, n_out) if last and not early else Down(n_in, n_out))
            self.down.append(Level([(width, width)] * n_blocks, kinds, plan, h))
            self.up.insert(0, Level([(n_out + width, n_out)] * n_blocks, kinds, plan, h))
            self.grow.insert(0, Up(n_out, n_in) if early or i else nn.Identity())
        bottom, heads = widths[-1], (h.heads, h.head_width)
        self.middle = nn.ModuleList(
            block(bottom, bottom, gate=False, cross=(*heads, n)) for _ in range(2)
        )
        self.middle_attention = Transformer(
            FullAttention(bottom, *heads), bottom, MIDDLE_FEED_FORWARD
        )
        self.final = block(n if early else widths[1], n, gate=True)
        self.out = nn.Conv2d(n + (CHANNELS if early else 0), CHANNELS, 3, padding=1)

        initialise(self, random)
        for module in self.grow:
            if isinstance(module, Up):
                start_with_equal_pixels(module.map, random)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    @property
    def compilable(self) -> bool:
        """Not where dropout draws from a generator of the host, which torch cannot trace."""
        dropouts = [one for one in self.modules() if isinstance(one, Dropout) and one.share]
        return not (self.training and dropouts)

    def forward(
        self,
        x: Tensor,
        log_snr: Tensor,
        small: Tensor | None = None,
        small_log_snr: Tensor | None = None,
    ) -> Tensor:
        """The noise in pictures.

        Args:
            x: noisy pictures, (B, 4, side, side)
            log_snr: of the noise in them, (B,)
            small: if conditioned, noisy small pictures enlarged to the same size
            small_log_snr: of the noise in these, (B,)
        """
        level, tokens = self.level(log_snr)
        if self.conditioning is not None:
            more_level, more_tokens = self.conditioning(small_log_snr)
            level, tokens = level + more_level, torch.cat([tokens, more_tokens], dim=1)
            x = torch.cat([x, small], dim=1)
        tokens = self.token_norm(tokens)
        x = self.stem(x)
        if self.entry is not None:
            x = self.entry(x, level, tokens)
        skips = []
        for stage, shrink in zip(self.down, self.shrink, strict=True):
            x = shrink(x) if self.conditioning is not None else x
            x = stage.blocks[0](x, level, tokens)
            for block in stage.blocks[1:]:
                x = block(x, level, tokens)
                skips.append(x)
            x = stage.after_blocks(x, tokens)
            skips.append(x)
            x = shrink(x) if self.conditioning is None else x
        x = self.middle[0](x, level, tokens)
        x = self.middle[1](self.middle_attention(x, tokens), level, tokens)
        for stage, grow in zip(self.up, self.grow, strict=True):
            for block in stage.blocks:
                x = block(torch.cat([x, skips.pop() * SKIP_SCALE], dim=1), level, tokens)
            x = grow(stage.after_blocks(x, tokens))
        x = self.final(x, level, tokens)
        return self.out(x if small is None else torch.cat([x, small], dim=1))


def _block(plan: Plan, h: UNets) -> partial:
    """Residual blocks of this network."""
    features = plan.channels * (8 if plan.conditioned else 4)
    return partial(ResidualBlock, level=features, groups=h.norm_groups)


class Networks(nn.Module):
    """Both U-Nets."""

    def __init__(self, h: UNets, random: torch.Generator):
        super().__init__()
        self.base = UNet(Plan.of(h, "base"), h, random)
        self.sr = UNet(Plan.of(h, "sr"), h, random)
