"""What Melt takes from a training set before it is trained: lengths, waves, symmetry."""

import itertools
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dismai.models.melt.graph import heights, neighbours
from dismai.models.melt.hparams import Hparams
from dismai.models.melt.noise import reciprocal_half

N_LOOKED_AT = 40
"""Structures from which lengths and structure factors are taken."""
N_SHARED = 400
"""Structures over which densities are averaged."""
ABOVE_CHANCE = 10.0
"""Squares by chance are distributed exponentially: of thousands of waves none is so strong."""
WAVE_REACH = 19.0
"""Longest wave vector, in units of 1/d."""
MOST_WAVES = 30_000
"""Of more, in cells of a thousand atoms, the longest are looked at."""
ATOMS_AT_ONCE = 256
"""Whose phases are in memory."""
BLUR = 0.05
"""In units of d: waves that so little noise blots out are no waves of the structure."""
CUTOFF_MARGIN = 1.05
VISIBLE = 0.05
"""A wave is gone where noise leaves its structure factor so close to that of uniform atoms."""
SAME_DENSITY = 0.25
"""Amplitudes of the shared density that differ by less, relative to the largest, are the same."""


@dataclass(frozen=True)
class Facts:
    """Of one training set.

    nearest: mean distance of nearest neighbours, Å, the unit d of the hyperparameters
    closest: smallest distance of two atoms, Å
    cutoff, namer_cutoff: how far atoms see, Å
    sigma_max: noise at which nothing is left of the structures, Å
    waves: basis of an edge, 1/Å, (n_waves, 3)
    shared: waves of the density that all structures share, 1/Å, (n_shared, 3)
    operations: matrices R of the lattice's point group, row vectors x R, that leave the shared
        density as it is, (n, 3, 3)
    """

    nearest: float
    closest: float
    cutoff: float
    namer_cutoff: float
    sigma_max: float
    waves: Tensor
    shared: Tensor
    operations: Tensor


def facts_of(x: Tensor, species: Tensor, cell: Tensor, h: Hparams) -> Facts:
    """Facts of structures.

    Args:
        x: positions, Å, (n, N, 3)
        species: index of every atom, the same in all structures, (N,)
        cell: vectors as rows, Å, (3, 3)
        h: hyperparameters
    """
    some = x[:N_LOOKED_AT]
    order = max(h.neighbours, h.namer_neighbours)
    volume = order * float(torch.linalg.det(cell).abs()) / x.shape[1]
    radius = (3 * volume / (4 * math.pi)) ** (1 / 3)  # of a ball that holds so many on average
    _, _, distances = neighbours(some, cell, 1.5 * radius, order)
    distances = distances.sort(dim=-1).values
    nearest = float(distances[..., 0].mean())
    all_q = longest_waves(reciprocal_half(cell, WAVE_REACH / nearest))
    strength = structure_factor(some, all_q)
    seen = strength * torch.exp(-(all_q.norm(dim=-1) * BLUR * nearest).square())
    density, shared_strength = shared_density(x[:N_SHARED], species, all_q)
    shared_strength = shared_strength * torch.exp(-(all_q.norm(dim=-1) * BLUR * nearest).square())
    strongest = shared_strength.argsort(descending=True, stable=True)[: h.shared_waves]
    shared = strongest[shared_strength[strongest] > h.shared_strength]
    return Facts(
        nearest,
        float(distances[..., 0].min()),
        CUTOFF_MARGIN * float(distances[..., h.neighbours - 1].median()),
        CUTOFF_MARGIN * float(distances[..., h.namer_neighbours - 1].median()),
        highest_noise(all_q, strength, cell),
        all_q[seen.argsort(descending=True, stable=True)[: h.waves]],
        all_q[shared],
        kept_operations(cell, all_q, density, shared),
    )


def longest_waves(q: Tensor) -> Tensor:
    """At most MOST_WAVES of them, in their order, (n_waves, 3)."""
    by_length = q.norm(dim=-1).argsort(stable=True)
    return q[by_length[:MOST_WAVES].sort().values]


def structure_factor(x: Tensor, q: Tensor) -> Tensor:
    """S(q) = |sum_i exp(i q x_i)|^2 / N, mean over structures, (n_waves,)."""
    total = torch.zeros(len(q))
    for one in x:
        total += waves_of(one, q, torch.ones(len(one), 1)).square().sum((0, 2))
    return total / (len(x) * x.shape[1])


