"""What `dismai dataset` makes: the training set of a shipped reference, by what its card says."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import pandas as pd
from ase import Atoms

from dismai.base.card import Card
from dismai.potentials.settings import Potential, RelaxationSettings

Size = Literal["small", "paper"]
SEED = 20240701
"""Root seed of all sets that ship, where their card does not say it (config/config.yaml)."""
Trivial = tuple[str, Sequence[Atoms]]
"""Name of a generator that learns nothing, and structures of it."""

Relaxed = Callable[
    [Sequence[Atoms], Potential, RelaxationSettings], tuple[list[Atoms], pd.DataFrame]
]
"""Structures where their relaxation in a potential ended, and the table of it."""


class TrainingSet(NamedTuple):
    """Structures to train on, those that are held out, and their card."""

    train: list[Atoms]
    val: list[Atoms]
    card: Card


def recipe_of(card: Card) -> dict[str, Any]:
    """Settings by which the set of a shipped reference was made."""
    return dict(card.provenance["params"])


def origin_of(recipe: dict[str, Any], size: Size) -> dict[str, Any]:
    """What the card of a set says of where it comes from."""
    return {"made_by": "dismai dataset", "size": size, "params": recipe}
