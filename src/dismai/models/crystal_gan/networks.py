"""Generator and discriminator of the plain adversarial model of crystals.

Each has a branch of convolutions and a branch of dense layers, whose numbers are added to all
planes and channels of the former where the sides agree. A batch norm follows every map but the
last (CrysTens paper, appendix B.1, and its released code).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dismai.models.crystal_gan.hparams import Hparams
from dismai.models.crystals.layers import (
    LEAK,
    NORM_EPS,
    START,
    START_DEPTH,
    START_SIDE,
    Layer,
    Picture,
    Style,
    as_sheet,
    scaled,
    volume,
)
from dismai.models.crystals.pictures import CHANNELS, SIDE
from dismai.models.image.layers import Dropout

MOMENTUM = 0.01
"""Share of a new batch in running statistics; Keras counts the rest, 0.99."""
SMALL, LARGE, CUBE = (3, 3, 1), (7, 7, 1), (3, 3, 3)
DOWN = (
    Layer(32, (1, 1, 1)),
    *3 * [Layer(32, SMALL)],
    Layer(64, SMALL),  # 56 x 56 x 4
    *4 * [Layer(64, LARGE)],  # 32 x 32 x 4
)
LAST_DOWN = (Layer(128, (5, 5, 2), (5, 5, 1)), Layer(256, (2, 2, 2), (2, 2, 2)))  # to 3 x 3 x 1
MIDDLE_SIDE, LAST_SIDE = 32, 3
HIDDEN = 1024
UP = ((256, 128, 128), (128, 64, 64), (64, 64))
"""Channels of transposed convolutions between the sheets of the dense branch."""
DOUBLED = 32
SHEETS = ((22, 1), (28, 2), (32, 1))
"""Side of a sheet after these, and hidden dense layers of as many numbers before it."""


class Discriminator(nn.Module):
    """Logit of being real: pictures, (B, 4, 64, 64), to (B, 1)."""

    def __init__(self, h: Hparams, style: Style):
        super().__init__()
        hidden, middle = scaled(HIDDEN, h.width), MIDDLE_SIDE**2
        down, last = (
            [Layer(scaled(one.channels, h.width), one.kernel, one.stride) for one in layers]
            for layers in (DOWN, LAST_DOWN)
        )
        self.dense = style.dense([CHANNELS * SIDE**2, hidden, hidden, hidden, middle])
        self.down = style.convolutions(1, down)
        self.last_dense = style.dense([middle, LAST_SIDE**2])
        self.last_down = style.convolutions(down[-1].channels, last)
        self.dropout = Dropout(h.dropout)
        self.last = style.map(nn.Linear(LAST_SIDE**2 * last[-1].channels, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        y = self.dense(pictures.flatten(1))
        x = self.down(volume(pictures)) + as_sheet(y, MIDDLE_SIDE)
        x = self.last_down(x) + as_sheet(self.last_dense(y), LAST_SIDE)
        return self.last(self.dropout(x.flatten(1)))


class Generator(nn.Module):
    """Noise, (B, latent), to pictures in (0, 1), (B, 4, 64, 64)."""

    def __init__(self, h: Hparams, style: Style):
        super().__init__()
        self.start = style.dense([h.latent, START])
        self.dense, self.up = nn.ModuleList(), nn.ModuleList()
        n_in, width = 1, h.latent
        for channels, (side, n_hidden) in zip(UP, SHEETS, strict=True):
            layers = [Layer(scaled(n, h.width), CUBE) for n in channels]
            self.up.append(style.convolutions(n_in, layers, down=False))
            hidden = scaled(side**2, h.width)
            self.dense.append(style.dense([width, *n_hidden * [hidden], side**2]))
            n_in, width = layers[-1].channels, side**2
        doubled = scaled(DOUBLED, h.width)
        twice = Layer(doubled, (2, 2, 2), (2, 2, 2))
        self.up.append(style.convolutions(n_in, [twice], down=False))
        self.dense.append(style.dense([width, SIDE**2]))
        self.picture = Picture(doubled, style)

    def forward(self, z: Tensor) -> Tensor:
        x, y = self.start(z).reshape(-1, 1, START_SIDE, START_SIDE, START_DEPTH), z
        for up, dense, side in zip(self.up, self.dense, (22, 28, 32, SIDE), strict=True):
            y = dense(y)
            x = up(x) + as_sheet(y, side)
        return self.picture(x)


class Networks(nn.Module):
    """Both networks."""

    def __init__(self, h: Hparams, random: torch.Generator):
        super().__init__()
        self.generator = Generator(h, Style(BatchNorm, 0.0, spectral=False, random=random))
        self.discriminator = Discriminator(h, Style(BatchNorm, LEAK, spectral=False, random=random))


class BatchNorm(nn.BatchNorm1d):
    """Over the batch and all places of a channel, (B, channels, ...), with Keras' defaults."""

    def __init__(self, channels: int):
        super().__init__(channels, eps=NORM_EPS, momentum=MOMENTUM)

    def _check_input_dim(self, x: Tensor) -> None:
        """Of any number of dimensions."""
