"""A set of crystals in numbers: valid, unique, new, stable; with intervals."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from ase import Atoms
from ase.calculators.calculator import Calculator

from dismai.datasets.crystals.hull import HULL_SCHEMA, Hull, above_hull
from dismai.datasets.crystals.matches import MATCHES_SCHEMA, matches
from dismai.datasets.crystals.phases import energies
from dismai.metrics.statistics import (
    UNDEFINED,
    Interval,
    bootstrap_counts,
    interval_of,
    percentage,
    share_ci,
)

STABILITY_SCHEMA = pa.schema(
    [*HULL_SCHEMA, *(field for field in MATCHES_SCHEMA if field.name != "structure")]
)
"""One row an accepted crystal: energies, hull, validity, what it equals."""
NEAR_HULL_EV = 0.1
"""Crystals up to this far above the hull count as near it, eV/atom."""
UNITS = {
    "valid": "% of generated",
    "unique": "% of accepted",
    "new": "% of accepted",
    "median_energy_above_hull": "eV/atom",
    "near_hull": f"% up to {NEAR_HULL_EV:g} eV/atom above",
    "median_formation_energy": "eV/atom",
}


def rate(
    crystals: Sequence[Atoms],
    numbers: Sequence[int],
    training: Sequence[Atoms],
    hull: Hull,
    calculator: Calculator,
) -> pd.DataFrame:
    """Energies, hull, and what each crystal equals, one row each (`STABILITY_SCHEMA`).

    numbers: of the crystals among all that were generated.
    """
    rated = energies(crystals, [str(number) for number in numbers], calculator)
    table = above_hull(rated.assign(structure=list(numbers)), hull)
    return table.merge(matches(crystals, numbers, training), on="structure")


def in_numbers(table: pd.DataFrame, n_generated: int) -> dict[str, Interval]:
    """Shares and medians of a set with their intervals, by the names of `UNITS`.

    table: one row an accepted crystal.  n_generated: crystals that were asked for.
    """
    found = dict.fromkeys(UNITS, UNDEFINED)
    if n_generated:
        found["valid"] = percentage(int(table["valid"].sum()), n_generated)
    if len(table):
        unique = (table["same_as"] == table["structure"]).sum()
        found["unique"] = percentage(int(unique), len(table))
        found["new"] = percentage(int((table["known_as"] < 0).sum()), len(table))
    above = table["energy_above_hull_eV_per_atom"].dropna().to_numpy()
    if len(above):
        found["median_energy_above_hull"] = median_ci(above)
        near = share_ci((above <= NEAR_HULL_EV).astype(float))
        found["near_hull"] = Interval(*(100 * value for value in near))
    formation = table["formation_energy_eV_per_atom"].dropna().to_numpy()
    if len(formation):
        found["median_formation_energy"] = median_ci(formation)
    return found


def median_ci(values: np.ndarray) -> Interval:
    """Median of one number per structure, with the interval over resamples of the structures."""
    counts = bootstrap_counts(len(values))
    drawn = np.array([np.median(np.repeat(values, row)) for row in counts])
    return interval_of(float(np.median(values)), drawn)
