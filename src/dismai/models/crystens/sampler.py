"""From noise to pictures: the small picture first, then the full one that is told of it."""

import torch
from torch import Tensor

from dismai.models.batches import Streams
from dismai.models.crystens.hparams import Stages
from dismai.models.crystens.network import Networks
from dismai.models.crystens.pictures import CHANNELS, Resize
from dismai.models.image.diffusion import add_noise, ancestral_sampling, linear_log_snr


def to_network(picture: Tensor) -> Tensor:
    """From [0, 1] to [-1, 1]."""
    return 2 * picture - 1


def to_picture(x: Tensor) -> Tensor:
    """From [-1, 1], cut to it, to [0, 1]."""
    return (x.clamp(-1, 1) + 1) / 2


@torch.no_grad()
def draw_pictures(networks: Networks, resize: Resize, streams: Streams, h: Stages) -> Tensor:
    """Full pictures in [0, 1], (B, 4, S, S).

    small picture from noise; cut, enlarged and noised at a fixed time; full picture from noise,
    given that.
    """
    small_shape = (CHANNELS, len(resize.down), len(resize.down))
    shape = (CHANNELS, len(resize.up), len(resize.up))
    small, _ = ancestral_sampling(networks.base, small_shape, streams, h.steps)
    level = linear_log_snr(torch.full((len(small),), h.conditioning_time, device=small.device))
    shown = add_noise(resize.enlarge(small.clamp(-1, 1)), level, streams.normal(*shape))
    full, _ = ancestral_sampling(
        lambda x, log_snr: networks.sr(x, log_snr, shown, level), shape, streams, h.steps
    )
    return to_picture(full)
