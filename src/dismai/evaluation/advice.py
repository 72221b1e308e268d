"""What a user may try next, in sentences: why structures fail and what would let them pass."""

from collections import Counter
from collections.abc import Iterable, Mapping

import pandas as pd
from ase import Atoms

from dismai.base.card import Card
from dismai.base.kinds import KINDS
from dismai.datasets.options import Options
from dismai.evaluation.process import Outline
from dismai.files.reading.on_demand import Numbered


def next_steps(
    structures: Numbered,
    fates: pd.DataFrame,
    outlines: Mapping[int, Outline],
    spec: Card,
    options: Options,
) -> list[str]:
    """Sentences on what was done to the cells, and on what would let rejected structures pass.

    outlines: of the readable structures.
    """
    rejected = fates[fates["status"] == "rejected"]
    at = {stage: rejected["structure"][rejected["stage"] == stage] for stage in ("check", "clean")}
    accepted = fates["structure"][fates["status"] == "accepted"]
    checked = at["check"]
    notes = []
    if len(checked) and (other := other_dataset(map(structures.get, checked), spec)):
        notes.append(f"{len(checked)} structures have the elements of another dataset: {other}")
    elif len(at["check"]) == len(fates) and any(
        reason.startswith("composition") for reason in rejected["reason"]
    ):
        notes.append(
            "No structure has the composition of the reference; training structures of yours can "
            "be given by `--reference`."
        )
    if (more := KINDS[spec.kind].extra("next_steps")) is not None:
        off = structures.these(at["clean"])
        notes += more(off, [outlines[number] for number in accepted], spec, options)
    return notes


def other_dataset(structures: Iterable[Atoms], spec: Card) -> str:
    """The option that names the datasets to which most structures belong by their elements.

    Empty if that is no other kind of dataset than that of the card.
    """
    sets = Counter(frozenset(atoms.get_chemical_symbols()) for atoms in structures)
    elements = sets.most_common(1)[0][0]
    for name, kind in KINDS.items():
        if name != spec.kind and kind.datasets and elements == set(kind.elements):
            return f"`--dataset {' or '.join(kind.datasets)}`."
    return ""
