"""Six lattice parameters, the lattice matrix, and the scale in which a network predicts them."""

from typing import Literal

import torch
from torch import Tensor, nn

LatticeRule = Literal["mended", "published"]

SMALL = 1e-5
"""Added to a standard deviation before dividing by it (CDVAE)."""
CONSTANT = 1e-4
"""Å or degrees: a parameter that varies by less is constant."""


def lattice_matrix(lengths: Tensor, angles: Tensor) -> Tensor:
    """Cell vectors as rows, Å, (..., 3, 3): C along z, A in the plane of x and z.

    lengths: a, b, c, Å, (..., 3).  angles: alpha, beta, gamma, degrees, (..., 3).
    """
    a, b, c = lengths.unbind(-1)
    cos, sin = torch.deg2rad(angles).cos(), torch.deg2rad(angles).sin()
    cos_alpha, cos_beta, cos_gamma = cos.unbind(-1)
    sin_alpha, sin_beta, _ = sin.unbind(-1)
    # Angle between the reciprocal vectors a* and b*.
    cos_star = ((cos_alpha * cos_beta - cos_gamma) / (sin_alpha * sin_beta)).clamp(-1, 1)
    sin_star = (1 - cos_star**2).sqrt()
    zero = torch.zeros_like(a)
    rows = (
        (a * sin_beta, zero, a * cos_beta),
        (-b * sin_alpha * cos_star, b * sin_alpha * sin_star, b * cos_alpha),
        (zero, zero, c),
    )
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def lattice_parameters(cell: Tensor) -> tuple[Tensor, Tensor]:
    """Lengths, Å, (..., 3), and angles, degrees, (..., 3), of cells with rows a, b, c."""
    lengths = cell.norm(dim=-1)
    unit = cell / lengths[..., None]
    cosines = (unit.roll(-1, dims=-2) * unit.roll(-2, dims=-2)).sum(-1)  # b.c, c.a, a.b
    return lengths, torch.rad2deg(cosines.clamp(-1, 1).acos())


def scaled_parameters(cell: Tensor, n_atoms: int) -> Tensor:
    """Lengths over the cube root of the number of atoms, Å, and angles, degrees, (..., 6)."""
    lengths, angles = lattice_parameters(cell)
    return torch.cat([lengths / n_atoms ** (1 / 3), angles], dim=-1)


class LatticeScale(nn.Module):
    """Standardised lattice parameters of a dataset, and the cell that they stand for.

    Lengths are divided by the cube root of the number of atoms; then mean and population standard
    deviation over the training set are taken off. A parameter that is constant there has none:
    `mended` returns the constant itself, whatever the head says, and makes the target 0;
    `published` divides by 1e-5 in single precision, so that the target is rounding noise.

    frame: rotation from the orientation of `lattice_matrix` to that of the dataset's cell, (3, 3).
    """

    def __init__(self, rule: LatticeRule, cell: Tensor, n_atoms: int):
        super().__init__()
        self.rule = rule
        own = lattice_matrix(*lattice_parameters(cell.double()))
        self.register_buffer("frame", torch.linalg.inv(own) @ cell.double(), persistent=False)
        self.register_buffer("mean", scaled_parameters(cell.double()[None], n_atoms)[0])
        self.register_buffer("spread", torch.zeros(6, dtype=torch.float64))

    def learn(self, cells: Tensor, n_atoms: int) -> None:
        """Take mean and spread from the cells of the training set, Å, (n, 3, 3), float64."""
        parameters = scaled_parameters(cells, n_atoms)
        if self.rule == "published":
            parameters = parameters.float()
        self.mean = parameters.mean(0).double()
        self.spread = parameters.std(0, correction=0).double()

    def standardise(self, cell: Tensor, n_atoms: int) -> Tensor:
        """Targets of the lattice head, (B, 6), of cells, Å, (B, 3, 3)."""
        x = scaled_parameters(cell.double(), n_atoms)
        if self.rule == "published":
            mean, spread = self.mean.float(), self.spread.float()
            return (x.float() - mean) / (spread + SMALL)
        return torch.where(self._constant, 0.0, (x - self.mean) / (self.spread + SMALL)).float()

    def cell(self, standardised: Tensor, n_atoms: Tensor) -> Tensor:
        """Cells, rows, Å, (B, 3, 3), float64, from the head's output, (B, 6), and sizes, (B,)."""
        scale = self.spread + SMALL
        if self.rule == "mended":
            scale = torch.where(self._constant, 0.0, scale)
        x = self.mean + standardised.double() * scale
        lengths = x[:, :3] * n_atoms.double()[:, None] ** (1 / 3)
        return lattice_matrix(lengths, x[:, 3:]) @ self.frame

    @property
    def _constant(self) -> Tensor:
        return self.spread < CONSTANT
