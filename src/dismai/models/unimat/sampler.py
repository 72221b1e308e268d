"""From noise to videos: what keeps estimates in range, and what is taken at the end."""

from collections.abc import Callable

import torch
from torch import Tensor

from dismai.models.batches import Streams
from dismai.models.image.diffusion import ancestral_sampling, dynamic_threshold
from dismai.models.unimat.hparams import Hparams


def threshold_estimate(x0: Tensor, mask: Tensor, threshold: str) -> Tensor:
    """An estimate of videos kept in [-1, 1].

    Nearly all pixels are background, so that the quantile of the dynamic threshold lies in it: the
    least overshoot of -1 divides everything, and coordinates shrink towards 0.

    Args:
        x0: estimate, (B, 3, n_atoms, side, side)
        mask: of the pixels that hold coordinates, (n_atoms, side, side)
        threshold: `all`, as published; `masked`: coordinates are cut, not divided; `off`: all are
    """
    if threshold == "all":
        return dynamic_threshold(x0)
    cut = x0.clamp(-1.0, 1.0)
    return cut if threshold == "off" else torch.where(mask, cut, dynamic_threshold(x0))


def draw_videos(
    predict: Callable[[Tensor, Tensor], Tensor], mask: Tensor, streams: Streams, h: Hparams
) -> Tensor:
    """Videos, (B, 3, n_atoms, side, side), in [-1, 1]."""
    sample, x0 = ancestral_sampling(
        predict,
        (3, *mask.shape),
        streams,
        h.steps,
        lambda estimate: threshold_estimate(estimate, mask, h.threshold),
    )
    return (x0 if h.final == "x0" else sample).clamp(-1.0, 1.0)
