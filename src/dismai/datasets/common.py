"""What the kinds of datasets share in cleaning and scoring."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms

from dismai.base.card import Card
from dismai.base.columns import ENERGY
from dismai.base.errors import StructureError
from dismai.metrics.sets import soap_mmd_ci
from dismai.metrics.soap import n_features
from dismai.metrics.statistics import (
    DISTANCES,
    NO_RESAMPLES,
    UNDEFINED,
    Interval,
    Resampled,
    count_ci,
    interval_of,
    mean_ci,
    resampled_distance,
)
from dismai.postprocess import move_apart


def separate_atoms(atoms: Atoms) -> tuple[Atoms, dict[str, float]]:
    """Atoms moved apart as published; StructureError if that does not end well."""
    moved, status = move_apart(atoms)
    if status != "ok":
        raise StructureError(status)
    counted = {name: float(moved.info[name]) for name in ("n_close_pairs", "n_passes")}
    return moved, counted


def check_training(atoms: Atoms, spec: Card) -> None:
    """Nothing to ask of a training structure but what describing it asks."""


def note_energies(structures: Sequence[Atoms], table: pd.DataFrame) -> None:
    """Put the energy of its minimum, eV/atom, into the `info` of each structure.

    NaN where it was not reached.  table: of the relaxation, one row each (`RELAXED_SCHEMA`).
    """
    for atoms, row in zip(structures, table.itertuples(), strict=True):
        converged = row.status == "ok"
        atoms.info[ENERGY] = row.energy_eV / len(atoms) if converged else float("nan")


def relaxation_statistics(
    structures: Sequence[Atoms], table: pd.DataFrame, potential: str | None
) -> dict[str, Any]:
    """What a card says of the relaxation: potential, steps, and energies of its structures."""
    energies = np.array([atoms.info[ENERGY] for atoms in structures])
    return {
        "potential": potential,
        "relaxation_steps_mean": round(float(table["steps"].mean()), 3),
        "energy_mean_eV_per_atom": round(float(np.nanmean(energies)), 6),
        "energy_sd_eV_per_atom": round(float(np.nanstd(energies)), 6),
    }


def density(atoms: Atoms) -> float:
    """Number density, 1/Å^3."""
    return len(atoms) / atoms.get_volume()


def described(wanted: bool, n: int, describe: Callable[[], Any]) -> np.ndarray:
    """Some descriptors, (n,), nan where they are not wanted; StructureError if not finite."""
    if not wanted:
        return np.full(n, np.nan)
    values = np.ravel(describe())
    if not np.isfinite(values).all():
        raise StructureError("expected finite descriptors, found NaN or infinity")
    return values


def table_of(rows: np.ndarray, numbered: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Rows of features, (n_structures, n_names), beside the columns that number them."""
    values = np.asarray(rows, dtype=float).reshape(-1, len(names))
    return pd.concat([numbered, pd.DataFrame(values, columns=list(names))], axis=1)


def finite_values(
    features: pd.DataFrame, reference: pd.DataFrame, columns: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values of columns in both tables, and which columns they are.

    Rows without any value are left out, and columns that are not known in every other row.
    """
    values, training = (
        table[columns].dropna(how="all").to_numpy(dtype=float) for table in (features, reference)
    )
    known = np.isfinite(values).all(axis=0) & np.isfinite(training).all(axis=0)
    return values[:, known], training[:, known], known


def mean_distance(
    features: pd.DataFrame, reference: pd.DataFrame, columns: Sequence[str]
) -> Interval:
    """Distance between the mean vectors of some columns; undefined without a value to compare."""
    return interval_of(*resampled_mean_distance(features, reference, columns), DISTANCES)


def resampled_mean_distance(
    features: pd.DataFrame, reference: pd.DataFrame, columns: Sequence[str]
) -> Resampled:
    """The same distance, and that of every resample of the structures; nan where undefined."""
    values, training, _ = finite_values(features, reference, columns)
    if 0 in values.shape or 0 in training.shape:
        return NO_RESAMPLES
    return resampled_distance(values, training.mean(axis=0))


def relative_shift(values: pd.Series, training: pd.Series) -> Interval:
    """Mean of values relative to the training mean, in percent above it."""
    if len(values) == 0:
        return UNDEFINED
    above = 100.0 * (values.to_numpy() / training.mean() - 1.0)
    return mean_ci(np.round(above, 9))  # equal cells differ in the last digit


def close_pairs(features: pd.DataFrame) -> Interval:
    """Mean number of pairs of a structure that cleaning moved apart."""
    pairs = features["n_close_pairs"].to_numpy(dtype=float)
    return UNDEFINED if len(pairs) == 0 else count_ci(pairs)


def soap_names(species: Sequence[str]) -> list[str]:
    """Names of the components of a structure's SOAP vector."""
    return [f"soap_{k}" for k in range(n_features(len(species)))]


def soap_discrepancy(
    features: pd.DataFrame, reference: pd.DataFrame, columns: Sequence[str]
) -> Interval:
    """Discrepancy of two sets by the SOAP kernel, from the vectors in some columns."""
    values, training, _ = finite_values(features, reference, columns)
    return soap_mmd_ci(values, training)
