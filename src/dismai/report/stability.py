"""Stability, validity, uniqueness and novelty of sets of crystals as a table."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from dismai.datasets.crystals.stability import UNITS, in_numbers
from dismai.datasets.published import shown
from dismai.metrics.statistics import Interval

Run = tuple[str, str, int, int]
"""Model, kind, seed, and number of crystals that were asked for."""
HEADINGS = {
    "valid": "valid (% of generated)",
    "unique": "unique (% of accepted)",
    "new": "new (% of accepted)",
    "median_energy_above_hull": "median above the hull (eV/atom)",
    "near_hull": "within 0.1 eV/atom of the hull (%)",
    "median_formation_energy": "median formation energy (eV/atom)",
}
TRAINING: Run = ("training set", "", 0, 0)


def stability_table(
    runs: Sequence[Run],
    tables: Sequence[pd.DataFrame],
    training: pd.DataFrame,
    steps: Mapping[tuple[str, int], int],
) -> pd.DataFrame:
    """One row a set and number: value, interval, crystals with an energy, steps of the training.

    Args:
        runs: the sets.
        tables: of each, one row an accepted crystal (`STABILITY_SCHEMA`).
        training: the training crystals, rated by their own hulls (`HULL_SCHEMA`).
        steps: steps of a training by model and seed.
    """
    own = training.assign(valid=True, same_as=training["structure"], known_as=training["structure"])
    rows = []
    for (model, kind, seed, n), table in zip([TRAINING, *runs], [own, *tables], strict=True):
        numbers = in_numbers(table, n)
        if not kind:  # of the training set only its energies mean something
            numbers = {name: one for name, one in numbers.items() if "%" not in HEADINGS[name]
                       or name == "near_hull"}  # fmt: skip
        for name, interval in numbers.items():
            rows.append(
                {
                    "model": model,
                    "kind": kind,
                    "seed": seed,
                    "metric": name,
                    "unit": UNITS[name],
                    **_limits(interval),
                    "n_generated": n,
                    "n_accepted": len(table),
                    "n_with_energy": int(table["energy_above_hull_eV_per_atom"].notna().sum()),
                    "training_steps": steps.get((model, seed), np.nan),
                }
            )
    return pd.DataFrame(rows)


def _limits(interval: Interval) -> dict[str, float]:
    return {"value": interval.value, "ci_low": interval.low, "ci_high": interval.high}


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """One row a set, a number and its interval in one cell."""
    rows = []
    for (model, seed), own in table.groupby(["model", "seed"], sort=False):
        first = own.iloc[0]
        cells = {row.metric: shown(row.value, row.ci_low, row.ci_high) for row in own.itertuples()}
        steps = first["training_steps"]
        rows.append(
            {
                "model": model,
                "kind": first["kind"],
                "seed": seed if first["kind"] else "–",
                "accepted": first["n_accepted"],
                "with energy": first["n_with_energy"],
                **{heading: cells.get(name) or "–" for name, heading in HEADINGS.items()},
                "training steps": "–" if np.isnan(steps) else f"{steps:.0f}",
            }
        )
    return pd.DataFrame(rows)


def pooled(runs: Sequence[Run], tables: Sequence[pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Tables of all seeds of a model below each other."""
    found: dict[str, list[pd.DataFrame]] = {}
    for (model, *_), table in zip(runs, tables, strict=True):
        found.setdefault(model, []).append(table)
    return {model: pd.concat(own, ignore_index=True) for model, own in found.items()}


def last_steps(
    trained: Sequence[tuple[str, int]], histories: Sequence[str]
) -> dict[tuple[str, int], int]:
    """The last step in the history of every training, by model and seed."""
    return {
        (model, seed): int(pd.read_csv(path)["step"].iloc[-1])
        for (model, seed), path in zip(trained, histories, strict=True)
    }


PAPER = "the paper (VASP, PBEsol)"


def best_table(rows: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """The best crystals, one row each, and below them those of the paper's Fig. 13.

    rows: of `datasets.crystals.best`.  published: resources/crystals/fig13.csv.
    """
    theirs = published.rename(columns={"doubt": "changes"}).assign(
        set=PAPER, engine="vasp", status="published"
    )
    return pd.concat([rows, theirs[[name for name in theirs if name in rows]]], ignore_index=True)


def readable_best(table: pd.DataFrame) -> pd.DataFrame:
    """Energies to 1 meV, pressures to 0.01 kbar; what is not known is a dash."""
    shown_table = table.copy()
    for name in table:
        digits = 3 if name.endswith("_eV") else 2 if name.endswith("_kbar") else None
        if name == "structure":
            digits = 0
        if digits is not None:
            shown_table[name] = [
                "–" if pd.isna(value) else f"{float(value):.{digits}f}" for value in table[name]
            ]
    return shown_table.fillna("").rename(columns=lambda name: name.replace("_", " "))
