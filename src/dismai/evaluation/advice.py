"""What a user may try next, in sentences: why structures fail and what would let them pass."""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from ase import Atoms

from dismai.base.card import DatasetSpec
from dismai.base.errors import StructureError
from dismai.base.names import DATASETS, ELEMENTS
from dismai.datasets.options import Options
from dismai.postprocess.on_lattice import keep_on_lattice

TRIED = 5
"""Rejected structures with which another alignment is tried."""
RESCALED = 1e-3
"""Relative change of an edge that is said."""
POTENTIALS = {"amorphous_si": "sw", "interface": "chgnet"}
WHAT_ALIGNS = {
    "translate": "shifts the lattice onto the crystal",
    "rotate": "turns the lattice onto the axes of the crystal and shifts it",
}


def next_steps(
    structures: Mapping[int, Atoms | StructureError],
    fates: pd.DataFrame,
    spec: DatasetSpec,
    options: Options,
) -> list[str]:
    """Sentences on what was done to the cells, and on what would let rejected structures pass."""
    rejected = fates[fates["status"] == "rejected"]
    at = {stage: rejected["structure"][rejected["stage"] == stage] for stage in ("check", "clean")}
    accepted = fates["structure"][fates["status"] == "accepted"]
    checked = _readable(structures, at["check"])
    notes = []
    if checked and (other := other_dataset(checked, spec)):
        notes.append(f"{len(checked)} structures have the elements of another dataset: {other}")
    elif len(at["check"]) == len(fates) and any(
        reason.startswith("composition") for reason in rejected["reason"]
    ):
        notes.append(
            "No structure has the composition of the reference; training structures of yours can "
            "be given by `--reference`."
        )
    if spec.kind == "alloy":
        notes += _alignment(_readable(structures, at["clean"]), spec, options)
        notes += _rescaled(_readable(structures, accepted), spec)
    return notes


def other_dataset(structures: Iterable[Atoms], spec: DatasetSpec) -> str:
    """The option that names the datasets to which most structures belong by their elements.

    Empty if that is no other kind of dataset than that of the card.
    """
    sets = Counter(frozenset(atoms.get_chemical_symbols()) for atoms in structures)
    elements = sets.most_common(1)[0][0]
    for kind, known in ELEMENTS.items():
        if kind != spec.kind and elements == set(known):
            return f"`--dataset {' or '.join(n for n in DATASETS if n.startswith(kind))}`."
    return ""


def how_to_relax(kind: str) -> str:
    """The option that relaxes structures of a kind in the potential of its shipped reference."""
    return f"`--relax {POTENTIALS[kind]}`"


def _readable(structures: Mapping[int, Atoms | StructureError], which: Iterable[int]) -> list:
    found = [structures[number] for number in which]
    return [atoms for atoms in found if isinstance(atoms, Atoms)]


def _alignment(rejected: list[Atoms], spec: DatasetSpec, options: Options) -> list[str]:
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


def _rescaled(accepted: list[Atoms], spec: DatasetSpec) -> list[str]:
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
