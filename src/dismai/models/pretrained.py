"""Trained models that ship: the weights of our own submission, by model and dataset."""

from importlib.resources import files
from pathlib import Path

import numpy as np

from dismai.base.card import Card, DatasetSpec
from dismai.base.errors import InputError, did_you_mean

CELL_TOLERANCE_A = 1e-2
PLACES = (
    Path(str(files("dismai"))) / "pretrained",
    Path(__file__).resolve().parents[3] / "results_mini" / "weights",
)
"""Inside an installed package, and in a checkout: DATASET/MODEL.safetensors."""


def pretrained_models() -> dict[tuple[str, str], Path]:
    """Files of all models that ship, by dataset and model."""
    found = {}
    for folder in reversed(PLACES):
        for path in sorted(folder.glob("*/*.safetensors")):
            found[path.parent.name, path.stem] = path
    return found


def pretrained(model: str, dataset: str) -> Path:
    """File of a model that ships.

    Raises:
        InputError: none of that name on that dataset; says which there are.
    """
    known = pretrained_models()
    if (dataset, model) in known:
        return known[dataset, model]
    datasets = sorted({name for name, _ in known})
    if dataset in datasets:
        there = sorted(name for other, name in known if other == dataset)
        place, found = f"pretrained model of {dataset}", model
    else:
        there, place, found = datasets, "dataset of a pretrained model", dataset
    raise InputError(
        f"{place}: expected one of {', '.join(there) or 'those that ship, of which there are none'}"
        f", found {found!r}{did_you_mean(found, there)}"
    )


def check_card(learned: Card, wanted: Card, file: Path | str) -> None:
    """InputError unless a model draws structures of the kind, atoms and cell of a dataset."""
    for what, attribute in (("kind", "kind"), ("atoms", "made_of")):
        ours, theirs = getattr(wanted, attribute), getattr(learned, attribute)
        if ours != theirs:
            raise InputError(f"{file}: {what}: expected {ours} of {wanted.name}, found {theirs}")
    if isinstance(wanted, DatasetSpec) and not np.allclose(
        learned.cell, wanted.cell, rtol=0, atol=CELL_TOLERANCE_A
    ):
        found = learned.cell.round(3).tolist()
        raise InputError(f"{file}: cell: expected that of {wanted.name}, found {found}")
