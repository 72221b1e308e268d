"""One structure after another through check, clean and describe; none is lost on the way."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms

from dismai.cluster_expansion import ClusterExpansion
from dismai.datasets.spec import DatasetSpec
from dismai.errors import InputError, StructureError
from dismai.evaluation import alloy
from dismai.io import XYZ_SUFFIXES, concatenate_files, read_frames, write_structures
from dismai.postprocess.on_lattice import Alignment

logger = logging.getLogger(__name__)

MIN_VOLUME_PER_ATOM_A3 = 0.1


@dataclass(frozen=True)
class Processed:
    """Accepted structures, what became of every structure, features of the accepted ones."""

    clean: list[Atoms]
    fates: pd.DataFrame
    features: pd.DataFrame


def shard_range(n_generated: int, shard: int, n_shards: int) -> range:
    """Structures of one shard (from 0); every structure is in exactly one."""
    return range(shard * n_generated // n_shards, (shard + 1) * n_generated // n_shards)


def load_generated(
    path: Path, n_generated: int, only: range | None = None
) -> dict[int, Atoms | StructureError]:
    """Structures of a generated set by number; those that were never written are errors.

    Args:
        path: file of structures.
        n_generated: number that was asked for; fewer in the file count as failed.
        only: numbers to load; all by default.

    Raises:
        InputError: more structures than were generated, or nothing readable.
    """
    wanted = range(n_generated) if only is None else only
    frames = read_frames(path, wanted)
    if len(frames) > n_generated:
        raise InputError(f"{path}: expected {n_generated} structures, found {len(frames)}")
    missing = StructureError(f"expected {n_generated} structures, found {len(frames)}")
    return {i: frames[i] if i < len(frames) else missing for i in wanted}


def check(atoms: Atoms, spec: DatasetSpec) -> Atoms:
    """A copy with periodic boundaries; StructureError if it cannot be a structure of the set."""
    if not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell.array).all()):
        raise StructureError("expected finite coordinates, found NaN or infinity")
    volume = abs(np.linalg.det(atoms.cell.array))
    if not volume > MIN_VOLUME_PER_ATOM_A3 * len(atoms):
        raise StructureError(f"expected a cell with a volume, found {volume:.3g} Å³")
    found = Counter(atoms.get_chemical_symbols())
    if found != Counter(spec.composition):
        expected = " ".join(f"{symbol}{count}" for symbol, count in spec.composition.items())
        present = " ".join(f"{symbol}{count}" for symbol, count in sorted(found.items()))
        raise StructureError(f"composition: expected {expected}, found {present}")
    if not atoms.pbc.all():
        atoms = atoms.copy()
        atoms.pbc = True
    return atoms


def process(
    structures: dict[int, Atoms | StructureError],
    spec: DatasetSpec,
    align: Alignment,
    expansion: ClusterExpansion,
) -> Processed:
    """Check, clean and describe generated structures; each gets one row in the fates.

    A structure fails alone: unreadable, not finite, of another composition, off the lattice.
    """
    clean: list[Atoms] = []
    fates: list[tuple[int, str, str, str]] = []
    clusters: list[np.ndarray] = []
    numbered: list[dict[str, float]] = []
    n_not_periodic = 0
    for number, structure in structures.items():
        stage = "read"
        try:
            if isinstance(structure, StructureError):
                raise structure
            stage = "check"
            n_not_periodic += not structure.pbc.all()
            atoms = check(structure, spec)
            stage = "clean"
            atoms, counted = alloy.clean(atoms, spec, align)
            stage = "describe"
            clusters.append(alloy.describe(atoms, spec))
        except StructureError as error:
            fates.append((number, "rejected", stage, str(error)))
            continue
        atoms.info["structure"] = number
        clean.append(atoms)
        numbered.append({"structure": number, **counted})
        fates.append((number, "accepted", "", ""))
    if n_not_periodic:
        logger.warning(
            "%d structures without periodic boundaries: taken as periodic", n_not_periodic
        )
    logger.info("accepted %d of %d structures", len(clean), len(structures))
    table = pd.DataFrame(numbered, columns=["structure", "n_removed", "n_vacancies"])
    return Processed(
        clean,
        pd.DataFrame(fates, columns=["structure", "status", "stage", "reason"]),
        alloy.features_table(np.array(clusters), table, expansion),
    )


def describe_reference(
    structures: Sequence[Atoms], spec: DatasetSpec, expansion: ClusterExpansion, source: str
) -> pd.DataFrame:
    """Features of training structures, one row each.

    Raises:
        InputError: a structure of another composition, or off the lattice.
    """
    clusters = []
    for number, structure in enumerate(structures):
        try:
            clusters.append(alloy.describe(check(structure, spec), spec))
        except StructureError as error:
            raise InputError(f"{source}: structure {number}: {error}") from None
    numbered = pd.DataFrame({"structure": np.arange(len(clusters))})
    numbered["n_removed"] = numbered["n_vacancies"] = 0.0
    return alloy.features_table(np.array(clusters), numbered, expansion)


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
