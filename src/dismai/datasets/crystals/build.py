"""A set of crystals from those that passed: drawn, split by formula and group, described."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import spglib
from ase import Atoms
from ase.data import chemical_symbols

from dismai.base.card import CrystalSpec
from dismai.base.columns import SPACE_GROUP
from dismai.base.errors import InputError, StructureError
from dismai.base.seeds import generator_for
from dismai.datasets.crystals.filter import group_of
from dismai.datasets.crystals.settings import CrystalsDataset


def build(
    crystals: Sequence[Atoms | StructureError],
    name: str,
    settings: CrystalsDataset,
    provenance: dict,
    seed: int,
) -> tuple[list[Atoms], list[Atoms], CrystalSpec]:
    """Training set, validation set and card, both sets in the order of the source.

    Args:
        crystals: crystals with `name` and `space_group` in `info`, and reasons in place of others.
        name: of the dataset.
        settings: its entry in the configuration.
        provenance: for the card.
        seed: root of the draws.

    Raises:
        InputError: fewer crystals than are wanted, or groups too large for the share held out.
    """
    accepted = [one for one in crystals if isinstance(one, Atoms)]
    if len(accepted) < settings.n_structures:
        raise InputError(
            f"datasets.{name}.n_structures: expected at most the {len(accepted)} crystals accepted "
            f"of {len(crystals)}, found {settings.n_structures}"
        )
    drawn = generator_for(seed, "crystals", name, "drawn").permutation(len(accepted))
    taken = [accepted[i] for i in np.sort(drawn[: settings.n_structures])]
    held_out = grouped_split(
        [group_of(one) for one in taken],
        round(settings.validation_share * len(taken)),
        generator_for(seed, "crystals", name, "split"),
    )
    train, val = ([a for a, held in zip(taken, held_out, strict=True) if held == part]
                  for part in (False, True))  # fmt: skip
    spec = CrystalSpec(
        name=name,
        kind="crystals",
        max_atoms=settings.max_atoms,
        elements=_elements(taken),
        n_train=len(train),
        n_val=len(val),
        notes=_notes(settings),
        provenance=provenance,
        statistics={
            "n_read": len(crystals),
            "n_accepted": len(accepted),
            "n_space_groups": len({one.info[SPACE_GROUP] for one in taken}),
            "n_groups_of_the_split": len({group_of(one) for one in taken}),
            "atoms_median": float(np.median([len(one) for one in taken])),
            "spglib": spglib.__version__,
        },
    )
    return train, val, spec


def grouped_split(groups: Sequence[tuple], n_held_out: int, rng: np.random.Generator) -> np.ndarray:
    """Which structures are held out, (n,): whole groups, drawn at random, of exactly this number.

    A group that would exceed the number stays in the training set.

    Raises:
        InputError: the drawn groups do not add up to the number.
    """
    sizes = Counter(groups)
    held: set[tuple] = set()
    left = n_held_out
    known = list(sizes)
    for index in rng.permutation(len(known)):
        if sizes[known[index]] <= left:
            held.add(known[index])
            left -= sizes[known[index]]
    if left:
        raise InputError(
            f"split: expected {n_held_out} crystals in whole groups of one formula and space group "
            f"to hold out, found {n_held_out - left} of {len(groups)}: change validation_share"
        )
    return np.array([group in held for group in groups], dtype=bool)


def _elements(crystals: Sequence[Atoms]) -> tuple[str, ...]:
    numbers = sorted({number for one in crystals for number in one.numbers.tolist()})
    return tuple(chemical_symbols[number] for number in numbers)


def _notes(settings: CrystalsDataset) -> tuple[str, ...]:
    cell = "Standard conventional cells" if settings.conventional else "Cells as given"
    return (
        *([settings.origin] if settings.origin else []),
        f"{cell}; space groups within {settings.symprec_A:g} Å by spglib. Crystals of one formula "
        "and space group are all trained on or all held out.",
        "Not the 53,856 crystals of the CrysTens paper, which are licensed (Pearson's Crystal "
        "Data).",
    )
