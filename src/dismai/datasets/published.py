"""Numbers of the papers, and whether a dataset compares with theirs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isnan, nan
from pathlib import Path

import pandas as pd

from dismai.base.card import Card
from dismai.base.kinds import KINDS


@dataclass(frozen=True)
class Source:
    """A paper in published.csv.

    name: its name there.  tables: those that are taken.  models: its names by ours.  datasets: its
    names by ours, where they differ.
    """

    name: str
    tables: tuple[str, ...]
    models: Mapping[str, str]
    datasets: Mapping[str, str] = field(default_factory=dict)


SOURCES = (
    Source(
        "Dismai-Bench paper",
        ("1", "2", "3"),
        {
            "cdvae": "CDVAE",
            "diffcsp": "DiffCSP",
            "crystens": "CrysTens",
            "unimat": "UniMat",
            "cryingan": "CryinGAN",
        },
    ),
    Source(
        "CrysTens paper",
        ("1", "2"),
        {"crystal_gan": "GAN", "crystal_wgan": "WGAN", "crystal_diffusion": "Diffusion"},
        {"crystals": "Pearson_crystal_data"},
    ),
)
IN_TEXT = {"mean_relaxation_steps": "relaxation_steps"}
"""Metrics that the paper tells outside of its tables, by their names in published.csv."""
N_TRAININGS = 3
N_GENERATED = 1000
"""Trainings of a model in the paper, and structures that each generated (its section 2.3)."""
MARK = "†"
"""Beside published values of another size, target or potential."""


def published_numbers(path: Path) -> pd.DataFrame:
    """Published metrics of all datasets, with our names of the models.

    The tables of each paper, and what the text says of relaxation steps: a mean without limits, or
    a limit from below without a mean.
    """
    table = pd.read_csv(path, dtype=str)
    table["metric"] = table["metric"].replace(IN_TEXT)
    told = table["table"].eq("in-text") & table["metric"].isin(IN_TEXT.values())
    parts = []
    for source in SOURCES:
        own = table["source"].eq(source.name) & (table["table"].isin(source.tables) | told)
        part = table[own].assign(model=table["model"].str.split("|")).explode("model")
        part["model"] = part["model"].map({name: ours for ours, name in source.models.items()})
        names = {name: ours for ours, name in source.datasets.items()}
        parts.append(part.replace({"dataset": names}))
    table = pd.concat(parts)
    for column in ("mean", "min", "max"):
        table[f"published_{column}"] = table[column].astype(float)
    columns = ["dataset", "model", "metric", "published_mean", "published_min", "published_max"]
    return table[columns].reset_index(drop=True)


def shown(mean: float, low: float, high: float) -> str:
    """A value with its limits; a limit alone; empty without either."""
    if isnan(mean):
        return "" if isnan(low) else f"≥ {low:.3g}"
    if isnan(low) or isnan(high):
        return f"{mean:.3g}"
    return f"{mean:.3g} [{low:.3g}, {high:.3g}]"


def published_trainings(table: pd.DataFrame) -> pd.DataFrame:
    """The three trainings behind each published mean, as rows of `METRICS_SCHEMA` without units.

    The mean, least and greatest of three numbers tell the third one. Which values belong to the
    same training is not published: the shares of failed structures are joined in order of size.
    Intervals over structures are not published either.

    table: as `published_numbers` gives it; what has no mean or no limits is left out.
    """
    table = table.dropna()
    mean, low, high = (table[f"published_{name}"] for name in ("mean", "min", "max"))
    middle = (N_TRAININGS * mean - low - high).clip(low, high)  # rounding may put it outside
    rows = pd.concat(
        [
            table[["dataset", "model", "metric"]].assign(seed=seed, value=value)
            for seed, value in enumerate((low, middle, high))
        ],
        ignore_index=True,
    )
    keys = ["dataset", "model", "seed"]
    failed = rows[rows["metric"] == "percent_failed"].set_index(keys)["value"]
    share = failed.loc[pd.MultiIndex.from_frame(rows[keys])].to_numpy()
    accepted = (N_GENERATED * (1 - share / 100)).round().astype(int)
    return rows.assign(
        kind="published", n_accepted=accepted, n_generated=N_GENERATED, ci_low=nan, ci_high=nan
    )


def differences(spec: Card) -> list[str]:
    """In what a dataset differs from that of the paper, so that its values do not compare.

    Told from the card: size, composition, cluster expansion, potential, what that learnt from.
    Empty where published values belong to the same target; a rebuilt alloy of the published
    expansion is one, and so is a ready-made set that stays unrelaxed, by the word of who gave it.
    """
    found, kind = [], KINDS[spec.kind]
    if kind.composition and spec.most_atoms != kind.paper_atoms:
        found.append(f"{spec.size} instead of {kind.paper_atoms}")
    if not spec.provenance:
        return [*found, "a training set of unknown origin"]
    if (own := kind.extra("differences")) is not None:
        found += own(spec)
    params = spec.provenance.get("params", {})
    as_given = params.get("settings", {}).get("source") and not params.get("potential")
    if kind.paper_potential and not as_given:
        theirs = kind.paper_labels
        used = (params.get("potential") or {}).get("kind", "unknown")
        if used != kind.paper_potential:
            found.append(f"training set of the potential {used} instead of {kind.paper_potential}")
        elif (labels := spec.provenance["params"].get("labelled_by", "")) not in ("", theirs):
            found.append(
                f"training set of the potential {used} made from labels by {labels} instead of "
                f"{theirs}"
            )
    return found
