"""The alloys that ship as references, sampled again: equal to them in every decoration."""

from dismai.base.card import DatasetSpec, FccLattice
from dismai.datasets.alloy.build import build, sample
from dismai.datasets.baselines import random_decoration
from dismai.datasets.recipe import Relaxed, Size, TrainingSet, Trivial, origin_of, recipe_of
from dismai.metrics.clusters import published_expansion

SMALL_SAMPLING = {
    "supercell": [2, 2, 2],
    "composition": {"Cr": 6, "Fe": 20, "Ni": 6},
    "n_runs": 4,
    "n_passes": 10_000,
    "burn_in_passes": 2000,
}
SMALL = {"n_structures": 100, "sro_tolerance": 0.5}  # one pair is 0.3 of alpha in 32 sites


def training_set(card: DatasetSpec, size: Size, relaxed: Relaxed) -> TrainingSet:
    """Monte Carlo snapshots of the temperature on the card, selected and split.

    small: 100 structures of 32 atoms.
    """
    recipe = recipe_of(card)
    if size == "small":
        recipe["sampling"] = {**recipe["sampling"], **SMALL_SAMPLING}
        recipe["settings"] = {**recipe["settings"], **SMALL}
    sampling, settings, seed = recipe["sampling"], recipe["settings"], recipe["seed"]
    expansion = published_expansion()
    supercell = tuple(sampling["supercell"])
    snapshots = sample(
        settings["temperature_K"],
        expansion,
        supercell,
        sampling["composition"],
        sampling["swaps"],
        sampling["n_runs"],
        sampling["n_passes"],
        sampling["interval"],
        seed,
        n_threads=2,
    )
    return TrainingSet(
        *build(
            snapshots,
            card.name,
            settings["temperature_K"],
            settings["selection"],
            FccLattice(a_A=expansion.a_A, supercell=supercell),
            settings["n_structures"],
            sampling["burn_in_passes"],
            settings["sro_tolerance"],
            settings["validation_share"],
            seed,
            origin_of(recipe, size),
        )
    )


def trivial(card: DatasetSpec, n: int, seed: int) -> Trivial:
    """The atoms of the card on shuffled sites."""
    return "random_decoration", random_decoration(card, n, seed)
