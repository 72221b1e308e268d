"""A set of amorphous silicon from relaxed blocks: which are taken, split, energies, card."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from ase import Atoms

from dismai.base.card import DatasetSpec, cell_rows
from dismai.base.columns import ENERGY
from dismai.base.errors import InputError
from dismai.datasets.amorphous_si.blocks import Split, leaked_share
from dismai.datasets.amorphous_si.settings import AmorphousSiDataset
from dismai.datasets.common import note_energies, relaxation_statistics
from dismai.metrics.network import bond_network
from dismai.metrics.silicon import BOND_CUTOFF_A

RELAXED_SCHEMA = pa.schema(
    [
        pa.field("structure", pa.int64(), nullable=False),
        pa.field("steps", pa.int64(), nullable=False),
        pa.field("energy_eV", pa.float64()),
        pa.field("fmax_eV_per_A", pa.float64()),
        pa.field("status", pa.string(), nullable=False),
    ]
)
"""What became of blocks, one row each; status: ok, or why it is not at a minimum."""


def build(
    structures: list[Atoms],
    table: pd.DataFrame,
    name: str,
    settings: AmorphousSiDataset,
    bulk: Atoms,
    provenance: dict,
) -> tuple[list[Atoms], list[Atoms], DatasetSpec]:
    """Training set, validation set and card of relaxed blocks.

    Every structure keeps the energy of its minimum in the dataset's potential (`ENERGY`) in its
    `info`. Of the candidates of a block the best is taken (`best_cuts`); spare blocks take the
    place of those without any that relaxed.

    Args:
        structures: blocks after relaxation.
        table: of the relaxation, one row each (`RELAXED_SCHEMA`).
        name: of the dataset.
        settings: its entry in the configuration.
        bulk: the large cell.
        provenance: for the card.

    Raises:
        InputError: fewer blocks relaxed than are wanted.
    """
    note_energies(structures, table)
    train, val = _parts(best_cuts(structures), settings)
    leaked = leaked_share(bulk, settings.n_atoms, train, val)
    spec = DatasetSpec(
        name=name,
        kind="amorphous_si",
        composition={"Si": settings.n_atoms},
        cell_A=cell_rows(train[0].cell.array),
        n_train=len(train),
        n_val=len(val),
        notes=sliced_notes(settings.split, leaked, settings.candidates),
        provenance=provenance,
        statistics={
            "n_tried": len(structures),
            "n_not_relaxed": int((table["status"] != "ok").sum()),
            **_of_cuts(train, leaked, settings),
            **relaxation_statistics(train, table, settings.potential),
        },
    )
    return train, val, spec


def _parts(
    structures: list[Atoms], settings: AmorphousSiDataset
) -> tuple[list[Atoms], list[Atoms]]:
    """The first structures of each part, as many as are wanted for training and validation."""
    parts: dict[bool, list[Atoms]] = {False: [], True: []}
    for atoms in structures:
        parts[bool(atoms.info["held_out"])].append(atoms)
    n_val = round(settings.validation_share * settings.n_structures)
    train = _first(parts[False], settings.n_structures - n_val, "training")
    return train, _first(parts[True], n_val, "validation")


def _of_cuts(train: list[Atoms], leaked: float, settings: AmorphousSiDataset) -> dict[str, Any]:
    """Statistics of the card that tell how the blocks were cut."""
    return {
        "split": settings.split,
        "leaked_percent_of_validation_atoms": round(100 * leaked, 3),
        "candidates": settings.candidates,
        "four_fold_percent_mean": round(float(np.mean([four_fold(atoms) for atoms in train])), 3),
        "atoms_added_mean": _mean(train, "n_added"),
        "atoms_removed_mean": _mean(train, "n_removed"),
    }


def best_cuts(structures: Sequence[Atoms]) -> list[Atoms]:
    """Of all relaxed candidates of each block the one with most four-fold atoms.

    Among equals that of lowest energy. Nothing about the faces before the relaxation tells how
    well they heal, so candidates are told apart after it. A block is left out if none relaxed.

    structures: with `block` and `ENERGY` (nan: not relaxed) in `info`.
    """
    best: dict[int, tuple[tuple[float, float], Atoms]] = {}
    for atoms in structures:
        if np.isnan(atoms.info[ENERGY]):
            continue
        rank = (-four_fold(atoms), atoms.info[ENERGY])
        block = int(atoms.info["block"])
        if block not in best or rank < best[block][0]:
            best[block] = (rank, atoms)
    return [best[block][1] for block in sorted(best)]


def four_fold(atoms: Atoms) -> float:
    """Percent of atoms with four neighbours within 2.85 Å."""
    numbers = np.diff(bond_network(atoms, BOND_CUTOFF_A).first)
    return float(100.0 * np.mean(numbers == 4))


def _first(part: list[Atoms], wanted: int, name: str) -> list[Atoms]:
    if len(part) < wanted:
        raise InputError(
            f"relaxation: expected {wanted} {name} blocks at their minima, found {len(part)}; "
            "raise spare_share or relaxation.max_steps"
        )
    return part[:wanted]


def _mean(structures: list[Atoms], key: str) -> float:
    return round(float(np.mean([atoms.info[key] for atoms in structures])), 3)


def with_energies(features: pd.DataFrame, structures: list[Atoms]) -> pd.DataFrame:
    """Features with the energy of each structure as second column."""
    features = features.copy()
    features.insert(1, ENERGY, [float(atoms.info[ENERGY]) for atoms in structures])
    return features


def sliced_notes(split: Split, leaked: float, candidates: int) -> tuple[str, ...]:
    """How a set of blocks differs from the papers', in sentences."""
    shared = (
        "no part of the large cell is in both training and validation blocks"
        if split == "spatial"
        else "training and validation blocks overlap, as published"
    )
    places = "places are random"
    if candidates > 1:
        places += (
            f" and {candidates} are tried for every block: the one with most four-fold atoms after "
            "relaxation is kept"
        )
    return (
        "Cut from a melt-quench cell made with the Stillinger-Weber potential of Vink et al., not "
        "from the 100,000-atom cell of the papers.",
        "The paper leaves open: places of the cuts, depth of the boundary layer, choice of regions "
        f"in the repair. Here {places}, the layer is 2 Å deep, atoms are added where the seam is "
        "emptiest and deleted where it is fullest, one by one.",
        f"Split {split}: {shared}; {100 * leaked:.1f} % of the atoms of validation blocks also "
        "occur in a training block.",
    )
