"""One structure after another: check, clean, relax, describe; none is lost on the way."""

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from ase import Atoms
from ase.cell import Cell
from ase.data import chemical_symbols

from dismai.base.card import Card
from dismai.base.columns import RELAXED
from dismai.base.errors import InputError, StructureError
from dismai.base.kinds import KINDS
from dismai.base.text import on_one_line
from dismai.datasets.options import Options
from dismai.evaluation.parallel import Reporter, in_order
from dismai.evaluation.relax import check_kind, close_relaxers, relax_ahead, relax_and_measure
from dismai.files.reading.on_demand import Frame, Numbered, OnDemand, Part, as_read
from dismai.files.structures import (
    FATES_SCHEMA,
    SOURCE_FILE,
    UNREADABLE,
    XYZ_SUFFIXES,
    concatenate_files,
    read_set,
    write_structures,
)
from dismai.geometry.cells import check_cell, check_finite
from dismai.metrics.self_reports import SELF_REPORTED

logger = logging.getLogger(__name__)


STAGES = ("read", "check", "clean", "relax", "describe")
"""What a structure goes through, in this order; it may fail at each."""


class Outline(NamedTuple):
    """What is kept of a structure as it was given, without its atoms; what it says of itself."""

    cell: Cell
    info: dict[str, Any]


@dataclass(frozen=True)
class Processed:
    """Accepted structures, what became of every structure, features of the accepted ones.

    clean: accepted structures before relaxation.  relaxed: after it; none without relaxation.
    Both as many as are kept, the first ones.  outlines: of readable structures, by number.
    unrelaxed: features of the same structures before relaxation, without energies; None without
    relaxation. A structure that cannot be described before has no row.
    """

    clean: list[Atoms]
    fates: pd.DataFrame
    features: pd.DataFrame
    relaxed: list[Atoms] = field(default_factory=list)
    unrelaxed: pd.DataFrame | None = None
    outlines: dict[int, Outline] = field(default_factory=dict)


