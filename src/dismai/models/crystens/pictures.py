"""Pictures of structures: building them, reading them back, making them small and large.

A picture has 4 channels of S x S pixels in [0, 1]. With k = 11 + separators:

    row 0         code of the species of atom j - k, in column j >= k; the same in all channels
    rows 1-3      its fractional coordinates x, y, z
    rows 4-10     lattice lengths, angles, space group: 0 as they are the same in all structures
    rows 11..k-1  empty
    columns       the same as rows
    the rest      channel 0: |f_i - f_j|, channels 1-3: f_i - f_j, plain, i the row, j the column

Every quantity is put to [0, 1] by its extremes in the training set ("Dismai-Bench", Digital
Discovery 2024, 3, 1889; "CrysTens", Digital Discovery 2024, 3, 62).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from dismai.models.crystens.hparams import PROPERTY_LINES
from dismai.models.image.scales import Scales

CHANNELS = 4
LINES = slice(0, 4)
"""Among the scaled quantities: species code, x, y, z."""
MAPS = slice(4, 8)
"""Among the scaled quantities: norm and components of differences."""
LATTICE_LINES = (slice(4, 7), slice(7, 10), slice(10, 11))
"""Lengths, angles, space group."""
CHUNK = 16
"""Structures whose differences are in memory at one time."""


@dataclass(frozen=True)
class Layout:
    """Where things are in the picture of n_atoms atoms; codes are those of their species."""

    codes: tuple[int, ...]
    separators: int

    @classmethod
    def of(cls, composition: dict[str, int], separators: int) -> Layout:
        """Codes 1, 2, ... in block order."""
        counts = composition.values()
        return cls(tuple(c for c, n in enumerate(counts, 1) for _ in range(n)), separators)

    @property
    def n_atoms(self) -> int:
        return len(self.codes)

    @property
    def first(self) -> int:
        """First line of an atom."""
        return PROPERTY_LINES + self.separators

    @property
    def side(self) -> int:
        """S, pixels."""
        return self.first + self.n_atoms


@lru_cache(maxsize=8)
def _codes(layout: Layout, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Codes of all atoms, (n_atoms,); sent to a device once."""
    return torch.tensor(layout.codes, dtype=dtype, device=device)


def atom_lines(f: Tensor, layout: Layout) -> Tensor:
    """Code, x, y, z of every atom: (B, n_atoms, 3) to (B, n_atoms, 4)."""
    codes = _codes(layout, f.dtype, f.device)
    return torch.cat([codes.expand(len(f), -1)[..., None], f], dim=-1)


def pair_maps(f: Tensor) -> Tensor:
    """|f_i - f_j| and f_i - f_j, no images: (B, n_atoms, 3) to (B, n_atoms, n_atoms, 4)."""
    differences = f[:, :, None] - f[:, None]
    return torch.cat([differences.norm(dim=-1, keepdim=True), differences], dim=-1)


def picture_scales(f: Tensor, layout: Layout) -> Scales:
    """Scales of the 8 quantities over a training set, (n, n_atoms, 3)."""
    lines = atom_lines(f, layout).flatten(0, 1)
    ends = [torch.aminmax(pair_maps(chunk).flatten(0, 2), dim=0) for chunk in f.split(CHUNK)]
    low = torch.stack([end.min for end in ends]).amin(0)
    high = torch.stack([end.max for end in ends]).amax(0)
    return Scales.joined((lines.amin(0), lines.amax(0)), (low, high))


def assemble(lines: Tensor, maps: Tensor, layout: Layout) -> Tensor:
    """Pictures, (B, 4, S, S), of lines, (B, n_atoms, 4), and maps, (B, n_atoms, n_atoms, 4)."""
    k, n_lines = layout.first, lines.shape[-1]
    picture = lines.new_zeros(len(lines), CHANNELS, layout.side, layout.side)
    picture[:, :, :n_lines, k:] = lines.transpose(1, 2)[:, None]
    picture[:, :, k:, :n_lines] = lines[:, None]
    picture[:, :, k:, k:] = maps.permute(0, 3, 1, 2)
    return picture


