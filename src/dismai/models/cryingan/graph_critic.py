"""A critic of graph convolutions: CGCNN over the nearest neighbours of every atom.

The Dismai-Bench paper tried one, with the default settings of CGCNN, and reports that its losses
diverged; it is here for that study alone.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from dismai.models.cryingan.distances import distances_to, nearest_neighbours
from dismai.properties.cgcnn.files import element_features
from dismai.properties.cgcnn.graph import N_NEIGHBOURS
from dismai.properties.cgcnn.network import (
    N_ELEMENT_FEATURES,
    N_GAUSSIANS,
    Convolution,
    bond_features,
)

WIDTH, N_CONVOLUTIONS, HIDDEN = 64, 3, 128
"""Defaults of the published code of CGCNN: features of an atom, convolutions, hidden layer."""


class GraphCritic(nn.Module):
    """Fractional coordinates, (B, 1, n_atoms, 3), to one score a structure, (B, 1).

    Gradients reach the coordinates through the distances; which atoms are neighbours is not
    differentiated.
    """

    def __init__(self, numbers: Sequence[int], cell: Tensor, random: torch.Generator):
        super().__init__()
        self.register_buffer("cell", cell, persistent=False)  # rows, Å, (3, 3)
        elements = torch.from_numpy(element_features()[list(numbers)]).float()
        self.register_buffer("elements", elements, persistent=False)  # (n_atoms, 92)
        self.embedding = nn.Linear(N_ELEMENT_FEATURES, WIDTH)
        self.convolutions = nn.ModuleList(
            Convolution(WIDTH, N_GAUSSIANS) for _ in range(N_CONVOLUTIONS)
        )
        self.hidden = nn.Linear(WIDTH, HIDDEN)
        self.last = nn.Linear(HIDDEN, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                _initialise(layer, random)

    def forward(self, table: Tensor) -> Tensor:
        x = table[:, 0]
        n_batch, n_atoms, _ = x.shape
        with torch.no_grad():
            neighbour, shift = nearest_neighbours(x, self.cell, N_NEIGHBOURS)
        bonds = bond_features(distances_to(x, self.cell, neighbour, shift)).flatten(0, 1)
        first = n_atoms * torch.arange(n_batch, device=x.device)
        neighbour = (neighbour + first[:, None, None]).flatten(0, 1)  # among all atoms
        atoms = self.embedding(self.elements).repeat(n_batch, 1)
        for convolution in self.convolutions:
            atoms = convolution(atoms, bonds, neighbour)
        mean = atoms.unflatten(0, (n_batch, n_atoms)).mean(dim=1)
        return self.last(functional.softplus(self.hidden(functional.softplus(mean))))


def _initialise(layer: nn.Linear, random: torch.Generator) -> None:
    """What torch does by default, from a given generator."""
    bound = 1.0 / math.sqrt(layer.in_features)
    nn.init.uniform_(layer.weight, -bound, bound, generator=random)
    nn.init.uniform_(layer.bias, -bound, bound, generator=random)
