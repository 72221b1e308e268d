"""Crystals as pictures: 4 channels of 64 x 64 pixels in [0, 1].

    row 0         atomic number of atom j - 12, in column j >= 12; the same in all channels
    rows 1-3      its fractional coordinates x, y, z
    rows 4-10     a, b, c (Å), alpha, beta, gamma (degrees), space group: the same for every atom
    row 11        empty
    columns       the same as rows
    the rest      channel 0: |f_i - f_j|, channels 1-3: f_i - f_j, plain, i the row, j the column

What belongs to no atom is 0. Every quantity is put to [0, 1] by its extremes in the training set,
the three differences by one scale, about which they are symmetric ("CrysTens", Digital Discovery
2024, 3, 62, where this is written as a z-score with a shift and a division: it is the same).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from ase import Atoms
from torch import Tensor

from dismai.base.columns import SPACE_GROUP
from dismai.base.errors import InputError
from dismai.models.image.scales import Scales

MOST_ATOMS = 52
N_LINES = 11
FIRST = 12
"""First line of an atom: behind the quantities and an empty line."""
SIDE = FIRST + MOST_ATOMS
CHANNELS = 4
SPECIES, SITES, LENGTHS, ANGLES, GROUP = 0, slice(1, 4), slice(4, 7), slice(7, 10), 10
CONSTANT = slice(4, 11)
"""Lines that are the same for every atom: the lattice and the space group."""
LINES, NORM, DIFFERENCE = slice(0, N_LINES), slice(11, 12), slice(12, 13)
"""Among the scaled quantities: the lines, the norm and the differences of coordinates."""
FACE_TOLERANCE = 1e-6
"""Fractional: rounding puts an atom of the lower face there."""


def lines_of(crystals: Sequence[Atoms]) -> tuple[Tensor, Tensor]:
    """The 11 quantities of every atom, (B, 52, 11), float64, and where there is one, (B, 52).

    Fractional coordinates are in [0, 1); what lies at the upper face of a cell is on the lower one.

    Raises:
        InputError: a crystal of too many atoms, or without a space group in its `info`.
    """
    lines = torch.zeros(len(crystals), MOST_ATOMS, N_LINES, dtype=torch.float64)
    present = torch.zeros(len(crystals), MOST_ATOMS, dtype=torch.bool)
    for number, atoms in enumerate(crystals):
        n = len(atoms)
        if not 1 <= n <= MOST_ATOMS:
            raise InputError(f"crystal {number}: expected 1 to {MOST_ATOMS} atoms, found {n}")
        if SPACE_GROUP not in atoms.info:
            raise InputError(f"crystal {number}: expected info[{SPACE_GROUP!r}], found none")
        cell = [*atoms.cell.cellpar(), float(atoms.info[SPACE_GROUP])]
        sites = atoms.get_scaled_positions()
        sites[sites > 1.0 - FACE_TOLERANCE] = 0.0
        own = np.column_stack([atoms.numbers, sites, np.tile(cell, (n, 1))])
        lines[number, :n] = torch.from_numpy(own)
        present[number, :n] = True
    return lines, present


def pair_maps(sites: Tensor) -> Tensor:
    """|f_i - f_j| and f_i - f_j, no images: (B, n, 3) to (B, n, n, 4)."""
    differences = sites[:, :, None] - sites[:, None]
    return torch.cat([differences.norm(dim=-1, keepdim=True), differences], dim=-1)


def picture_scales(crystals: Sequence[Atoms], chunk: int = 64) -> Scales:
    """Scales of the 13 quantities over a training set: 11 lines, norm, differences."""
    lines, present = lines_of(crystals)
    norm_low, norm_high, farthest = np.inf, -np.inf, 0.0
    for part, there in zip(lines.split(chunk), present.split(chunk), strict=True):
        pairs = there[:, :, None] & there[:, None]
        maps = pair_maps(part[..., SITES])[pairs]  # (n_pairs, 4)
        norm_low = min(norm_low, float(maps[:, 0].min()))
        norm_high = max(norm_high, float(maps[:, 0].max()))
        farthest = max(farthest, float(maps[:, 1:].abs().max()))
    atoms = lines[present]
    return Scales.joined(
        (atoms.amin(0), atoms.amax(0)),
        tuple(torch.tensor([norm_low, norm_high], dtype=torch.float64)),
        tuple(torch.tensor([-farthest, farthest], dtype=torch.float64)),
    )


def encode(crystals: Sequence[Atoms], scales: Scales) -> Tensor:
    """Pictures of crystals, (B, 4, 64, 64), float64."""
    return drawn(*lines_of(crystals), scales)


def drawn(lines: Tensor, present: Tensor, scales: Scales) -> Tensor:
    """Pictures, (B, 4, 64, 64), of what `lines_of` gives."""
    picture = torch.zeros(len(lines), CHANNELS, SIDE, SIDE, dtype=torch.float64)
    scaled = torch.where(present[..., None], scales[LINES].down(lines), 0.0)
    picture[:, :, :N_LINES, FIRST:] = scaled.transpose(1, 2)[:, None]
    picture[:, :, FIRST:, :N_LINES] = scaled[:, None]
    maps = pair_maps(lines[..., SITES])
    pairs = (present[:, :, None] & present[:, None])[..., None]
    norm = scales[NORM].down(maps[..., :1])
    differences = torch.cat([scales[DIFFERENCE].down(maps[..., k : k + 1]) for k in (1, 2, 3)], -1)
    both = torch.where(pairs, torch.cat([norm, differences], dim=-1), 0.0)
    picture[:, :, FIRST:, FIRST:] = both.permute(0, 3, 1, 2)
    return picture
