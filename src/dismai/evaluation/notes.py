"""What the reader of an evaluation has to know of its structures and reference, in sentences."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from ase import Atoms

from dismai.base.card import Card
from dismai.base.kinds import KINDS
from dismai.datasets.options import Options
from dismai.evaluation.given import Given
from dismai.evaluation.reference import notes_on_overlap
from dismai.files.structures import hash_structures
from dismai.potentials.relaxation_plan import RelaxationPlan


def on_overlap(given: Given, reference: Path | Sequence[Atoms] | None) -> list[str]:
    """What to say if the structures are the reference itself, in sentences."""
    if reference is None:
        return []
    if isinstance(reference, Path):
        return [note for path in given.paths for note in notes_on_overlap(path, reference)]
    if hash_structures(reference) == given.sha256:
        return ["The set under evaluation is the training set itself."]
    return []


def on_unreadable(fates: pd.DataFrame, n_given: int) -> list[str]:
    """How many structures are none; more may have been generated than given."""
    given = fates[fates["structure"] < n_given]
    n_bad = int((given["stage"] == "read").sum())
    if n_bad == 0:
        return []
    return [f"{n_bad} of {n_given} structures could not be read; they count as failed."]


def on_relaxation(spec: Card, relaxation: RelaxationPlan | None) -> str:
    """Whether structures were relaxed, and what could be done."""
    kind = KINDS[spec.kind]
    if not kind.relaxes:
        return f"{kind.unrelaxed[0].upper()}{kind.unrelaxed[1:]}."
    if relaxation is not None:
        return (
            f"Structures were relaxed in a potential of kind {relaxation.potential.kind} to "
            f"{relaxation.settings.fmax_eV_per_A:g} eV/Å; training structures are described as "
            "given."
        )
    if not kind.potential:
        return "Structures were scored as given, without relaxation (`--relax` relaxes first)."
    return (
        "Structures were scored as given, without relaxation; the published values are those of "
        f"relaxed structures (`--relax {kind.potential}` relaxes first)."
    )


def on_gaps(features: pd.DataFrame, options: Options) -> list[str]:
    """Which features some accepted structures lack, of those that were computed."""
    groups = {"rings_": "rings"} if options.wants("network") else {}
    groups |= {"dihedral_": "dihedral angles"} if options.wants("network", "curves") else {}
    notes = []
    for prefix, name in groups.items():
        columns = [column for column in features if column.startswith(prefix)]
        lost = int(features[columns].isna().all(axis=1).sum()) if columns else 0
        if lost:
            notes.append(f"{lost} accepted structures without {name}: no network, or too dense.")
    return notes
