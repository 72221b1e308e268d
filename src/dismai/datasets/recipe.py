"""What `dismai dataset` makes: the training set of a shipped reference, by what its card says."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import pandas as pd
from ase import Atoms

from dismai.base.atomic import sha256
from dismai.base.card import Card
from dismai.base.errors import InputError
from dismai.base.resources import resource
from dismai.files.structures import read_structures
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


STRUCTURES = "structures"
"""In the provenance of a card: the shipped file that holds the structures, and its SHA-256."""


class TrainingSet(NamedTuple):
    """Structures to train on, those that are held out, and their card."""

    train: list[Atoms]
    val: list[Atoms]
    card: Card


def recipe_of(card: Card) -> dict[str, Any]:
    """Settings by which the set of a shipped reference was made."""
    return dict(card.provenance["params"])


def unpacked(card: Card) -> TrainingSet:
    """The structures of a shipped reference, where they ship, too.

    Raises:
        InputError: a file of other bytes than those that the card names.
    """
    file = card.provenance[STRUCTURES]
    path = resource(file["file"])
    if (found := sha256(path)) != file["sha256"]:
        raise InputError(f"{path}: expected SHA-256 {file['sha256']}, found {found}")
    structures = read_structures(path)
    return TrainingSet(structures[: card.n_train], structures[card.n_train :], card)


def origin_of(recipe: dict[str, Any], size: Size) -> dict[str, Any]:
    """What the card of a set says of where it comes from."""
    return {"made_by": "dismai dataset", "size": size, "params": recipe}
