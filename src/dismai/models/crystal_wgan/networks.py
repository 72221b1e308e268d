"""Generator and critic of the Wasserstein model of crystals.

Every map but norms has its largest singular value at 1, then a layer norm over channels and a
leaky activation (CrysTens paper, appendix B.2, and its released code).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dismai.models.crystal_wgan.hparams import Hparams
from dismai.models.crystals.layers import (
    LEAK,
    START,
    START_DEPTH,
    START_SIDE,
    ChannelNorm,
    Layer,
    Picture,
    Style,
    scaled,
    volume,
)
from dismai.models.image.layers import Dropout

FLAT, SMALL, LARGE = (1, 1, 1), (3, 3, 1), (7, 7, 1)
CRITIC = (
    *2 * [Layer(16, FLAT)],
    *4 * [Layer(16, SMALL)],  # 56 x 56 x 4
    *3 * [Layer(32, LARGE)],
    Layer(64, LARGE),  # 32 x 32 x 4
    Layer(64, (5, 5, 2), (5, 5, 1)),  # 6 x 6 x 3
    Layer(128, (2, 2, 2), (2, 2, 2)),  # 3 x 3 x 1
)
LAST_PLACES = 9
GENERATOR = (128, 128, 64, 64, 32, 32, 32, 32)
"""Channels of transposed convolutions of 3 x 3 x 3, to 32 x 32 x 20; then one that doubles."""
DOUBLED = 32


class Critic(nn.Module):
    """How real pictures look: (B, 4, 64, 64) to (B, 1)."""

    def __init__(self, h: Hparams, style: Style):
        super().__init__()
        layers = [Layer(scaled(one.channels, h.width), one.kernel, one.stride) for one in CRITIC]
        self.convolutions = style.convolutions(1, layers)
        self.dropout = Dropout(h.dropout)
        self.last = style.map(nn.Linear(LAST_PLACES * layers[-1].channels, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        x = self.convolutions(volume(pictures))
        return self.last(self.dropout(x.flatten(1)))


class Generator(nn.Module):
    """Noise, (B, latent), to pictures in (0, 1), (B, 4, 64, 64)."""

    def __init__(self, h: Hparams, style: Style):
        super().__init__()
        channels = [scaled(n, h.width) for n in GENERATOR]
        doubled = scaled(DOUBLED, h.width)
        self.dense = style.dense([h.latent, START])
        self.convolutions = style.convolutions(
            1,
            [*(Layer(n, (3, 3, 3)) for n in channels), Layer(doubled, (2, 2, 2), (2, 2, 2))],
            down=False,
        )
        self.picture = Picture(doubled, style)

    def forward(self, z: Tensor) -> Tensor:
        x = self.dense(z).reshape(-1, 1, START_SIDE, START_SIDE, START_DEPTH)
        return self.picture(self.convolutions(x))


class Networks(nn.Module):
    """Both networks."""

    def __init__(self, h: Hparams, random: torch.Generator):
        super().__init__()
        style = Style(ChannelNorm, LEAK, spectral=True, random=random)
        self.generator = Generator(h, style)
        self.critic = Critic(h, style)
