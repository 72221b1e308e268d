"""The nearest periodic images around every atom, exactly; linear in large structures."""

import itertools
import math

import torch
from torch import Tensor

MOST_DENSE = 256
"""Atoms of a structure up to which all pairs are looked at: faster there than cells."""
FAR = 1e9
"""Square of a distance that no pair has, Å²."""


def exactly(device: torch.device) -> torch.autocast:
    """Full precision for what is made of positions, also where networks compute in half of it."""
    return torch.autocast(device.type, enabled=False)


def neighbours(x: Tensor, cell: Tensor, cutoff: float, most: int) -> tuple[Tensor, Tensor, Tensor]:
    """The nearest images within a cutoff of every atom, in no order.

    An atom may meet several images of another one, and its own. Rows are filled up with images
    beyond the cutoff, or with atoms infinitely far away.

    Args:
        x: positions, Å, (B, N, 3), anywhere
        cell: vectors as rows, Å, (3, 3)
        cutoff: Å
        most: length of a row; where more are within the cutoff, the nearest count

    Returns:
        indices, (B, N, K), K <= most; vectors from the atom to the image, Å, (B, N, K, 3); their
        lengths, (B, N, K)
    """
    inverse = torch.linalg.inv(cell)
    f = x @ inverse
    f = f - f.floor()
    search = _all_pairs if x.shape[1] <= MOST_DENSE else _by_cells
    index, vectors, squares = search(f, cell, cutoff, inverse)
    k = min(most, squares.shape[-1])
    squares, nearest = squares.topk(k, dim=-1, largest=False, sorted=False)
    vectors = vectors.gather(2, nearest[..., None].expand(-1, -1, -1, 3))
    return index(nearest), vectors, squares.clamp(min=1e-10).sqrt()


def heights(cell: Tensor) -> Tensor:
    """Distances between opposite faces, Å, (3,)."""
    return 1.0 / torch.linalg.inv(cell).norm(dim=0)


def _all_pairs(f, cell, cutoff, inverse):
    """Candidates among all pairs: nearest images and whatever else the cutoff may reach.

    Along an axis that is longer than the cutoff, only the nearest image and the next one on the
    other side can be within it.
    """
    n_atoms = f.shape[1]
    apart = f[:, None] - f[:, :, None]  # f_j - f_i, (B, N, N, 3)
    apart = apart - apart.round()
    other_side = torch.where(apart > 0, -1.0, 1.0)
    choices, relative = [], []
    for h in heights(cell).tolist():
        reach = math.floor(cutoff / h + 0.5)
        one_side = reach == 1 and cutoff <= h
        choices.append([0, 1] if one_side else range(-reach, reach + 1))
        relative.append(one_side)
    steps = torch.tensor(list(itertools.product(*choices)), dtype=f.dtype, device=f.device)
    sides = torch.where(torch.tensor(relative, device=f.device), other_side, torch.ones(()).to(f))
    home = (steps == 0).all(1).nonzero()[0, 0]
    vectors = apart @ cell  # (B, N, N, 3)
    if len(steps) == 1:
        vectors = vectors[:, :, :, None]
    else:
        vectors = vectors[:, :, :, None] + (sides[:, :, :, None] * steps) @ cell
    squares = vectors.square().sum(-1)  # (B, N, N, n_steps)
    itself = torch.arange(n_atoms, device=f.device)
    squares[:, itself, itself, home] = FAR
    return lambda nearest: nearest // len(steps), vectors.flatten(2, 3), squares.flatten(2)


def _by_cells(f, cell, cutoff, inverse):
    """Candidates from boxes at least as wide as the cutoff, and the boxes around them."""
    parts = [_by_cells_of_one(one, cell, cutoff) for one in f]
    width = max(index.shape[1] for index, _, _ in parts)

    def padded(part: Tensor, value: float) -> Tensor:
        room = part.new_full((len(part), width - part.shape[1], *part.shape[2:]), value)
        return torch.cat([part, room], dim=1)

    index = torch.stack([padded(part[0], 0) for part in parts])
    vectors = torch.stack([padded(part[1], FAR**0.5) for part in parts])
    squares = torch.stack([padded(part[2], FAR) for part in parts])
    return lambda nearest: index.gather(2, nearest), vectors, squares


def _by_cells_of_one(f: Tensor, cell: Tensor, cutoff: float) -> tuple[Tensor, Tensor, Tensor]:
    """Indices, vectors and squared distances of candidates of every atom, (N, n_candidates)."""
    n_atoms, device = len(f), f.device
    boxes = [max(1, math.floor(h / cutoff)) for h in heights(cell).tolist()]
    reach = [
        max(1, math.ceil(cutoff * n / float(h))) for n, h in zip(boxes, heights(cell), strict=True)
    ]
    shape = torch.tensor(boxes, device=device)
    box = (f * shape).long().clamp(min=0).minimum(shape - 1)  # (N, 3)
    flat = (box[:, 0] * boxes[1] + box[:, 1]) * boxes[2] + box[:, 2]
    n_boxes = math.prod(boxes)
    order = flat.argsort(stable=True)
    count = torch.bincount(flat, minlength=n_boxes)
    first = count.cumsum(0) - count
    rank = torch.arange(n_atoms, device=device) - first[flat[order]]
    members = torch.full((n_boxes, int(count.max())), -1, device=device)
    members[flat[order], rank] = order
    around = torch.cartesian_prod(*(torch.arange(-r, r + 1, device=device) for r in reach))
    there = box[:, None] + around  # (N, n_around, 3)
    image = torch.div(there, shape, rounding_mode="floor")
    there = there - image * shape
    there = (there[..., 0] * boxes[1] + there[..., 1]) * boxes[2] + there[..., 2]
    index = members[there]  # (N, n_around, n_members)
    empty = index < 0
    index = index.clamp(min=0)
    apart = f[index] - f[:, None, None] + image[:, :, None]
    vectors = apart @ cell
    squares = vectors.square().sum(-1)
    home = (around == 0).all(1)[None, :, None]
    itself = (index == torch.arange(n_atoms, device=device)[:, None, None]) & home
    squares = torch.where(empty | itself, FAR, squares)
    return index.flatten(1), vectors.flatten(1, 2), squares.flatten(1)
