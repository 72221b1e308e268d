"""Structures as videos: one frame per atom, one pixel per species, three channels x, y, z.

The pixel of an atom's species holds its coordinates, fractional, scaled to [0, 1] by the least
and largest of the training set; all other pixels are -1 (Dismai-Bench, section 4.2.4).
"""

import torch
from torch import Tensor

from dismai.base.card import DatasetSpec

BACKGROUND = -1.0
PRESENT = -0.5
"""A channel counts as background strictly below it: what rounds to -1, half to even."""


def species_mask(spec: DatasetSpec, side: int) -> Tensor:
    """The pixel of the right species in every frame, (n_atoms, side, side).

    Pixel k, row by row, is species k in the order of the card.
    """
    counts = torch.tensor(list(spec.composition.values()))
    pixel = torch.repeat_interleave(torch.arange(len(counts)), counts)  # of every atom
    return (torch.arange(side**2) == pixel[:, None]).unflatten(1, (side, side))


def encode(scaled: Tensor, mask: Tensor) -> Tensor:
    """Videos of structures.

    Args:
        scaled: coordinates in [0, 1], (B, n_atoms, 3)
        mask: of the right pixels, (n_atoms, side, side)

    Returns:
        (B, 3, n_atoms, side, side)
    """
    return torch.where(mask, scaled.transpose(1, 2)[..., None, None], BACKGROUND)


def decode(video: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Coordinates, and which atoms are right.

    An atom is right if all channels of the pixel of its species are present, and no other pixel
    of its frame is. The published check leaves out the first: an empty frame passes as right.

    Args:
        video: (B, 3, n_atoms, side, side)
        mask: of the right pixels, (n_atoms, side, side)

    Returns:
        scaled coordinates, (B, n_atoms, 3), and whether each atom is right, (B, n_atoms)
    """
    present = (video >= PRESENT).all(dim=1)  # (B, n_atoms, side, side); false for NaN
    right = (present == mask).all(dim=(-1, -2))
    # The only pixel under the mask; not a sum, which would spread NaN from the others.
    scaled = video.permute(0, 2, 3, 4, 1)[:, mask]
    return scaled, right
