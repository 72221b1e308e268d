"""Distances from every atom to its nearest neighbours in a periodic cell, differentiable."""

import itertools
from functools import lru_cache

import torch
from torch import Tensor

SMALLEST_SQUARE = 1e-12
"""Å^2; keeps the gradient of a square root finite when two atoms coincide."""


def nearest_distances(x: Tensor, cell: Tensor, k: int, shortcut: bool = True) -> Tensor:
    """The k shortest distances of every atom to other atoms and all periodic copies, sorted.

    The definition is a search among 27 copies of all atoms (CryinGAN). An atom whose k nearest
    minimum images all lie within half the smallest width of the cell needs no search: no image
    beyond the minimum one can be as near. Gradients reach both atoms of a pair (a copy passes
    its own on); the choice of neighbours is not differentiated.

    Args:
        x: fractional coordinates in [0, 1], (B, n_atoms, 3)
        cell: cell vectors as rows, Å, (3, 3)
        k: number of distances
        shortcut: use minimum images where they are provably enough

    Returns:
        distances in Å, (B, n_atoms, k)
    """
    with torch.no_grad():
        neighbour, shift = nearest_neighbours(x, cell, k, shortcut)
    return distances_to(x, cell, neighbour, shift)


def distances_to(x: Tensor, cell: Tensor, neighbour: Tensor, shift: Tensor) -> Tensor:
    """Distances of atoms to their neighbours, Å, (B, n_atoms, k), as `nearest_neighbours` gives."""
    batch = torch.arange(len(x), device=x.device)[:, None, None]
    vectors = (x[batch, neighbour] + shift - x[:, :, None]) @ cell  # (B, n_atoms, k, 3)
    return vectors.square().sum(-1).clamp_min(SMALLEST_SQUARE).sqrt()


def nearest_neighbours(
    x: Tensor, cell: Tensor, k: int, shortcut: bool = True
) -> tuple[Tensor, Tensor]:
    """Indices, (B, n_atoms, k), and integer image shifts, (B, n_atoms, k, 3), of neighbours."""
    n_batch, n_atoms, _ = x.shape
    neighbour = x.new_zeros((n_batch, n_atoms, k), dtype=torch.long)
    shift = x.new_zeros((n_batch, n_atoms, k, 3))
    undecided = torch.ones((n_batch, n_atoms), dtype=torch.bool, device=x.device)
    if shortcut and n_atoms > k:
        difference = x[:, None, :, :] - x[:, :, None, :]  # from atom i to atom j: (B, i, j, 3)
        image = -torch.round(difference)
        square = ((difference + image) @ cell).square().sum(-1)
        square.diagonal(dim1=1, dim2=2).fill_(torch.inf)  # not an atom itself
        nearest, neighbour = square.topk(k, largest=False)
        shift = image.gather(2, neighbour[..., None].expand(-1, -1, -1, 3))
        undecided = nearest[..., -1] >= (0.5 * smallest_width(cell)) ** 2
    structure, atom = undecided.nonzero(as_tuple=True)
    if len(structure):
        found = _search_copies(x[structure, atom], x[structure], atom, cell, k)
        neighbour[structure, atom], shift[structure, atom] = found
    return neighbour, shift


@lru_cache(maxsize=8)
def _copies(dtype: torch.dtype, device: torch.device) -> Tensor:
    """Shifts to 27 copies, the home cell first, (27, 3); sent to a device once."""
    shifts = list(itertools.product((0, -1, 1), repeat=3))
    return torch.tensor(shifts, dtype=dtype, device=device)


def _search_copies(
    centre: Tensor, others: Tensor, atom: Tensor, cell: Tensor, k: int
) -> tuple[Tensor, Tensor]:
    """Neighbours of some atoms among 27 copies of their structures.

    Args:
        centre: fractional coordinates of the atoms, (M, 3)
        others: all atoms of the structure of each, (M, n_atoms, 3)
        atom: index of each in its structure, (M,)
        cell: cell vectors as rows, Å, (3, 3)
        k: number of neighbours
    """
    n_atoms = others.shape[1]
    copies = _copies(others.dtype, others.device)
    vectors = (others[:, None] + copies[:, None] - centre[:, None, None]) @ cell
    square = vectors.square().sum(-1).flatten(1)  # (M, 27 * n_atoms), the home cell first
    square.scatter_(1, atom[:, None], torch.inf)  # not an atom itself
    column = square.topk(k, largest=False).indices
    return column % n_atoms, copies[column // n_atoms]


def smallest_width(cell: Tensor) -> Tensor:
    """The smallest distance between opposite faces of a cell, Å."""
    return 1.0 / torch.linalg.inv(cell).norm(dim=0).max()
