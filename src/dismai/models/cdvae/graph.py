"""Graphs of CDVAE: directed edges that all have a reverse, grouped by the atom they point to.

Edges around one atom form triplets. They are handled as a table of `n_slots` places per atom, so
that a sum over triplets is one batched matrix product and nothing of triplet length is gathered.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor

GraphRule = Literal["symmetric", "reference"]

OVERLAP_A = 0.01
"""Atoms closer than this get no edge: there is no direction between them."""
SHELL_TOLERANCE_A = 1e-4
"""Distances that differ by less belong to one shell, which is taken whole or not at all."""


class Graph(NamedTuple):
    """Edges of a batch of structures, sorted by target.

    source, target: atoms, (E,).  reverse: index of the opposite edge, (E,).
    distance: Å, (E,).  unit: vector from source to target, (E, 3).
    place: row of each edge in tables of `n_slots` places for each of `n_atoms` atoms, (E,).
    """

    source: Tensor
    target: Tensor
    reverse: Tensor
    distance: Tensor
    unit: Tensor
    place: Tensor
    n_atoms: int
    n_slots: int

    def table(self, x: Tensor) -> Tensor:
        """Values of edges, (E, ...), as a table, (n_atoms, n_slots, ...), empty places zero."""
        empty = x.new_zeros(self.n_atoms * self.n_slots, *x.shape[1:])
        return empty.index_copy(0, self.place, x).unflatten(0, (self.n_atoms, self.n_slots))

    def edges(self, table: Tensor) -> Tensor:
        """Inverse of `table`: (n_atoms, n_slots, ...) to (E, ...)."""
        return table.flatten(0, 1).index_select(0, self.place)

    def sum_over_edges(self, x: Tensor) -> Tensor:
        """Sum of the values of all edges that point to an atom, (E, ...) to (n_atoms, ...)."""
        return x.new_zeros(self.n_atoms, *x.shape[1:]).index_add(0, self.target, x)

    def cosines(self) -> Tensor:
        """Cosine between any two edges that point to an atom, (n_atoms, n_slots, n_slots)."""
        unit = self.table(self.unit)
        with torch.autocast(unit.device.type, enabled=False):  # half of it turns bonds by 1°
            return (unit @ unit.mT).clamp(-1, 1)


def graph(source: Tensor, target: Tensor, reverse: Tensor, vector: Tensor, n_atoms: int) -> Graph:
    """A graph from edges sorted by target; vector: from source to target, Å, (E, 3)."""
    degree = torch.bincount(target, minlength=n_atoms)
    n_slots = int(degree.max()) if len(target) else 1
    first = degree.cumsum(0) - degree
    place = torch.arange(len(target), device=target.device) - first[target] + target * n_slots
    distance = vector.norm(dim=-1)
    unit = vector / distance[:, None]
    return Graph(source, target, reverse, distance, unit, place, n_atoms, n_slots)


def nearest_graph(
    x: Tensor, cell: Tensor, cutoff: float, neighbours: int, rule: GraphRule
) -> Graph:
    """Edges to the nearest neighbours within a cutoff, of a batch of structures of one size.

    Args:
        x: fractional coordinates, (B, N, 3)
        cell: cell vectors as rows, Å, (B, 3, 3)
        cutoff: Å
        neighbours: how many nearest neighbours an atom selects
        rule: how selections become a graph. `symmetric`: an edge if either end selects the
            other; a shell of equal distances of which only a part would fit is left out, so the
            order of atoms does not matter. `reference` (CDVAE): an edge if the end with the
            higher index selects the other.

    Periodic images are searched as far as the cutoff reaches, in cells of any width.
    """
    images = _images(cell, cutoff, x)  # (I, 3), symmetric about its middle
    delta = x[:, :, None] - x[:, None]  # from source j to target i, (B, i, j, 3)
    delta -= delta.round()
    # Products one by one, not a matrix product: opposite edges must get equal distances.
    vector = _cartesian(delta[:, :, :, None] + images, cell[:, None, None, None])
    squared = vector[..., 0] ** 2 + vector[..., 1] ** 2 + vector[..., 2] ** 2  # (B, i, j, I)
    close = (squared > OVERLAP_A**2) & (squared <= cutoff**2)
    distance = torch.where(close, squared, math.inf).sqrt()
    select = _either_end if rule == "symmetric" else _higher_end
    kept = select(distance, close, neighbours)
    return _graph_of_mask(kept, vector)


def _images(cell: Tensor, cutoff: float, x: Tensor) -> Tensor:
    """Lattice translations that can bring a wrapped vector within the cutoff, (I, 3)."""
    width = 1 / torch.linalg.inv(cell).norm(dim=-2)  # perpendicular, (B, 3)
    most = (cutoff / width.amin(0) + 0.5).floor().long().tolist()
    axes = [torch.arange(-n, n + 1, device=x.device, dtype=x.dtype) for n in most]
    return torch.cartesian_prod(*axes)


def _cartesian(x: Tensor, cell: Tensor) -> Tensor:
    terms = [x[..., axis, None] * cell[..., axis, :] for axis in range(3)]
    return terms[0] + terms[1] + terms[2]


def _opposite(mask: Tensor) -> Tensor:
    """The mask of the reversed edges; image n of j seen from i is image -n of i seen from j."""
    return mask.transpose(1, 2).flip(-1)


def _either_end(distance: Tensor, close: Tensor, neighbours: int) -> Tensor:
    ranked = distance.flatten(2)
    if neighbours >= ranked.shape[-1]:
        return close
    first_left_out = ranked.topk(neighbours + 1, largest=False, sorted=True).values[..., -1]
    reach = torch.maximum(first_left_out[:, :, None], first_left_out[:, None])
    return close & (distance < reach[..., None] - SHELL_TOLERANCE_A)


def nearest(distance: Tensor, neighbours: int) -> Tensor:
    """Mask of the nearest sources of every target, of (B, i, j, I); ties fall as they may."""
    ranked = distance.flatten(2)
    chosen = ranked.topk(min(neighbours, ranked.shape[-1]), largest=False).indices
    return torch.zeros_like(ranked, dtype=torch.bool).scatter(2, chosen, True).view_as(distance)


def _higher_end(distance: Tensor, close: Tensor, neighbours: int) -> Tensor:
    selected = nearest(distance, neighbours) & close
    n, n_images = close.shape[2:]
    order = torch.ones(n, n, dtype=torch.bool, device=close.device).tril(-1)
    # A bond of an atom with its own image: of two opposite ones, the lexicographically negative.
    negative = torch.arange(n_images, device=close.device) < n_images // 2
    itself = torch.eye(n, dtype=torch.bool, device=close.device)
    kept = selected & (order[..., None] | (itself[..., None] & negative))
    return kept | _opposite(kept)


def _graph_of_mask(kept: Tensor, vector: Tensor) -> Graph:
    """The graph of a symmetric mask, (B, i, j, I); vectors from source j to target i."""
    n_structures, n = kept.shape[:2]
    b, i, j, image = kept.nonzero(as_tuple=True)  # sorted by structure, then target
    number = (kept.flatten().cumsum(0) - 1).view_as(kept)
    reverse = number[b, j, i, kept.shape[-1] - 1 - image]
    return graph(b * n + j, b * n + i, reverse, vector[b, i, j, image], n_structures * n)
