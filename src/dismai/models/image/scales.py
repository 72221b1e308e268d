"""Scales of the quantities in a picture: from the training set to [0, 1], kept on its card.

They belong to the structures that a model was trained on, so they stand on the card inside the
model file; that of the dataset, made before any model, does not have them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dismai.base.card import DatasetSpec

SCALES = "picture_scales"
"""Among the statistics on the card of a model file: lowest and highest value by quantity."""


@dataclass(frozen=True)
class Scales:
    """Smallest and largest value of n quantities in the training set, float64, (n,) each.

    A quantity that is constant is 0 in the picture, and comes back as its constant.
    """

    low: Tensor
    high: Tensor

    @classmethod
    def joined(cls, *extremes: tuple[Tensor, Tensor]) -> Scales:
        """From smallest and largest values, quantity by quantity."""
        lows, highs = zip(*extremes, strict=True)
        return cls(*(torch.cat([torch.atleast_1d(v) for v in p]).double() for p in (lows, highs)))

    def __getitem__(self, chosen: slice) -> Scales:
        """Scales of some of the quantities."""
        return Scales(self.low[chosen], self.high[chosen])

    def to(self, device: torch.device) -> Scales:
        """The same for quantities on a device."""
        return Scales(self.low.to(device), self.high.to(device))

    def down(self, x: Tensor) -> Tensor:
        """To [0, 1] on the training set; quantities along the last dimension, (..., n)."""
        low, width = self.low.to(x), (self.high - self.low).to(x)
        return torch.where(width > 0, (x - low) / torch.where(width > 0, width, 1.0), 0.0)

    def up(self, y: Tensor) -> Tensor:
        """Back from [0, 1], (..., n)."""
        return y * (self.high - self.low).to(y) + self.low.to(y)

    def on_card(self, spec: DatasetSpec) -> DatasetSpec:
        """The card with these scales."""
        values = {"low": self.low.tolist(), "high": self.high.tolist()}
        return spec.model_copy(update={"statistics": {**spec.statistics, SCALES: values}})

    @classmethod
    def of_card(cls, spec: DatasetSpec) -> Scales:
        """What `on_card` put there."""
        values = spec.statistics[SCALES]
        return cls(*(torch.tensor(values[end], dtype=torch.float64) for end in ("low", "high")))
