"""The blocks of amorphous silicon that ship as a reference, cut and relaxed again."""

from dismai.base.card import DatasetSpec
from dismai.base.resources import resource
from dismai.base.seeds import seed_for
from dismai.datasets.amorphous_si.blocks import slice_blocks
from dismai.datasets.amorphous_si.build import build
from dismai.datasets.amorphous_si.bulk import read_bulk
from dismai.datasets.amorphous_si.settings import AmorphousSiDataset
from dismai.datasets.baselines import random_atoms
from dismai.datasets.recipe import SEED, Relaxed, Size, TrainingSet, Trivial, origin_of, recipe_of
from dismai.potentials import check_entry
from dismai.potentials.settings import RelaxationSettings

SMALL = {"n_atoms": 64, "n_structures": 40, "candidates": 1}


def training_set(card: DatasetSpec, size: Size, relaxed: Relaxed) -> TrainingSet:
    """Blocks of the large cell that ships, relaxed in the potential of the reference.

    small: 40 blocks of 64 atoms.
    """
    recipe = recipe_of(card)
    if size == "small":
        recipe["settings"] = {**recipe["settings"], **SMALL}
    settings = AmorphousSiDataset(**recipe["settings"])
    bulk = read_bulk(resource("asi_100k.npz"))
    blocks = slice_blocks(
        bulk,
        settings.n_atoms,
        settings.n_structures,
        settings.split,
        settings.validation_share,
        seed_for(SEED, "slice_blocks", card.name),
        settings.spare_share,
        settings.candidates,
    )
    structures, table = relaxed(
        blocks, check_entry(recipe["potential"]), RelaxationSettings(**recipe["relaxation"])
    )
    return TrainingSet(
        *build(structures, table, card.name, settings, bulk, origin_of(recipe, size))
    )


def trivial(card: DatasetSpec, n: int, seed: int) -> Trivial:
    """Atoms at random places."""
    return "random_atoms", random_atoms(card, n, seed)