def shard_range(n_generated: int, shard: int, n_shards: int) -> range:
    """Structures of one shard (from 0); every structure is in exactly one."""
    return range(shard * n_generated // n_shards, (shard + 1) * n_generated // n_shards)


def load_generated(
    path: Path, n_generated: int | None = None, only: range | None = None
) -> Mapping[int, Frame]:
    """Structures of a generated set by number; those that were never written are errors.

    Args:
        path: file of structures.
        n_generated: number that was asked for; fewer in the file count as failed. The number
            in the file by default.
        only: numbers to load; all by default.

    Raises:
        InputError: more structures than were generated, or nothing readable.
    """
    return numbered(read_set(path, only).frames, path, n_generated, only)


def numbered(
    frames: Sequence[Frame],
    path: Path | str,
    n_generated: int | None = None,
    only: range | None = None,
) -> Mapping[int, Frame]:
    """The structures of a file by number, as `load_generated` gives them."""
    n_expected = n_generated or len(frames)
    if len(frames) > n_expected:
        raise InputError(f"{path}: expected {n_expected} structures, found {len(frames)}")
    missing = StructureError(f"expected {n_expected} structures, found {len(frames)}")
    wanted = range(n_expected) if only is None else only
    parts = frames.parts if isinstance(frames, OnDemand) else frames
    return Numbered({i: parts[i] if i < len(parts) else missing for i in wanted})


def check(atoms: Atoms, spec: Card, may_lack_atoms: bool = False) -> Atoms:
    """A copy with periodic boundaries; StructureError if it cannot be a structure of the set."""
    check_finite(atoms)
    check_cell(atoms)
    numbers = Counter(atoms.numbers.tolist())
    counts = {chemical_symbols[number]: count for number, count in numbers.items()}
    if not (may_lack_atoms and Counter(counts) <= Counter(spec.composition)):
        spec.check(counts)
    if not atoms.pbc.all():
        atoms = atoms.copy()
        atoms.pbc = True
    return atoms


@dataclass(frozen=True)
class Fate:
    """What became of one structure: cleaned and described, or rejected at a stage, and why."""

    number: int
    stage: str = ""
    reason: str = ""
    clean: Atoms | None = None
    relaxed: Atoms | None = None
    counted: dict[str, float] = field(default_factory=dict)
    row: np.ndarray | None = None
    was_periodic: bool = True
    source_file: str = ""
    row_before: np.ndarray | None = None
    outline: Outline | None = None

    @property
    def is_accepted(self) -> bool:
        return not self.stage


def process_one(number: int, structure: Part, spec: Card, options: Options) -> Fate:
    """Check, clean, relax and describe one structure."""
    kind, structure = KINDS[spec.kind], as_read(structure)
    stage, was_periodic, source, outline = "read", True, source_of(structure), None
    try:
        if isinstance(structure, StructureError):
            raise structure
        stage, outline = "check", _outline(structure)
        was_periodic = bool(structure.pbc.all())
        atoms = check(structure, spec, options.cleaned and kind.on_fcc)
        stage = "clean"
        clean, counted = kind.clean(atoms, spec, options)
        clean.info["structure"] = number
        stage = "relax"
        minimum, moved = _relax(clean, spec, options)
        stage = "describe"
        row = kind.describe(clean if minimum is None else minimum, spec, options)
    except StructureError as error:
        lost = {"was_periodic": was_periodic, "source_file": source, "outline": outline}
        return Fate(number, stage, str(error), **lost)
    before = None if minimum is None else _described(clean, spec, options)
    counted = {**counted, **moved}
    return Fate(number, "", "", clean, minimum, counted, row, was_periodic, source, before, outline)


def _outline(atoms: Atoms) -> Outline:
    said = {name: atoms.info[name] for name in SELF_REPORTED if name in atoms.info}
    return Outline(atoms.cell, said)


def _described(atoms: Atoms, spec: Card, options: Options) -> np.ndarray | None:
    """The descriptors of a structure; None if it has none."""
    try:
        return KINDS[spec.kind].describe(atoms, spec, options)
    except StructureError:
        return None


def source_of(structure: Atoms | StructureError) -> str:
    """The file of a folder or archive that a structure stood in; empty if it stood in none."""
    if isinstance(structure, StructureError):
        return structure.source_file
    return str(structure.info.get(SOURCE_FILE, ""))


def _relax(atoms: Atoms, spec: Card, options: Options) -> tuple[Atoms | None, dict[str, float]]:
    """The structure at its minimum and `RELAXED`; nothing where structures are not relaxed."""
    if options.relaxation is None:
        return None, {}
    return relax_and_measure(atoms, options.relaxation, spec.species)


def _relaxed_columns(spec: Card, options: Options) -> list[str]:
    """Names of what relaxation adds to the features; InputError for a kind never relaxed."""
    if options.relaxation is None:
        return []
    check_kind(spec.kind)
    return RELAXED


def process(
    structures: Mapping[int, Frame],
    spec: Card,
    options: Options,
    n_jobs: int = 1,
    reporter: Reporter | None = None,
    n_kept: int | None = None,
) -> Processed:
    """Check, clean, relax and describe generated structures; each gets one row in the fates.

    A structure fails alone: unreadable, not finite, of another composition, not relaxed, not
    described. The result does not depend on the number of processes.

    n_kept: accepted structures to keep, all by default.
    """
    kind = KINDS[spec.kind]
    columns = ["structure", *kind.counted, *_relaxed_columns(spec, options)]
    work = partial(_process_item, spec=spec, options=options)
    ahead = partial(_cleaned, spec=spec, options=options)
    _relax_ahead(structures.values(), ahead, spec, options)
    parts = structures.parts if isinstance(structures, Numbered) else structures
    each = _each(work, list(parts.items()), n_jobs, "structures", reporter)
    fates = list(_without_atoms(each, n_kept))
    accepted = [fate for fate in fates if fate.is_accepted]
    n_not_periodic = sum(not fate.was_periodic for fate in fates)
    if n_not_periodic:
        logger.warning(
            "%d structures without periodic boundaries: taken as periodic", n_not_periodic
        )
    logger.info("accepted %d of %d structures", len(accepted), len(structures))
    numbered = pd.DataFrame(
        [{"structure": fate.number, **fate.counted} for fate in accepted],
        columns=columns,
    )
    rows = [
        (
            fate.number,
            "accepted" if fate.is_accepted else "rejected",
            fate.stage,
            fate.reason,
            fate.source_file,
        )
        for fate in fates
    ]
    return Processed(
        [fate.clean for fate in accepted if fate.clean is not None],
        pd.DataFrame(rows, columns=FATES_SCHEMA.names),
        kind.tabulate(np.array([fate.row for fate in accepted]), numbered, options),
        [fate.relaxed for fate in accepted if fate.relaxed is not None],
        None if options.relaxation is None else _unrelaxed(accepted, numbered, spec, options),
        {fate.number: fate.outline for fate in fates if fate.outline is not None},
    )


def _without_atoms(fates: Iterator[Fate], n_kept: int | None) -> Iterator[Fate]:
    """All fates, with the atoms of only the first accepted structures."""
    n_accepted = 0
    for fate in fates:
        n_accepted += fate.is_accepted
        let_go = n_kept is not None and n_accepted > n_kept
        yield replace(fate, clean=None, relaxed=None) if let_go else fate


def _unrelaxed(
    accepted: Sequence[Fate], numbered: pd.DataFrame, spec: Card, options: Options
) -> pd.DataFrame:
    """Features before relaxation of the accepted structures that have any."""
    kind = KINDS[spec.kind]
    known = [fate.row_before is not None for fate in accepted]
    rows = [fate.row_before for fate in accepted if fate.row_before is not None]
    columns = ["structure", *kind.counted]
    own = numbered.loc[known, columns].reset_index(drop=True)
    return kind.tabulate(np.array(rows), own, options)


def _relax_ahead(
    structures: Iterable[Frame],
    cleaned: Callable[[Atoms], Atoms],
    spec: Card,
    options: Options,
) -> None:
    """Where structures are relaxed side by side: all of them that get so far, before the rest."""
    if options.relaxation is None or options.relaxation.together < 2:
        return
    clean = []
    for structure in structures:
        with contextlib.suppress(StructureError):  # it fails again, and is reported, on its own
            if isinstance(structure, Atoms):
                clean.append(cleaned(structure))
    relax_ahead(clean, options.relaxation, spec.species)


def _cleaned(atoms: Atoms, spec: Card, options: Options) -> Atoms:
    return KINDS[spec.kind].clean(check(atoms, spec), spec, options)[0]


def _each(
    work: Callable, items: Sequence, n_jobs: int, name: str, reporter: Reporter | None
) -> Iterator:
    """Results of work on all items, in order; potentials are loaded for these items alone."""
    try:
        yield from in_order(work, items, n_jobs, name, reporter)
    finally:
        close_relaxers()


def _process_item(item: tuple[int, Part], spec: Card, options: Options) -> Fate:
    return process_one(*item, spec, options)


def describe_reference(
    structures: Sequence[Atoms],
    spec: Card,
    options: Options,
    source: str,
    n_jobs: int = 1,
    reporter: Reporter | None = None,
) -> pd.DataFrame:
    """Features of training structures, one row each; they are not cleaned.

    They are described as they are; alloys that are displaced from their sites are counted on the
    lattice fitted to them. With a potential they are relaxed, too, for the energy of
    their minima: no step where they are minima of that potential already.

    Raises:
        InputError: a structure of another composition, or one that cannot be described or relaxed.
    """
    kind = KINDS[spec.kind]
    columns = _relaxed_columns(spec, options)
    work = partial(_describe_item, spec=spec, options=options)
    _relax_ahead(structures, partial(check, spec=spec), spec, options)
    described = list(_each(work, structures, n_jobs, Path(source).name, reporter))
    for number, one in enumerate(described):
        if isinstance(one, StructureError):
            raise InputError(f"{source}: structure {number}: {one}")
    rows = [row for row, _ in described]
    numbered = pd.DataFrame({"structure": np.arange(len(rows))})
    for name in kind.counted:
        numbered[name] = 0.0
    for name in columns:
        numbered[name] = [moved[name] for _, moved in described]
    return kind.tabulate(np.array(rows), numbered, options)


def _describe_item(
    atoms: Atoms, spec: Card, options: Options
) -> tuple[np.ndarray, dict[str, float]] | StructureError:
    try:
        atoms = check(atoms, spec)
        KINDS[spec.kind].check_training(atoms, spec)
        _, moved = _relax(atoms, spec, options)
        return KINDS[spec.kind].describe(atoms, spec, options), moved
    except StructureError as error:
        return error


def import_file(source: Path, n_generated: int, target: Path) -> None:
    """Take over a file of structures made elsewhere; unreadable ones become empty places.

    Raises:
        InputError: no such file, nothing readable, or more structures than were generated.
    """
    found = read_set(source)
    structures = numbered(found.frames, source, n_generated)
    for note in found.notes:
        logger.warning("%s: %s", source, note)
    if source.suffix.lower() in XYZ_SUFFIXES and source.is_file():
        concatenate_files([source], target)  # damage stays where the next step reports it
        return
    write_structures(map(_with_its_place, structures.values()), target)


def _with_its_place(structure: Atoms | StructureError) -> Atoms:
    """The structure, or an empty one that says why there is none."""
    if isinstance(structure, Atoms):
        return structure
    return Atoms(info={UNREADABLE: on_one_line(str(structure)), SOURCE_FILE: source_of(structure)})
