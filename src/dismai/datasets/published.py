"""Numbers of the papers, and whether a dataset compares with theirs."""

from pathlib import Path

import pandas as pd

from dismai.base.card import DatasetSpec
from dismai.base.kinds import KINDS

SOURCE = "Dismai-Bench paper"
MODELS = {
    "cdvae": "CDVAE",
    "diffcsp": "DiffCSP",
    "crystens": "CrysTens",
    "unimat": "UniMat",
    "cryingan": "CryinGAN",
}
"""Names of the papers by ours."""
MARK = "†"
"""Beside published values of another size, target or potential."""


def published_numbers(path: Path) -> pd.DataFrame:
    """Published metrics of all datasets (Tables 1 to 3), with our names of the models."""
    table = pd.read_csv(path, dtype=str)
    own = table["source"].eq(SOURCE) & table["table"].isin(["1", "2", "3"])
    table = table[own].copy()
    table["model"] = table["model"].map({theirs: ours for ours, theirs in MODELS.items()})
    for column in ("mean", "min", "max"):
        table[f"published_{column}"] = table[column].astype(float)
    columns = ["dataset", "model", "metric", "published_mean", "published_min", "published_max"]
    return table[columns]


def differences(spec: DatasetSpec) -> list[str]:
    """In what a dataset differs from that of the paper, so that its values do not compare.

    Told from the card: size, composition, cluster expansion, potential. Empty where published
    values belong to the same target; a rebuilt alloy of the published expansion is one.
    """
    found, kind = [], KINDS[spec.kind]
    if spec.n_atoms != kind.paper_atoms:
        found.append(f"{spec.n_atoms} atoms instead of {kind.paper_atoms}")
    if not spec.provenance:
        return [*found, "a training set of unknown origin"]
    if (own := kind.extra("differences")) is not None:
        found += own(spec)
    if kind.paper_potential:
        used = (spec.provenance.get("params", {}).get("potential") or {}).get("kind", "unknown")
        if used != kind.paper_potential:
            found.append(f"training set of the potential {used} instead of {kind.paper_potential}")
    return found
