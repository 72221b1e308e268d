"""The crystals that ship as a reference, read from the CIFs that ship."""

from pathlib import Path
from typing import NoReturn

import numpy as np
from ase import Atoms

from dismai.base.card import CrystalSpec
from dismai.base.extras import need
from dismai.base.resources import resource
from dismai.base.seeds import generator_for
from dismai.datasets.crystals.build import build
from dismai.datasets.crystals.describe import SMALLEST_DISTANCE_A
from dismai.datasets.crystals.filter import (
    crystal,
    flags,
    shortest_distance,
    without_flagged_and_copies,
)
from dismai.datasets.crystals.read import read
from dismai.datasets.crystals.settings import CrystalsDataset
from dismai.datasets.recipe import Relaxed, Size, TrainingSet, Trivial, origin_of, recipe_of

MOST_DRAWS = 100


def training_set(card: CrystalSpec, size: Size, relaxed: Relaxed) -> TrainingSet:
    """The crystals of the AFLOW encyclopedia on the card; small: 100 of them."""
    need("pymatgen")
    recipe = recipe_of(card)
    if size == "small":
        recipe["settings"] = {**recipe["settings"], "n_structures": 100}
    settings = CrystalsDataset(**recipe["settings"])
    frames = [crystal(frame, settings) for frame in read(_shipped(settings.source))]
    crystals = without_flagged_and_copies(frames, flags(_shipped(settings.leave_out)))
    return TrainingSet(
        *build(crystals, card.name, settings, origin_of(recipe, size), recipe["seed"])
    )


def trivial(card: CrystalSpec, n: int, seed: int) -> Trivial:
    """The atoms of training crystals at random places in a cube of the same volume."""
    training = training_set(card, "paper", _never)
    structures = []
    for i in range(n):
        rng = generator_for(seed, "random_places", card.name, i)
        atoms = training.train[rng.integers(len(training.train))]
        cube = atoms.get_volume() ** (1 / 3)
        structures.append(_at_random(atoms.numbers, cube, rng))
    return "random_places", structures


def _at_random(numbers: np.ndarray, cube: float, rng: np.random.Generator) -> Atoms:
    """Atoms in a cube, drawn again while two are too close to be scored; at last as they are."""
    for _ in range(MOST_DRAWS):
        places = rng.random((len(numbers), 3))
        atoms = Atoms(numbers, scaled_positions=places, cell=[cube] * 3, pbc=True)
        if shortest_distance(atoms, SMALLEST_DISTANCE_A) >= SMALLEST_DISTANCE_A:
            break
    return atoms


def _never(*_: object) -> NoReturn:
    raise NotImplementedError("crystals are not relaxed")


def _shipped(path: str) -> Path:
    """Where a file that the card names as one of the checkout is in this installation."""
    return resource(Path(path).relative_to("resources").as_posix())
