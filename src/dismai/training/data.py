"""Training structures as arrays, and batches whose order follows from (seed, epoch) alone."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from ase import Atoms
from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader, Dataset, Sampler

from dismai.base.card import DatasetSpec
from dismai.base.errors import InputError
from dismai.base.seeds import generator_for

CELL_TOLERANCE_A = 1e-3
FACE_TOLERANCE = 1e-6
"""Fractional; what lies this close below the upper face of a cell is put on the lower one."""


def fractional_coordinates(
    structures: list[Atoms], spec: DatasetSpec, name: str = "training set"
) -> np.ndarray:
    """Fractional coordinates in [0, 1), (n, n_atoms, 3), after a check against the card."""
    if not structures:
        raise InputError(f"{name} of {spec.name}: expected structures, found none")
    for i, atoms in enumerate(structures):
        place = f"{name} of {spec.name}: structure {i}"
        if atoms.get_chemical_symbols() != spec.symbols:
            expected = " ".join(f"{symbol}{n}" for symbol, n in spec.composition.items())
            found = atoms.symbols.get_chemical_formula(mode="reduce")
            raise InputError(f"{place}: expected blocks of species {expected}, found {found}")
        if not np.allclose(atoms.cell.array, spec.cell, rtol=0, atol=CELL_TOLERANCE_A):
            cell = atoms.cell.array.round(4).tolist()
            raise InputError(f"{place}: expected the cell of the card, found {cell}")
        if not np.isfinite(atoms.positions).all():
            raise InputError(f"{place}: expected finite positions, found NaN or infinity")
    positions = np.array([atoms.positions for atoms in structures])
    x = positions @ np.linalg.inv(spec.cell)
    x -= np.floor(x)
    return np.where(x > 1.0 - FACE_TOLERANCE, 0.0, x)


class EpochBatches(Sampler[list[int]]):
    """Batches of indices, each index once an epoch; Lightning tells it the epoch."""

    def __init__(self, n_items: int, batch: int, seed: int):
        self.n_items, self.batch, self.seed = n_items, batch, seed
        self.epoch = 0
        self._left_out = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def leave_out(self, n_batches: int) -> None:
        """Begin the next epoch, and that one only, after its first n batches."""
        self._left_out = n_batches

    def __len__(self) -> int:
        return math.ceil(self.n_items / self.batch)

    def __iter__(self) -> Iterator[list[int]]:
        order = generator_for(self.seed, "order", self.epoch).permutation(self.n_items)
        first, self._left_out = self._left_out * self.batch, 0
        for start in range(first, self.n_items, self.batch):
            yield order[start : start + self.batch].tolist()


class TrainingData(LightningDataModule):
    """Serves a dataset that takes a list of indices and returns a whole batch of tensors.

    pinned: batches lie where a GPU fetches them while the host goes on.
    """

    def __init__(self, dataset: Dataset, batch: int, seed: int, pinned: bool = False):
        super().__init__()
        self.dataset = dataset
        self.pinned = pinned and torch.cuda.is_available()
        self.sampler = EpochBatches(len(dataset), batch, seed)

    def train_dataloader(self) -> DataLoader:
        return DataLoader(
            self.dataset, sampler=self.sampler, batch_size=None, pin_memory=self.pinned
        )
