"""Training sets by one call: those of the references that ship, at their size or small."""

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd
from ase import Atoms

from dismai.base.card import read_card, write_card
from dismai.base.errors import InputError
from dismai.base.kinds import KINDS
from dismai.base.resources import check_shipped, shipped_references
from dismai.datasets.recipe import Size, TrainingSet
from dismai.evaluation.parallel import Reporter, in_order
from dismai.evaluation.reference import load_shipped
from dismai.evaluation.relax import close_relaxers, relax
from dismai.files.structures import write_structures
from dismai.metrics.clusters import published_expansion
from dismai.potentials.relax import table_of
from dismai.potentials.relaxation_plan import RelaxationPlan
from dismai.potentials.settings import Potential, RelaxationSettings

CARD = "card.json"


def dataset(
    name: str,
    size: Size = "paper",
    n_jobs: int = 1,
    state: Path | None = None,
    reporter: Reporter | None = None,
) -> TrainingSet:
    """The training set of a dataset whose reference ships: train, val, card.

    Alloys and crystals come out as they are in the reference. Silicon and interfaces are relaxed
    here: another machine or version ends a little elsewhere, within the recipe.

    Args:
        name: of the dataset.
        size: `paper`, that of the reference; `small`, to try things out.
        n_jobs: processes that relax; no result depends on it.
        state: folder that keeps finished relaxations, so that a killed call goes on.
        reporter: told how the work goes on.

    Raises:
        InputError: no such dataset.
    """
    check_shipped(name, shipped_references())
    card = load_shipped(name, published_expansion()).spec
    make = KINDS[card.kind].extra("training_set")
    if make is None:
        raise InputError(f"dataset {name!r}: expected one that can be made, found only features")
    return make(card, size, partial(_relaxed, n_jobs=n_jobs, state=state, reporter=reporter))


def _relaxed(
    structures: Sequence[Atoms],
    potential: Potential,
    settings: RelaxationSettings,
    n_jobs: int,
    state: Path | None,
    reporter: Reporter | None,
) -> tuple[list[Atoms], pd.DataFrame]:
    """Structures where they ended, and the table of their relaxation."""
    plan = RelaxationPlan(potential, settings, state)
    elements = sorted({symbol for atoms in structures for symbol in atoms.symbols})
    work = partial(relax, relaxation=plan, elements=elements)
    try:
        ended = list(in_order(work, structures, n_jobs, "relaxations", reporter))
    finally:
        close_relaxers()
    return [one.atoms for one in ended], table_of(ended)


def check_place(name: str, out: Path, val: Path | None) -> None:
    """InputError where files would take the place of each other, or of another dataset's card."""
    if val is not None and val.resolve() == out.resolve():
        raise InputError(f"--val {val}: expected another file than that of --out")
    card = out.with_name(CARD)
    if card.exists() and (found := read_card(card).name) != name:
        raise InputError(
            f"{card}: expected the card of {name}, found that of {found}; another folder, please"
        )


def write_dataset(made: TrainingSet, out: Path, val: Path | None = None) -> None:
    """Write the training set, its card beside it, and what is held out where a file is named."""
    write_structures(made.train, out)
    if val is not None:
        write_structures(made.val, val)
    write_card(made.card, out.with_name(CARD))


def make_files(
    name: str,
    out: Path,
    val: Path | None = None,
    size: Size = "paper",
    n_jobs: int = 1,
    state: Path | None = None,
    reporter: Reporter | None = None,
) -> str:
    """Make a set and write its files; says what was written and how long it took."""
    check_place(name, out, val)
    began = time.monotonic()
    made = dataset(name, size, n_jobs, state, reporter)
    write_dataset(made, out, val)
    mebibytes = out.stat().st_size / 2**20
    held_out = "" if val is None else f", {len(made.val)} held out in {val}"
    return (
        f"{out}: {len(made.train)} structures of {made.card.size}, {mebibytes:.1f} MiB{held_out}; "
        f"{time.monotonic() - began:.0f} s"
    )
