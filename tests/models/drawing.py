"""A model that only draws: one number a structure."""

import torch

from dismai.base.section import Section
from dismai.base.seeds import seed_for
from dismai.models.base import GenerativeModel
from dismai.models.batches import draw_in_batches
from tests.makers import alloy_spec


class Weights(Section):
    scale: float = 1.0


class Random(GenerativeModel):
    """Draws one number a structure."""

    architecture, Hparams = "random", Weights
    fit = save = load = None

    def __init__(self, scale=1.0):
        super().__init__(alloy_spec(), Weights(scale=scale))
        self.weights = {"w": torch.tensor([scale])}
        self.drawn = []

    def sample(self, n, seed):
        def draw(indices):
            self.drawn.append(indices.start)
            random = [torch.Generator().manual_seed(seed_for(seed, i)) for i in indices]
            return {"x": torch.stack([torch.randn(1, generator=g) for g in random])}

        return draw_in_batches(self, self.weights, n, seed, 4, draw)["x"]
