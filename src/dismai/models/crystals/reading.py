"""What a picture says: number of atoms, lines, guesses of coordinates, and how far they agree.

Every number of a picture stands there 8 A times (lattice, space group) or 8 times (an atom's), in 4
channels, as rows and columns. How these copies scatter is told before they are averaged.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dismai.models.crystals.pictures import (
    ANGLES,
    CONSTANT,
    DIFFERENCE,
    FIRST,
    GROUP,
    LENGTHS,
    LINES,
    MOST_ATOMS,
    N_LINES,
    NORM,
    SITES,
)
from dismai.models.image.scales import Scales

ALPHA = 7
PUBLISHED_TOLERANCE = 0.2
OWN_SHARE = 12
"""The own coordinate of an atom counts as much as 1 of A + 12, the guesses the rest."""
SAID = (
    "variance_lattice_parameter",
    "variance_lattice_angle",
    "variance_space_group_number",
    "variance_fractional_coordinate",
    "coordinate_disagreement_per_atom",
    "pairwise_distance_matrix_difference_per_atom",
)
"""What a picture says of itself, as in Tables 1 and 2 of the paper."""


@dataclass(frozen=True)
class Reading:
    """Numbers of one picture, float64.

    n_atoms: A.  species: mean atomic numbers, not rounded, (A,).  sites: fractional coordinates,
    not wrapped, (A, 3).  site_error: standard error of one of the coordinates, by how its copies
    and guesses scatter.  cell: a, b, c (Å), alpha, beta, gamma (degrees), (6,).
    space_group: mean, not rounded.  said: numbers by the names in `SAID`.
    """

    n_atoms: int
    species: Tensor
    sites: Tensor
    site_error: float
    cell: Tensor
    space_group: float
    said: dict[str, float]


def count_atoms(copies: Tensor) -> int:
    """How many leading atoms a picture has, by all seven lines that are the same for every atom.

    An atom is there if its lines are nearer to those of the first atom than to an empty line; of
    all numbers the one with the least sum of squared distances is taken. No angle or length is
    special, and the last slot is like the others. 0: the first atom is an empty line itself.

    copies: 8 copies of the scaled lines, (8, 11, 52).
    """
    constant = copies[:, CONSTANT].mean(0)  # (7, 52)
    to_first = (constant - constant[:, :1]).square().sum(0)
    cost = torch.cumsum(to_first - constant.square().sum(0), dim=0)
    return int(torch.argmin(torch.cat([cost.new_zeros(1), cost])))


def published_count(copies: Tensor, scales: Scales) -> int:
    """The published rule: atoms until alpha differs by 20 % or more from that of the first one.

    An empty line reads as the smallest alpha of the training set, 59.8 degrees: for a first alpha
    below 74.7 degrees every line is an atom. The walk ends one line early: 52 atoms are never seen.

    copies: 8 copies of the scaled lines, (8, 11, 52).
    """
    angle = scales[slice(ALPHA, ALPHA + 1)].up(copies[:, ALPHA].mean(0)[:, None])[:, 0]
    for number in range(1, MOST_ATOMS - 1):
        if abs(angle[number] - angle[0]) >= PUBLISHED_TOLERANCE * abs(angle[0]):
            return number
    return MOST_ATOMS - 1


def copies_of(pictures: Tensor) -> Tensor:
    """The 8 copies of the scaled lines of pictures, (B, 4, 64, 64) to (B, 8, 11, 52)."""
    rows = pictures[:, :, :N_LINES, FIRST:]
    columns = pictures[:, :, FIRST:, :N_LINES].transpose(2, 3)
    return torch.cat([rows, columns], dim=1)


def read(pictures: Tensor, scales: Scales) -> list[Reading | None]:
    """What every picture says; None for one without an atom or with a pixel that is no number."""
    pictures = pictures.double().cpu()
    copies = copies_of(pictures)
    result: list[Reading | None] = []
    for picture, own in zip(pictures, copies, strict=True):
        n_atoms = count_atoms(own) if picture.isfinite().all() else 0
        result.append(_read(picture, own, n_atoms, scales) if n_atoms else None)
    return result


def _read(picture: Tensor, copies: Tensor, n_atoms: int, scales: Scales) -> Reading:
    """The numbers of one picture, (4, 64, 64), with a given number of atoms.

    d_ij = (D_ij - D_ji) / 2,   guess of x_j from atom i = x_i - d_ij
    x_j = w mean_i(guess) + (1 - w) own,   w = 1 - 1 / (A + 12)
    """
    here = slice(0, n_atoms)
    block = slice(FIRST, FIRST + n_atoms)
    lines = scales[LINES].up(copies[:, :, here].transpose(1, 2))  # (8, A, 11)
    mean = lines.mean(0)  # (A, 11)
    norm = scales[NORM].up(picture[0, block, block][..., None])[..., 0]
    norm = (norm + norm.T) / 2
    d = scales[DIFFERENCE].up(picture[1:, block, block][..., None])[..., 0].permute(1, 2, 0)
    d = (d - d.transpose(0, 1)) / 2  # (i, j, 3)
    own = mean[:, SITES]
    guesses = own[:, None] - d  # of atom j from atom i
    weight = 1.0 - 1.0 / (n_atoms + OWN_SHARE)
    sites = weight * guesses.mean(0) + (1.0 - weight) * own
    apart = (sites[:, None] - sites[None]).norm(dim=-1)
    of_copies = lines[:, :, SITES].var(dim=0, unbiased=False)  # (A, 3)
    of_guesses = guesses.var(dim=0, unbiased=False)
    variances = lines.flatten(0, 1).var(dim=0, unbiased=False)  # over the 8 A copies
    said = (
        variances[LENGTHS].mean(),
        variances[ANGLES].mean(),
        variances[GROUP],
        of_copies.mean(),
        (own - sites).abs().mean() / n_atoms,
        (norm - apart).abs().sum() / n_atoms,
    )
    error = (of_copies.mean() / len(copies) + of_guesses.mean() / n_atoms).sqrt()
    constant = lines.mean((0, 1))
    return Reading(
        n_atoms,
        mean[:, 0],
        sites,
        float(error),
        constant[4:10],
        float(constant[GROUP]),
        dict(zip(SAID, map(float, said), strict=True)),
    )
