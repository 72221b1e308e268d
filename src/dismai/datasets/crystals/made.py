"""The crystals that ship as a reference, read from the CIFs that ship."""

from pathlib import Path

from dismai.base.card import CrystalSpec
from dismai.base.extras import need
from dismai.base.resources import resource
from dismai.datasets.crystals.build import build
from dismai.datasets.crystals.filter import crystal, flags, without_flagged_and_copies
from dismai.datasets.crystals.read import read
from dismai.datasets.crystals.settings import CrystalsDataset
from dismai.datasets.recipe import Relaxed, Size, TrainingSet, origin_of, recipe_of


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


def _shipped(path: str) -> Path:
    """Where a file that the card names as one of the checkout is in this installation."""
    return resource(Path(path).relative_to("resources").as_posix())
