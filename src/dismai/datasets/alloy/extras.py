"""What only alloys have: their shipped reference, a lattice for a card, advice, the papers'."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from ase import Atoms
from ase.cell import Cell

from dismai.base.atomic import sha256
from dismai.base.card import DatasetSpec, FccLattice
from dismai.base.errors import InputError
from dismai.base.resources import resource
from dismai.datasets.alloy.describe import features_table
from dismai.datasets.alloy.kind import KIND
from dismai.datasets.alloy.made import training_set as training_set
from dismai.datasets.alloy.made import trivial as trivial
from dismai.datasets.alloy.settings import AlloyDataset
from dismai.datasets.importing import Expected
from dismai.datasets.options import Options
from dismai.geometry.cluster_expansion import (
    SPECIES,
    ClusterExpansion,
    cluster_names,
    read_cluster_expansion,
)
from dismai.metrics.clusters import counts, published_expansion
from dismai.postprocess.on_lattice import keep_on_lattice

TRIED = 5
"""Rejected structures with which another alignment is tried."""
RESCALED = 1e-3
"""Relative change of an edge that is said."""
WHAT_ALIGNS = {
    "translate": "shifts the lattice onto the crystal",
    "rotate": "turns the lattice onto the axes of the crystal and shifts it",
}


def packed_reference(structures: Sequence[Atoms], spec: DatasetSpec) -> pd.DataFrame:
    """Cluster counts of structures as integers, from which all features follow exactly."""
    clusters = np.array([counts(atoms, spec.fcc.a_A) for atoms in structures]) * spec.n_atoms
    return pd.DataFrame(np.rint(clusters).astype(np.int16), columns=cluster_names())


def features_of_reference(
    packed: pd.DataFrame, numbered: pd.DataFrame, spec: DatasetSpec, expansion: ClusterExpansion
) -> pd.DataFrame:
    """Features of the structures of a shipped reference from its counts."""
    numbered = numbered.assign(n_removed=0.0, n_vacancies=0.0)
    clusters = packed[cluster_names()].to_numpy() / spec.n_atoms
    return features_table(clusters, numbered, expansion)


def completed_card(card: dict[str, Any], first: Atoms, path: Path) -> dict[str, Any]:
    """A card with the lattice of a training structure; InputError if that is not on one."""
    cells = np.rint(first.cell.lengths() / published_expansion().a_A).astype(int)
    fcc = FccLattice(a_A=published_expansion().a_A, supercell=tuple(cells.tolist()))
    if fcc.n_sites != len(first):
        raise InputError(
            f"{path}: structure 0: expected {fcc.n_sites} atoms on the fcc lattice of its "
            f"cell, found {len(first)}"
        )
    return {**card, "fcc": fcc}


def expected(
    settings: AlloyDataset, shared: Mapping[str, Any], files: Mapping[str, Any]
) -> Expected:
    """A ready-made alloy: composition and supercell of the configuration, edge of the ECIs."""
    a_A = read_cluster_expansion(Path(files["ecis"])).a_A
    lattice = FccLattice(a_A=a_A, supercell=tuple(shared["supercell"]))
    return Expected(
        {name: shared["composition"][name] for name in SPECIES},
        (*lattice.box.tolist(), 90.0, 90.0, 90.0),
        lattice,
        {"temperature_K": settings.temperature_K, "selection": settings.selection},
    )


def differences(spec: DatasetSpec) -> list[str]:
    """In what an alloy differs from the papers': composition, cluster expansion."""
    found = []
    shares = {name: count / KIND.paper_atoms for name, count in KIND.composition.items()}
    ours = {name: count / spec.n_atoms for name, count in spec.composition.items()}
    if any(abs(ours.get(name, 0.0) - share) > 0.02 for name, share in shares.items()):
        found.append("another composition")
    ecis = spec.provenance.get("inputs", {}).get("ecis", [])
    if ecis and ecis != [sha256(resource("eci.yaml"))]:
        found.append("another cluster expansion")
    return found


class HasCell(Protocol):
    """What has a cell as a structure does."""

    @property
    def cell(self) -> Cell: ...


def next_steps(
    rejected: Sequence[Atoms], accepted: Sequence[HasCell], spec: DatasetSpec, options: Options
) -> list[str]:
    """What would let rejected alloys pass, and what was done to the cells of the others."""
    return [*_alignment(rejected, spec, options), *_rescaled(accepted, spec)]


def _alignment(rejected: Sequence[Atoms], spec: DatasetSpec, options: Options) -> list[str]:
    """Whether another way to lay structures on the lattice takes what this one rejects."""
    tried = rejected[:TRIED]
    for align, does in WHAT_ALIGNS.items():
        if align == options.align or not tried:
            continue
        passed = sum(keep_on_lattice(atoms, spec.fcc, align)[2] == "ok" for atoms in tried)
        if passed:
            return [
                f"{len(rejected)} structures are off the lattice as it lies; of {len(tried)} that "
                f"were tried {passed} pass with `--align {align}`, which {does}."
            ]
    return []


def _rescaled(accepted: Sequence[HasCell], spec: DatasetSpec) -> list[str]:
    """By how much cells were changed when atoms were laid on the lattice."""
    if not accepted:
        return []
    change = np.array([atoms.cell.lengths() / spec.fcc.box - 1 for atoms in accepted])
    if np.abs(change).max() <= RESCALED:
        return []
    least, most = 100 * change.min(), 100 * change.max()
    return [
        f"Cells were rescaled to the lattice of {spec.fcc.a_A:g} Å: their edges differ from it by "
        f"{least:+.1f} to {most:+.1f} %. No metric of an alloy sees that."
    ]
