"""CGCNN: gated convolutions over the neighbours of each atom, a mean over the atoms, a number."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from dismai.properties.cgcnn.files import N_ELEMENT_FEATURES, N_GAUSSIANS, STEP_A


def bond_features(distances: Tensor) -> Tensor:
    """Distances, Å, (...), on Gaussians 0, 0.2, ... 8 Å: exp(-(d - m)^2 / s^2), (..., 41)."""
    centres = STEP_A * torch.arange(N_GAUSSIANS, dtype=distances.dtype, device=distances.device)
    return torch.exp(-(((distances[..., None] - centres) / STEP_A) ** 2))


class Convolution(nn.Module):
    """v_i <- softplus(v_i + sum_j sigmoid(z_ij W_f) * softplus(z_ij W_s)) (XIE 2018, Eq. 5).

    z_ij are the features of atom i, of its neighbour j and of the bond. The weights of the atoms
    act once an atom, those of the bonds once a bond: linear in the number of atoms.

    normed: batch normalisation of z W and of the sum, as published; a critic under a gradient
        penalty does without.
    """

    def __init__(self, n_features: int, n_bond_features: int, normed: bool = True):
        super().__init__()
        self.n_features = n_features
        self.fc_full = nn.Linear(2 * n_features + n_bond_features, 2 * n_features)
        self.bn1 = nn.BatchNorm1d(2 * n_features) if normed else nn.Identity()
        self.bn2 = nn.BatchNorm1d(n_features) if normed else nn.Identity()

    def forward(
        self,
        atoms: Tensor,
        bonds: Tensor,
        neighbours: Tensor,
        weights: Tensor | None = None,
    ) -> Tensor:
        """New features of the atoms, (n_atoms, n_features).

        Args:
            atoms: their features, (n_atoms, n_features).
            bonds: features of the bonds, (n_atoms, n_neighbours, n_bond_features).
            neighbours: indices of the neighbours, (n_atoms, n_neighbours).
            weights: how much each neighbour counts in the sum, the same shape; None: once.
        """
        n_bonds = self.fc_full.in_features - 2 * self.n_features
        own, other, bond = self.fc_full.weight.split([self.n_features] * 2 + [n_bonds], dim=1)
        gated = functional.linear(bonds, bond, self.fc_full.bias)
        gated = gated + (atoms @ own.T)[:, None] + (atoms @ other.T)[neighbours]
        gated = self.bn1(gated.flatten(0, 1)).unflatten(0, neighbours.shape)
        gate, core = gated.chunk(2, dim=-1)
        messages = torch.sigmoid(gate) * functional.softplus(core)
        summed = (messages if weights is None else messages * weights[..., None]).sum(dim=1)
        return functional.softplus(atoms + self.bn2(summed))


class Network(nn.Module):
    """Crystals to one number each.

    Element features -> embedding -> convolutions -> mean over the atoms -> softplus -> hidden
    layer -> softplus -> number (XIE 2018; `cgcnn` of txie-93).
    """

    def __init__(self, width: int = 64, n_convolutions: int = 4, hidden: int = 32):
        super().__init__()
        self.embedding = nn.Linear(N_ELEMENT_FEATURES, width)
        self.convs = nn.ModuleList(Convolution(width, N_GAUSSIANS) for _ in range(n_convolutions))
        self.conv_to_fc = nn.Linear(width, hidden)
        self.fc_out = nn.Linear(hidden, 1)

    def forward(
        self,
        elements: Tensor,
        bonds: Tensor,
        neighbours: Tensor,
        weights: Tensor,
        crystal: Tensor,
        n_crystals: int,
    ) -> Tensor:
        """The predicted numbers, (n_crystals,).

        Args:
            elements: features of the element of every atom, (n_atoms, 92).
            bonds: `bond_features`, (n_atoms, n_neighbours, 41).
            neighbours: indices of the neighbours, (n_atoms, n_neighbours).
            weights: how much each neighbour counts, (n_atoms, n_neighbours).
            crystal: number of the crystal of every atom, (n_atoms,).
            n_crystals: how many crystals there are.
        """
        atoms = self.embedding(elements)
        for convolution in self.convs:
            atoms = convolution(atoms, bonds, neighbours, weights)
        total = atoms.new_zeros(n_crystals, atoms.shape[1]).index_add(0, crystal, atoms)
        mean = total / torch.bincount(crystal, minlength=n_crystals)[:, None]
        hidden = functional.softplus(self.conv_to_fc(functional.softplus(mean)))
        return self.fc_out(hidden)[:, 0]
