"""The 3D U-Net: a noisy video, (B, 3, atoms, side, side), and its log-SNR to the noise in it.

After imagen-pytorch 1.26.2, which "Dismai-Bench" (Digital Discovery 2024, 3, 1889) used; without
its text parts. There is no down-sampling along the frames: any number of atoms works.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from dismai.models.image.layers import SKIP_SCALE, LevelFeatures
from dismai.models.unimat.blocks import (
    AlongFrames,
    Down,
    JointAttention,
    PixelNorm,
    ResidualBlock,
    Spatial,
    Stem,
    Up,
    Widen,
    initialise,
)
from dismai.models.unimat.hparams import Hparams

COORDINATES = 3
TIME_TOKENS = 2


class Level(nn.Module):
    """Residual blocks, joint attention and a look along the frames, at one size."""

    def __init__(
        self,
        widths: list[tuple[int, int]],
        block: Callable[..., ResidualBlock],
        h: Hparams,
        *,
        attention: bool,
        cross: bool,
    ):
        """Widths are channels before and after every block; the first block has no gate."""
        super().__init__()
        heads = (h.heads, h.head_width)
        (first, *others), width = widths, widths[-1][1]
        tokens = (*heads, h.channels) if cross else None
        self.blocks = nn.ModuleList(
            [
                block(*first, gate=False, cross=tokens),
                *(block(*pair, gate=h.gates) for pair in others),
            ]
        )
        self.attention = (
            JointAttention(width, *heads, h.channels, h.feed_forward) if attention else None
        )
        self.frames = AlongFrames(width, *heads)

    def after_blocks(self, x: Tensor, tokens: Tensor) -> Tensor:
        if self.attention is not None:
            x = self.attention(x, tokens)
        return self.frames(x)


class UNet(nn.Module):
    """Down through the levels, a middle at the lowest size, up again with skip connections."""

    compilable = True

    def __init__(self, n_atoms: int, h: Hparams, random: torch.Generator):
        """`n_atoms` only counts for learned places."""
        super().__init__()
        norm = partial(nn.GroupNorm, h.norm_groups) if h.norm == "group" else PixelNorm
        block = partial(ResidualBlock, time=4 * h.channels, norm=norm)
        heads = (h.heads, h.head_width)
        widths = [h.channels, *(h.channels * m for m in h.multipliers)]
        self.time = LevelFeatures(h.time_frequencies, 4 * h.channels, TIME_TOKENS, h.channels)
        self.token_norm = nn.LayerNorm(h.channels)
        self.stem, self.stem_frames = Stem(COORDINATES, widths[0]), AlongFrames(widths[0], *heads)
        shape = (h.channels, n_atoms, h.side, h.side)
        self.places = nn.Parameter(torch.empty(shape)) if h.learned_places else None
        self.down, self.shrink = nn.ModuleList(), nn.ModuleList()
        self.up, self.grow = nn.ModuleList(), nn.ModuleList()
        for i, (n, n_next) in enumerate(zip(widths, widths[1:], strict=False)):
            last = i == len(h.multipliers) - 1
            kinds = {"attention": h.joint_attention[i], "cross": h.cross_attention[i]}
            self.down.append(Level([(n, n)] * (1 + h.blocks), block, h, **kinds))
            self.shrink.append(Widen(n, n_next) if last else Down(n, n_next))
            self.up.insert(0, Level([(n_next + n, n_next)] * (1 + h.blocks), block, h, **kinds))
            self.grow.insert(0, Up(n_next, n) if i else nn.Identity())
        bottom = widths[-1]
        self.middle = nn.ModuleList(
            block(bottom, bottom, gate=False, cross=(*heads, h.channels)) for _ in range(2)
        )
        self.middle_attention = JointAttention(bottom, *heads) if h.middle_attention else None
        self.middle_frames = AlongFrames(bottom, *heads)
        self.final = block(widths[1], h.channels, gate=h.gates)
        self.out = Spatial(h.channels, COORDINATES, 3)
        initialise(self, random)
        if self.places is not None:
            nn.init.normal_(self.places, generator=random)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, log_snr: Tensor) -> Tensor:
        """The noise in a video.

        Args:
            x: noisy video, (B, 3, n_atoms, side, side)
            log_snr: of the noise in it, (B,)
        """
        time, tokens = self.time(log_snr)
        tokens = self.token_norm(tokens)
        x = self.stem(x)
        if self.places is not None:
            x = x + self.places
        x = self.stem_frames(x)
        skips = []
        for level, shrink in zip(self.down, self.shrink, strict=True):
            x = level.blocks[0](x, time, tokens)
            for block in level.blocks[1:]:
                x = block(x, time, tokens)
                skips.append(x)
            x = level.after_blocks(x, tokens)
            skips.append(x)
            x = shrink(x)
        x = self.middle[0](x, time, tokens)
        if self.middle_attention is not None:
            x = self.middle_attention(x, tokens)
        x = self.middle[1](self.middle_frames(x), time, tokens)
        for level, grow in zip(self.up, self.grow, strict=True):
            for block in level.blocks:
                x = block(torch.cat([x, skips.pop() * SKIP_SCALE], dim=1), time, tokens)
            x = grow(level.after_blocks(x, tokens))
        return self.out(self.final(x, time, tokens))