def waves_of(x: Tensor, q: Tensor, member: Tensor) -> Tensor:
    """Sums of exp(i q x) over the atoms of one structure, (N, 3), by species.

    Args:
        x: positions, Å, (N, 3)
        q: 1/Å, (n_waves, 3)
        member: which atoms are of which species, (N, n_species)

    Returns:
        real and imaginary parts, (n_species, n_waves, 2)
    """
    total = torch.zeros(member.shape[1], len(q), 2)
    for part, ours in zip(x.split(ATOMS_AT_ONCE), member.split(ATOMS_AT_ONCE), strict=True):
        phase = part @ q.T  # (n_atoms, n_waves)
        total += torch.stack([ours.T @ phase.cos(), ours.T @ phase.sin()], dim=-1)
    return total


def shared_density(x: Tensor, species: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
    """Waves of the mean density, and how strong they are.

        rho_s(q) = < sum_i exp(i q x_i) >  over atoms i of species s and structures
        strength = sum_s |rho_s|^2 / (n_s N),  1 if every atom sits on a crest

    Waves of structures that share nothing leave <|.|^2> / n of n structures: what is not well
    above that has strength 0.

    Returns:
        real and imaginary parts, (n_species, n_waves, 2); strengths, (n_waves,)
    """
    n_species, n_atoms = int(species.max()) + 1, len(species)
    member = torch.nn.functional.one_hot(species, n_species).float()  # (N, n_species)
    mean = torch.zeros(n_species, len(q), 2)
    chance = torch.zeros(n_species, len(q))
    for one in x:
        waves = waves_of(one, q, member)
        mean += waves / len(x)
        chance += waves.square().sum(-1) / len(x) ** 2
    strength, by_chance = (
        (squares / member.sum(0)[:, None]).sum(0) / n_atoms
        for squares in (mean.square().sum(-1), chance)
    )
    return mean, torch.where(strength > ABOVE_CHANCE * by_chance, strength, 0.0)


def highest_noise(q: Tensor, strength: Tensor, cell: Tensor) -> float:
    """Noise that blots out all waves, Å: |S(q) - 1| exp(-q^2 sigma^2) < VISIBLE for every one."""
    excess = ((strength - 1).abs() / VISIBLE).clamp(min=1)
    needed = float((excess.log().sqrt() / q.norm(dim=-1)).max())
    return min(needed, 0.5 * float(heights(cell).max()))


def kept_operations(cell: Tensor, q: Tensor, density: Tensor, shared: Tensor) -> Tensor:
    """Operations of the lattice's point group under which the shared density stays the same.

    rho(q R^T) is the amplitude at q of the structure moved by R: equal ones within SAME_DENSITY.
    """
    operations = lattice_operations(cell)
    if len(shared) == 0:
        return operations
    both = torch.cat([q, -q])
    amplitude = torch.cat([density, density * torch.tensor([1.0, -1.0])], dim=1)
    largest = density[:, shared].norm(dim=-1).max()
    kept = []
    for operation in operations:
        moved = q[shared] @ operation.T
        where = torch.cdist(moved, both).argmin(1)
        apart = (amplitude[:, where] - density[:, shared]).norm(dim=-1).max()
        if apart < SAME_DENSITY * largest:
            kept.append(operation)
    return torch.stack(kept)


def lattice_operations(cell: Tensor, tolerance: float = 1e-3) -> Tensor:
    """Rotations and reflections R with which cell R spans the same lattice, (n, 3, 3).

    Rows of a reduced enough cell go to combinations of rows with coefficients -1, 0, 1.
    """
    rows = cell.double().numpy()
    metric = rows @ rows.T
    steps = np.array(list(itertools.product((-1, 0, 1), repeat=3)))
    squares = np.einsum("ni,ij,nj->n", steps, metric, steps)
    images = [steps[np.abs(squares - m) < tolerance * m] for m in np.diag(metric)]
    found = []
    for combination in itertools.product(*images):
        whole = np.array(combination)
        if np.abs(whole @ metric @ whole.T - metric).max() < tolerance * metric.max():
            found.append(np.linalg.inv(rows) @ whole @ rows)
    return torch.tensor(np.array(found), dtype=torch.float32)
