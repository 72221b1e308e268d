"""Orders of atoms: a picture shows atom i in row i, so models learn what row i usually is.

Files hold species in blocks; in an interface every block begins with the atoms of the disordered
region, then come the layers of the slabs, always in the same order. Atoms of the region have no
order of their own: they are shuffled among equals in copies of the structure. Shuffling all atoms
destroys what the models learn (Dismai-Bench paper).
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from dismai.base.card import REGION_ATOMS, DatasetSpec
from dismai.base.device import sent
from dismai.base.errors import InputError
from dismai.base.kinds import KINDS
from dismai.base.seeds import generator_for

PAPER_COPIES = 50


def default_region(spec: DatasetSpec) -> dict[str, int]:
    """Atoms of the disordered region by species, from the card; interfaces have one, others none.

    A card that does not tell is taken for one of the papers' interfaces.
    """
    region = KINDS[spec.kind].paper_region
    return spec.statistics.get(REGION_ATOMS, dict(region)) if region else {}


def chosen_region(region: dict[str, int] | str | None, spec: DatasetSpec) -> dict[str, int]:
    """Atoms that are shuffled, by species: those that are given, all, or those of the card."""
    if region == "all":
        return dict(spec.composition)
    return default_region(spec) if region is None else region


def default_copies(spec: DatasetSpec) -> int:
    """Orders of every structure that are trained on in the paper, that of the file included."""
    return PAPER_COPIES if KINDS[spec.kind].paper_region else 1


def region_blocks(spec: DatasetSpec, region: dict[str, int]) -> list[np.ndarray]:
    """Indices of the atoms of the region, one array per species: the first ones of its block."""
    starts, start = {}, 0
    for symbol, n_block in spec.composition.items():
        starts[symbol], start = start, start + n_block
    blocks = []
    for symbol, n_region in region.items():
        if n_region > spec.composition.get(symbol, 0):
            raise InputError(
                f"region.{symbol}: expected at most the {spec.composition.get(symbol, 0)} {symbol} "
                f"atoms of {spec.name}, found {n_region}"
            )
        blocks.append(starts[symbol] + np.arange(n_region))
    return blocks


class RegionOrders:
    """The copies of every training structure; copy 0 is the order of the file.

    Epoch e shows copy (i + e) mod n_copies of structure i: after n_copies epochs each was seen
    once, as in a training set that holds all copies. No copy is ever stored.
    """

    def __init__(self, spec: DatasetSpec, region: dict[str, int], n_copies: int, seed: int):
        self.n_atoms, self.n_copies, self.seed = spec.n_atoms, n_copies, seed
        self.blocks = region_blocks(spec, region)

    def order(self, structure: int, copy: int) -> np.ndarray:
        """Which atom of the file stands in every row, (n_atoms,)."""
        order = np.arange(self.n_atoms)
        if copy:
            random = generator_for(self.seed, "order", structure, copy)
            for block in self.blocks:
                order[block] = random.permutation(block)
        return order

    def of_epoch(self, items: Sequence[int], epoch: int) -> Tensor:
        """Orders of structures in an epoch, (B,) to (B, n_atoms), on the CPU."""
        orders = [self.order(int(i), (int(i) + epoch) % self.n_copies) for i in items]
        return torch.from_numpy(np.stack(orders))


def reorder(f: Tensor, orders: Tensor) -> Tensor:
    """Rows of every structure in its order: (B, n_atoms, ...), (B, n_atoms) to the same as f."""
    return f[torch.arange(len(f), device=f.device)[:, None], sent(orders, f.device)]
