"""What only crystals have: differences from the paper, shipped reference, generators."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from ase import Atoms

from dismai.base.card import CrystalSpec
from dismai.base.columns import SPACE_GROUP
from dismai.base.seeds import generator_for
from dismai.datasets.crystals.made import training_set as training_set
from dismai.datasets.crystals.made import trivial as trivial


def features_of_reference(
    packed: pd.DataFrame, numbered: pd.DataFrame, spec: CrystalSpec, expansion: Any
) -> pd.DataFrame:
    """Features of the crystals of a shipped reference: they are what it holds."""
    return pd.concat([numbered, packed], axis=1)


def differences(spec: CrystalSpec) -> list[str]:
    """The crystals of the paper are licensed: no other set is theirs."""
    return ["not the 53,856 crystals of the paper"]


def shuffled_lines(
    train: Sequence[Atoms],
    val: Sequence[Atoms],
    spec: CrystalSpec,
    n: int,
    sigma_A: float,
    seed: int,
) -> list[Atoms]:
    """Sites and elements of one training crystal in the cell of another one.

    Every distribution that is compared alone is right, and the crystals are not.
    """
    structures = []
    for i in range(n):
        rng = generator_for(seed, "shuffled_lines", spec.name, i)
        sites, cell = (train[k] for k in rng.integers(len(train), size=2))
        scaled = sites.get_scaled_positions()
        info = {name: value for name, value in cell.info.items() if name == SPACE_GROUP}
        structures.append(
            Atoms(sites.numbers, scaled_positions=scaled, cell=cell.cell, pbc=True, info=info)
        )
    return structures


def read_back(train: Sequence[Atoms], val: Sequence[Atoms], clustering: str) -> list[Atoms]:
    """Held-out crystals as perfect pictures, read back: what the reading alone costs.

    Pictures are scaled by the training and held-out crystals together, so that none is cut.

    clustering: of the reading (`models.crystals.decode`).
    """
    from dismai.models.crystals.decode import decode  # needs torch
    from dismai.models.crystals.pictures import encode, picture_scales

    scales = picture_scales([*train, *val])
    pictures = (encode([one], scales) for one in val)
    return [atoms for picture in pictures for atoms in decode(picture, scales, clustering)]


BASELINES = {
    "shuffled_lines": shuffled_lines,
    "published_reading": lambda train, val, *_: read_back(train, val, "published"),
    "auto_reading": lambda train, val, *_: read_back(train, val, "auto"),
}
