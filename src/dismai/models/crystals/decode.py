"""Pictures to crystals, each with what its picture says of itself in its `info`."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from torch import Tensor

from dismai.base.columns import SPACE_GROUP
from dismai.models.crystals.clusters import Clustering, sites_of, species_of
from dismai.models.crystals.reading import Reading, read
from dismai.models.image.scales import Scales

LARGEST_NUMBER = 99
BEFORE_MERGING = "n_atoms_before_merging"


def decode(pictures: Tensor, scales: Scales, clustering: Clustering) -> list[Atoms]:
    """Crystals of pictures, (B, 4, 64, 64), in order, coordinates not wrapped.

    A picture without an atom, without a cell or with an atomic number outside 1 to 99 is an empty
    structure: it fails, and says so, when the set is scored.

    Args:
        pictures: in [0, 1].
        scales: with which the training set was encoded.
        clustering: of species and coordinates: `published` (3 and 6 means), `none`, or `auto`.
    """
    return [_structure(one, clustering) for one in read(pictures, scales)]


def _structure(reading: Reading | None, clustering: Clustering) -> Atoms:
    if reading is None:
        return Atoms()
    numbers = species_of(reading.species.numpy(), clustering)
    sites = sites_of(reading.sites.numpy(), clustering, reading.site_error)
    cell = reading.cell.numpy()
    if not (has_volume(cell) and numbers.min() >= 1 and numbers.max() <= LARGEST_NUMBER):
        return Atoms(info=dict(reading.said))
    kept = _first_of_each(numbers, sites)
    info = {
        SPACE_GROUP: reading.space_group,
        BEFORE_MERGING: reading.n_atoms,
        **reading.said,
    }
    return Atoms(numbers[kept], scaled_positions=sites[kept], cell=cell, pbc=True, info=info)


def has_volume(cell: np.ndarray) -> bool:
    """Whether lengths and angles make a cell."""
    lengths, cosines = cell[:3], np.cos(np.radians(cell[3:]))
    squared = 1.0 - (cosines**2).sum() + 2.0 * cosines.prod()
    return bool((lengths > 0).all() and (cell[3:] > 0).all() and squared > 1e-6)


def _first_of_each(numbers: np.ndarray, sites: np.ndarray) -> np.ndarray:
    """Atoms that do not repeat the species and the coordinates of an earlier one, in order."""
    both = np.column_stack([numbers, sites])
    return np.sort(np.unique(both, axis=0, return_index=True)[1])
