"""One structure after another: check, clean, relax, describe; none is lost on the way."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms

from dismai.datasets.spec import DatasetSpec
from dismai.errors import InputError, StructureError
from dismai.evaluation.kinds import KINDS
from dismai.evaluation.options import Options
from dismai.evaluation.parallel import Reporter, in_order
from dismai.evaluation.relaxation import RELAXED, check_kind, relaxed
from dismai.io import XYZ_SUFFIXES, concatenate_files, read_frames, write_structures

logger = logging.getLogger(__name__)

MIN_VOLUME_PER_ATOM_A3 = 0.1
MAX_VOLUME_PER_ATOM_A3 = 1000.0
MAX_ELONGATION = 100.0
"""Longest edge over the smallest height of the cell; beyond it neighbours are all images."""


@dataclass(frozen=True)
class Processed:
    """Accepted structures, what became of every structure, features of the accepted ones.

    clean: accepted structures before relaxation.  relaxed: after it; none without relaxation.
    """

    clean: list[Atoms]
    fates: pd.DataFrame
    features: pd.DataFrame
    relaxed: list[Atoms] = field(default_factory=list)


def shard_range(n_generated: int, shard: int, n_shards: int) -> range:
    """Structures of one shard (from 0); every structure is in exactly one."""
    return range(shard * n_generated // n_shards, (shard + 1) * n_generated // n_shards)


def load_generated(
    path: Path, n_generated: int | None = None, only: range | None = None
) -> dict[int, Atoms | StructureError]:
    """Structures of a generated set by number; those that were never written are errors.

    Args:
        path: file of structures.
        n_generated: number that was asked for; fewer in the file count as failed. The number
            in the file by default.
        only: numbers to load; all by default.

    Raises:
        InputError: more structures than were generated, or nothing readable.
    """
    frames = read_frames(path, only)
    n_expected = n_generated or len(frames)
    if len(frames) > n_expected:
        raise InputError(f"{path}: expected {n_expected} structures, found {len(frames)}")
    missing = StructureError(f"expected {n_expected} structures, found {len(frames)}")
    wanted = range(n_expected) if only is None else only
    return {i: frames[i] if i < len(frames) else missing for i in wanted}


def check(atoms: Atoms, spec: DatasetSpec) -> Atoms:
    """A copy with periodic boundaries; StructureError if it cannot be a structure of the set."""
    if not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell.array).all()):
        raise StructureError("expected finite coordinates, found NaN or infinity")
    _check_cell(atoms)
    found = Counter(atoms.get_chemical_symbols())
    if found != Counter(spec.composition):
        expected = " ".join(f"{symbol}{count}" for symbol, count in spec.composition.items())
        present = " ".join(f"{symbol}{count}" for symbol, count in sorted(found.items()))
        raise StructureError(f"composition: expected {expected}, found {present}")
    if not atoms.pbc.all():
        atoms = atoms.copy()
        atoms.pbc = True
    return atoms


def _check_cell(atoms: Atoms) -> None:
    """StructureError for a cell without volume, far too large, or a needle."""
    with np.errstate(over="ignore", invalid="ignore"):  # such cells are refused below
        volume = abs(np.linalg.det(atoms.cell.array))
    if not volume > MIN_VOLUME_PER_ATOM_A3 * len(atoms):
        raise StructureError(f"expected a cell with a volume, found {volume:.3g} Å³")
    if volume > MAX_VOLUME_PER_ATOM_A3 * len(atoms):
        raise StructureError(
            f"expected a cell of at most {MAX_VOLUME_PER_ATOM_A3:.0f} Å³ per atom, "
            f"found {volume / len(atoms):.3g}"
        )
    heights = 1.0 / np.linalg.norm(np.linalg.inv(atoms.cell.array), axis=0)
    elongation = atoms.cell.lengths().max() / heights.min()
    if elongation > MAX_ELONGATION:
        raise StructureError(
            f"expected a cell at most {MAX_ELONGATION:.0f} times as long as it is thick, "
            f"found {elongation:.3g}"
        )


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


def process_one(
    number: int, structure: Atoms | StructureError, spec: DatasetSpec, options: Options
) -> Fate:
    """Check, clean, relax and describe one structure."""
    kind = KINDS[spec.kind]
    stage, was_periodic = "read", True
    try:
        if isinstance(structure, StructureError):
            raise structure
        stage = "check"
        was_periodic = bool(structure.pbc.all())
        atoms = check(structure, spec)
        stage = "clean"
        clean, counted = kind.clean(atoms, spec, options)
        clean.info["structure"] = number
        stage = "relax"
        minimum, moved = _relax(clean, spec, options)
        stage = "describe"
        row = kind.describe(clean if minimum is None else minimum, spec, options)
    except StructureError as error:
        return Fate(number, stage, str(error), was_periodic=was_periodic)
    return Fate(number, "", "", clean, minimum, {**counted, **moved}, row, was_periodic)


def _relax(
    atoms: Atoms, spec: DatasetSpec, options: Options
) -> tuple[Atoms | None, dict[str, float]]:
    """The structure at its minimum and `RELAXED`; nothing where structures are not relaxed."""
    if options.relaxing is None:
        return None, {}
    return relaxed(atoms, options.relaxing, spec.species)


def _relaxed_columns(spec: DatasetSpec, options: Options) -> list[str]:
    """Names of what relaxation adds to the features; InputError for a kind never relaxed."""
    if options.relaxing is None:
        return []
    check_kind(spec.kind)
    return RELAXED


def process(
    structures: dict[int, Atoms | StructureError],
    spec: DatasetSpec,
    options: Options,
    n_jobs: int = 1,
    reporter: Reporter | None = None,
) -> Processed:
    """Check, clean, relax and describe generated structures; each gets one row in the fates.

    A structure fails alone: unreadable, not finite, of another composition, not relaxed, not
    described. The result does not depend on the number of processes.
    """
    kind = KINDS[spec.kind]
    columns = ["structure", *kind.counted, *_relaxed_columns(spec, options)]
    work = partial(_process_item, spec=spec, options=options)
    fates = list(in_order(work, list(structures.items()), n_jobs, "structures", reporter))
    accepted = [fate for fate in fates if fate.clean is not None]
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
        (fate.number, "accepted" if fate.clean is not None else "rejected", fate.stage, fate.reason)
        for fate in fates
    ]
    return Processed(
        [fate.clean for fate in accepted],
        pd.DataFrame(rows, columns=["structure", "status", "stage", "reason"]),
        kind.tabulate(np.array([fate.row for fate in accepted]), numbered, options),
        [fate.relaxed for fate in accepted if fate.relaxed is not None],
    )


def _process_item(
    item: tuple[int, Atoms | StructureError], spec: DatasetSpec, options: Options
) -> Fate:
    return process_one(*item, spec, options)


def describe_reference(
    structures: Sequence[Atoms],
    spec: DatasetSpec,
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
    described = list(in_order(work, structures, n_jobs, Path(source).name, reporter))
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
    atoms: Atoms, spec: DatasetSpec, options: Options
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
    structures = load_generated(source, n_generated)
    if source.suffix.lower() in XYZ_SUFFIXES:  # damage stays where the next step reports it
        concatenate_files([source], target)
        return
    frames = [frame if isinstance(frame, Atoms) else Atoms() for frame in structures.values()]
    write_structures(frames, target)
