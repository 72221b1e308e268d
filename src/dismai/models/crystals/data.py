"""Crystals of a set as pictures, drawn batch by batch: all of the paper's would take 3.5 GB."""

from collections.abc import Sequence

import torch
from ase import Atoms
from torch import Tensor
from torch.utils.data import Dataset

from dismai.base.errors import InputError
from dismai.models.crystals.pictures import drawn, lines_of
from dismai.models.image.scales import Scales


class PictureSet(Dataset):
    """Serves pictures in [0, 1] of crystals with given numbers, (B, 4, 64, 64), float32.

    name: of the set in errors.
    """

    def __init__(self, crystals: Sequence[Atoms], scales: Scales, name: str):
        if not crystals:
            raise InputError(f"{name}: expected structures, found none")
        self.lines, self.present = lines_of(crystals)
        self.scales = scales

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, items: list[int]) -> Tensor:
        chosen = torch.as_tensor(items)
        return drawn(self.lines[chosen], self.present[chosen], self.scales).float()
