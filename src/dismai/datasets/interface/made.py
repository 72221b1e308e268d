"""The interfaces that ship as a reference, assembled and relaxed again."""

from dismai.base.card import DatasetSpec
from dismai.base.extras import need
from dismai.datasets.interface.build import build, random_interfaces
from dismai.datasets.interface.settings import InterfaceDataset
from dismai.datasets.recipe import (
    STRUCTURES,
    Relaxed,
    Size,
    TrainingSet,
    Trivial,
    origin_of,
    recipe_of,
    unpacked,
)
from dismai.potentials import check_entry
from dismai.potentials.settings import RelaxationSettings


def training_set(card: DatasetSpec, size: Size, relaxed: Relaxed) -> TrainingSet:
    """Random interfaces of the geometry on the card, relaxed in CHGNet; those of low energy.

    Both sizes are that of the reference, 50 interfaces of 44 atoms: the papers' 264 atoms take
    hundreds of core hours (docs/datasets.md). Interfaces that ship themselves come out as they are.
    """
    if STRUCTURES in card.provenance:
        return unpacked(card)
    need("chgnet", "pymatgen")
    recipe, settings = recipe_of(card), settings_of(card)
    random = random_interfaces(
        settings.geometry, settings.n_random, recipe["seed"], "random_interfaces", card.name
    )
    structures, table = relaxed(
        random, check_entry(recipe["potential"]), RelaxationSettings(**recipe["relaxation"])
    )
    origin = origin_of(recipe, size)
    return TrainingSet(*build(structures, table, card.name, settings, recipe["seed"], origin))


def settings_of(card: DatasetSpec) -> InterfaceDataset:
    """Settings of the shipped interfaces, with an engine of the lattice match that is installed."""
    settings = InterfaceDataset(**recipe_of(card)["settings"])
    match = settings.geometry.match.model_copy(update={"engine": "exact"})  # finds the same match
    geometry = settings.geometry.model_copy(update={"match": match})
    return settings.model_copy(update={"geometry": geometry})


def trivial(card: DatasetSpec, n: int, seed: int) -> Trivial:
    """Random interfaces as they are assembled."""
    geometry, purpose = settings_of(card).geometry, "random_interfaces_baseline"
    return "random_interfaces", random_interfaces(geometry, n, seed, purpose, card.name)
