"""Numbers of the papers, and whether a dataset compares with theirs."""

from pathlib import Path

import pandas as pd

from dismai.base.atomic import sha256
from dismai.base.card import DatasetSpec
from dismai.base.resources import resource
from dismai.datasets.registry import KINDS

SOURCE = "Dismai-Bench paper"
MODELS = {
    "cdvae": "CDVAE",
    "diffcsp": "DiffCSP",
    "crystens": "CrysTens",
    "unimat": "UniMat",
    "cryingan": "CryinGAN",
}
"""Names of the papers by ours."""
POTENTIALS = {"amorphous_si": "gap", "interface": "m3gnet"}
"""Kinds of the potentials in which the papers relaxed their structures."""
FRACTIONS = {"Cr": 51 / 256, "Fe": 154 / 256, "Ni": 51 / 256}
"""Composition of the papers' alloys."""
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
    found, params = [], spec.provenance.get("params", {})
    atoms = KINDS[spec.kind].paper_atoms
    if spec.n_atoms != atoms:
        found.append(f"{spec.n_atoms} atoms instead of {atoms}")
    if not spec.provenance:
        return [*found, "a training set of unknown origin"]
    if spec.kind == "alloy":
        shares = {name: count / spec.n_atoms for name, count in spec.composition.items()}
        if any(abs(shares.get(name, 0.0) - share) > 0.02 for name, share in FRACTIONS.items()):
            found.append("another composition")
        ecis = spec.provenance.get("inputs", {}).get("ecis", [])
        if ecis and ecis != [sha256(resource("eci.yaml"))]:
            found.append("another cluster expansion")
    else:
        kind = (params.get("potential") or {}).get("kind", "unknown")
        if kind != POTENTIALS[spec.kind]:
            found.append(f"training set of the potential {kind} instead of {POTENTIALS[spec.kind]}")
    return found
