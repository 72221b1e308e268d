"""Names for places: one atom after another, in any order, with exact numbers of every species."""

import torch
from torch import Tensor

from dismai.models.batches import Streams
from dismai.models.melt.graph import neighbours
from dismai.models.melt.network import Namer

NAMED_FOR_ONE_MORE = 16
"""A call of the network names one place, and one more for so many that have names already."""


def atoms_left(names: Tensor, counts: Tensor) -> Tensor:
    """Atoms of every species that no place has got yet, (B, n_species).

    Args:
        names: species of places, n_species where there is none, (B, N)
        counts: atoms of every species, (n_species,)
    """
    n_species = len(counts)
    given = torch.nn.functional.one_hot(names, n_species + 1)[..., :n_species].sum(1)
    return counts - given


def log_pool(left: Tensor) -> Tensor:
    """Logits of a random draw from what is left; -inf for what is used up. Shape of `left`."""
    return left.double().log().float()


def name_places(
    namer: Namer, x: Tensor, cell: Tensor, counts: Tensor, streams: Streams, most: int
) -> Tensor:
    """Species of places, drawn from p(places named so far) prod_i p(species of i | the others).

    Places are named in random order. Those that see each other are named in different calls of the
    network, so that the number of calls grows with the logarithm of that of the atoms; within a
    call they are drawn one after the other from what is left.

        p(s) ~ left_s exp(logit_s)

    Args:
        namer: the network
        x: positions, Å, (B, N, 3)
        cell: vectors as rows, Å, (3, 3)
        counts: atoms of every species, (n_species,)
        streams: one a structure
        most: neighbours that count at most

    Returns:
        indices of species, (B, N), in which every species has its count
    """
    n_batch, n_atoms, _ = x.shape
    index, _, distances = neighbours(x, cell, namer.cutoff, most)
    edges = namer.edges(index, distances)
    order = streams.uniform(n_atoms).argsort(1)
    calls = [
        groups(row, seen, near)
        for row, seen, near in zip(order, index, distances < namer.cutoff, strict=True)
    ]
    luck = streams.uniform(n_atoms, namer.n_species).clamp(1e-12, 1 - 1e-7)
    luck = -torch.log(-torch.log(luck))  # Gumbel: the largest logit plus luck is a fair draw
    names = torch.full((n_batch, n_atoms), namer.n_species, device=x.device)
    for turn in range(max(len(call) for call in calls)):
        left = atoms_left(names, counts)
        logits = namer(x, edges, names, left.float()) + luck
        now = [call[turn] if turn < len(call) else [] for call in calls]
        for slot in range(max(len(group) for group in now)):
            which = [b for b, group in enumerate(now) if slot < len(group)]
            atoms = [now[b][slot] for b in which]
            drawn = (logits[which, atoms] + log_pool(left[which])).argmax(1)
            names[which, atoms] = drawn
            left[which, drawn] -= 1
    return names


def groups(order: Tensor, index: Tensor, near: Tensor) -> list[list[int]]:
    """Atoms of one structure in groups of which no two see each other.

    Few at first, more when there are names that they can agree with: distant places that were
    named blindly, in one call, would begin domains of an order that do not fit together.

    Args:
        order: of naming, (N,)
        index: neighbours, (N, K)
        near: which of them are within the cutoff, (N, K)
    """
    n_atoms = len(order)
    sees: list[set[int]] = [set() for _ in range(n_atoms)]
    for i, (others, counts) in enumerate(zip(index.tolist(), near.tolist(), strict=True)):
        for j, counted in zip(others, counts, strict=True):
            if counted:
                sees[i].add(j)
                sees[j].add(i)
    remaining, found = order.tolist(), []
    while remaining:
        most = 1 + (n_atoms - len(remaining)) // NAMED_FOR_ONE_MORE
        group: list[int] = []
        later: list[int] = []
        blocked: set[int] = set()
        for i in remaining:
            if i in blocked or len(group) == most:
                later.append(i)
            else:
                group.append(i)
                blocked |= sees[i]
        found.append(group)
        remaining = later
    return found
