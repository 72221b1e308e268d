"""Cleaning, description and scores of alloy structures (metrics of Table 3)."""

import numpy as np
import pandas as pd
from ase import Atoms

from dismai.base.card import DatasetSpec
from dismai.base.errors import StructureError
from dismai.datasets.options import Options
from dismai.geometry.axes import box_positions, count_vacancies
from dismai.geometry.cluster_expansion import ClusterExpansion, cluster_names
from dismai.geometry.lattice_fit import fit_lattice
from dismai.metrics.clusters import (
    counts,
    probabilities_of_counts,
    sro_names,
    warren_cowley_of_counts,
)
from dismai.metrics.entries import with_units
from dismai.metrics.statistics import (
    DISTANCES,
    UNDEFINED,
    Interval,
    Resampled,
    count_ci,
    interval_of,
    mean_ci,
    percentage,
    resampled_distance,
)
from dismai.postprocess.on_lattice import keep_on_lattice, on_axes

PROBABILITY_COLUMNS = [f"p_{name}" for name in cluster_names()]
SRO_COLUMNS = [f"alpha_{name}" for name in sro_names()]
ENERGY_COLUMN = "formation_energy_eV_per_atom"
COUNTED = ["n_removed", "n_vacancies"]
FEATURES = [*COUNTED, ENERGY_COLUMN, *PROBABILITY_COLUMNS, *SRO_COLUMNS]
SET_COLUMNS = PROBABILITY_COLUMNS
COUNT_DIGITS = 9
"""Decimals of a cluster probability: one pair more or less in 10,000 atoms changes the fifth."""


def clean(atoms: Atoms, spec: DatasetSpec, options: Options) -> tuple[Atoms, dict[str, float]]:
    """Atoms on lattice sites, and how many were removed and are missing."""
    kept, n_removed, status = keep_on_lattice(atoms, spec.fcc, options.align)
    if status != "ok":
        raise StructureError(status)
    rotated = options.align == "rotate"
    n_vacancies = count_vacancies(kept, spec.fcc.a_A) if rotated else n_removed
    return kept, {"n_removed": float(n_removed), "n_vacancies": float(n_vacancies)}


def check_training(atoms: Atoms, spec: DatasetSpec) -> None:
    """StructureError for a training structure that is no crystal on the lattice of its card.

    It may be shifted, strained, turned and displaced, as after a relaxation: its decoration is
    that of the lattice fitted to all its atoms.
    """
    atoms = on_axes(atoms, spec.fcc)
    positions = box_positions(atoms, spec.fcc.box)
    fit = fit_lattice(positions, spec.fcc.box, spec.fcc.a_A)
    if fit is None or fit.assign(positions) is None:
        raise StructureError("expected atoms near the sites of an fcc lattice, found them off")


def describe(atoms: Atoms, spec: DatasetSpec, options: Options) -> np.ndarray:
    """Cluster counts per atom of a cleaned structure, (45,), exact."""
    return counts(atoms, spec.fcc.a_A)


def tabulate(rows: np.ndarray, numbered: pd.DataFrame, options: Options) -> pd.DataFrame:
    """Features of structures from their cluster counts."""
    return features_table(rows, numbered, options.expansion)


def features_table(
    clusters: np.ndarray, numbered: pd.DataFrame, expansion: ClusterExpansion
) -> pd.DataFrame:
    """Features of structures, one row each, from their cluster counts.

    The formation energy and the SRO use counts rounded to 5 decimals as published, the
    probabilities do not.

    Args:
        clusters: counts per atom, (n_structures, 45).
        numbered: columns structure, n_removed, n_vacancies.
        expansion: the energy function.
    """
    clusters = clusters.reshape(-1, len(PROBABILITY_COLUMNS))
    rounded = np.round(clusters, 5)
    sro = warren_cowley_of_counts(rounded).reshape(-1, len(SRO_COLUMNS))
    described = np.hstack(
        [expansion.energy(rounded)[:, None], probabilities_of_counts(clusters), sro]
    )
    return pd.concat([numbered, pd.DataFrame(described, columns=FEATURES[2:])], axis=1)


def score(
    features: pd.DataFrame, reference: pd.DataFrame, spec: DatasetSpec
) -> dict[str, tuple[str, Interval]]:
    """Metrics of accepted structures against training structures, by name: unit and interval.

    Args:
        features: one row per accepted structure; may be empty.
        reference: one row per training structure.
        spec: card of the dataset.
    """
    if len(features) == 0:
        distance = vacancies = with_vacancies = energy = distinct = UNDEFINED
    else:
        distance = interval_of(*resample_headline(features, reference, spec), DISTANCES)
        vacancies = count_ci(features["n_vacancies"].to_numpy())
        with_vacancies = percentage(int((features["n_vacancies"] > 0).sum()), len(features))
        above = features[ENERGY_COLUMN].to_numpy() - reference[ENERGY_COLUMN].mean()
        energy = mean_ci(1000 * above)
        whole = features.loc[features["n_vacancies"] == 0, PROBABILITY_COLUMNS]
        distinct = percent_distinct(whole.to_numpy())
    return with_units(
        {
            "d_cluster": distance,
            "percent_structures_with_vacancies": with_vacancies,
            "mean_vacancies_per_structure": vacancies,
            "energy_above_training": energy,
            "percent_distinct": distinct,
        }
    )


def percent_distinct(probabilities: np.ndarray) -> Interval:
    """Different decorations among some without vacancy, in percent of their number.

    Those that differ by a translation, a turn or a mirror have the same pair counts and are one;
    so are two that differ in nothing but clusters of three and more atoms. The interval is that of
    a share, as if every structure were a new decoration or not by a chance of its own.

    probabilities: of pairs up to the seventh shell, exact, (n_structures, 45).
    """
    if len(probabilities) == 0:
        return UNDEFINED
    distinct = np.unique(np.round(probabilities, COUNT_DIGITS), axis=0)
    return percentage(len(distinct), len(probabilities))


def resample_headline(
    features: pd.DataFrame, reference: pd.DataFrame, spec: DatasetSpec
) -> Resampled:
    """d_cluster of accepted structures, and of every resample of them."""
    mean = reference[PROBABILITY_COLUMNS].to_numpy().mean(axis=0)
    return resampled_distance(features[PROBABILITY_COLUMNS].to_numpy(), mean)