def encode(f: Tensor, layout: Layout, scales: Scales) -> Tensor:
    """Fractional coordinates, (B, n_atoms, 3), to pictures, (B, 4, S, S), in [0, 1]."""
    lines = scales[LINES].down(atom_lines(f, layout))
    return assemble(lines, scales[MAPS].down(pair_maps(f)), layout)


def decode(picture: Tensor, layout: Layout, scales: Scales) -> tuple[Tensor, Tensor]:
    """Fractional coordinates and diagnostics of pictures, in double precision.

        c_i = mean of the 8 copies,   d_ij = (D_ij - D_ji) / 2,   x_j = mean_i (c_i - d_ij)

    Geometry comes from the maps of differences; the lines of coordinates add a rigid shift.

    Args:
        picture: (B, 4, S, S)
        layout: of the atoms
        scales: with which it was built

    Returns:
        coordinates, not wrapped, (B, n_atoms, 3), and a column per name in `OF_PICTURES`, (B, 6):
        share of atoms whose code rounds to their own; mean |pixel| of lattice lengths, of angles,
        of the space group (should be 0; no unit); mean |c_i - d_ij - x_j|, fractional; mean
        difference of the norm map from |x_i - x_j|, fractional.
    """
    k = layout.first
    picture = picture.double()
    rows = picture[:, :, :PROPERTY_LINES, k:]
    columns = picture[:, :, k:, :PROPERTY_LINES].transpose(2, 3)
    copies = torch.cat([rows, columns], dim=1)  # (B, 8, 11, n_atoms)
    lines = scales[LINES].up(copies[:, :, LINES].transpose(2, 3)).mean(1)  # (B, n_atoms, 4)
    maps = scales[MAPS].up(picture[:, :, k:, k:].permute(0, 2, 3, 1))  # (B, i, j, 4)

    codes = _codes(layout, lines.dtype, lines.device)
    d = (maps[..., 1:] - maps[..., 1:].transpose(1, 2)) / 2
    guesses = lines[:, :, None, 1:] - d  # (B, i, j, 3): of atom j from atom i
    x = guesses.mean(1)
    norms = (x[:, :, None] - x[:, None]).norm(dim=-1)
    diagnostics = [
        (lines[..., 0].round() == codes).double().mean(1),
        *(copies[:, :, part].abs().mean((1, 2, 3)) for part in LATTICE_LINES),
        (guesses - x[:, None]).abs().mean((1, 2, 3)),
        (maps[..., 0] - norms).abs().mean((1, 2)),
    ]
    return x, torch.stack(diagnostics, dim=1)


@dataclass(frozen=True)
class Resize:
    """Nearest-pixel resizing between the full side S and the small side s, same for both axes.

    down: lines of the full picture that make the small one, (s,).  up: the line of the small
    picture that each line of the full one shows, (S,).
    """

    down: Tensor
    up: Tensor

    @classmethod
    def reference(cls, side: int, small: int) -> Resize:
        """Lines floor(i S / s), and back floor(j s / S), as published; x, y, z are not among them.

        64 of 280 lines are 0, 4, 8, 13, 17, 21, 26, ...
        """
        return cls(torch.arange(small) * side // small, torch.arange(side) * small // side)

    @classmethod
    def coordinate_preserving(cls, side: int, small: int, kept: int = LINES.stop) -> Resize:
        """The first `kept` lines, then evenly chosen ones; each line shows the last chosen one."""
        others = kept + torch.arange(small - kept) * (side - kept) // (small - kept)
        down = torch.cat([torch.arange(kept), others])
        return cls(down, torch.searchsorted(down, torch.arange(side), right=True) - 1)

    def to(self, device: torch.device) -> Resize:
        """The same for pictures on a device."""
        return Resize(self.down.to(device), self.up.to(device))

    def shrink(self, picture: Tensor) -> Tensor:
        """(B, C, S, S) to (B, C, s, s)."""
        return _pick(picture, self.down)

    def enlarge(self, picture: Tensor) -> Tensor:
        """(B, C, s, s) to (B, C, S, S)."""
        return _pick(picture, self.up)


def _pick(picture: Tensor, lines: Tensor) -> Tensor:
    return picture[:, :, lines[:, None], lines]
