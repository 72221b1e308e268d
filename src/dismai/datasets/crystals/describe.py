"""Cleaning, description and scores of crystals of any composition (CrysTens paper, section 3)."""

from numbers import Real

import numpy as np
import pandas as pd
from ase import Atoms
from ase.data import atomic_masses

from dismai.base.card import CrystalSpec
from dismai.base.columns import SPACE_GROUP
from dismai.base.errors import StructureError
from dismai.datasets.common import check_training as check_training
from dismai.datasets.common import described, table_of
from dismai.datasets.crystals.filter import closest_over_radii, shortest_distance, space_group
from dismai.datasets.options import Options
from dismai.metrics.distributions import (
    ks_ci,
    ks_of_counts_ci,
    resampled_ks,
    resampled_ks_of_counts,
)
from dismai.metrics.entries import with_units
from dismai.metrics.statistics import UNDEFINED, Interval, Resampled, percentage, share_ci
from dismai.properties.names import PROPERTIES
from dismai.properties.predict import properties_of

SYMPREC_A = 0.1
"""Within which space groups of generated crystals are found, and those they are compared with."""
SMALLEST_DISTANCE_A = 0.5
DIGITS = 3
"""Of lengths, Å, and angles, degrees, that are told apart: files hold no more of them."""
DALTON_PER_A3 = 1.66053906892
"""One of them in g/cm^3."""
LATTICE = ["a_A", "b_A", "c_A", "alpha_deg", "beta_deg", "gamma_deg"]
GROUPS = ["space_group_said", "space_group_found"]
SIZES = ["n_atoms", "n_elements", "volume_A3_per_atom", "density_g_per_cm3"]
SPECIES = ["mean_Z", "sd_Z", "closest_over_radii"]
PREDICTED = [one.column for one in PROPERTIES.values()]
N_ELEMENTS = 100
ATOMS_OF = [f"n_Z{number}" for number in range(1, N_ELEMENTS + 1)]
COUNTED: list[str] = []
DESCRIBED = [*LATTICE, *GROUPS, *SIZES, *SPECIES, *PREDICTED, *ATOMS_OF]
FEATURES = DESCRIBED
SET_COLUMNS = [*LATTICE, *SIZES, *SPECIES]
COMPARED = {
    **{f"ks_{name.split('_')[0]}": name for name in LATTICE},
    "ks_space_group": "space_group_found",
}
"""Metrics that compare one feature, and which; with the atomic numbers they make `ks_mean`."""
PROPERTY_OF = {f"ks_{name}": one.column for name, one in PROPERTIES.items()}
"""The same of predicted properties (Fig. 7 of the paper)."""


def clean(atoms: Atoms, spec: CrystalSpec, options: Options) -> tuple[Atoms, dict[str, float]]:
    """The crystal as it is; StructureError if two atoms are less than 0.5 Å apart."""
    shortest = shortest_distance(atoms, SMALLEST_DISTANCE_A)
    if shortest < SMALLEST_DISTANCE_A:
        raise StructureError(
            f"expected atoms at least {SMALLEST_DISTANCE_A:g} Å apart, found {shortest:.2f}"
        )
    return atoms.copy(), {}


def describe(atoms: Atoms, spec: CrystalSpec, options: Options) -> np.ndarray:
    """Lattice, groups, sizes, species, properties, numbers of atoms by element, (n_features,).

    The group that is said is that in the `info` of the structure (`space_group`): of a training
    crystal that of the build, of a generated one what its model drew; NaN without one. So are
    properties where no family of the options needs them.

    Raises:
        StructureError: an element beyond 100, or no symmetry found.
    """
    numbers = atoms.numbers
    if numbers.min() < 1 or numbers.max() > N_ELEMENTS:
        raise StructureError(f"expected elements 1 to {N_ELEMENTS}, found {numbers.max()}")
    said = group_said(atoms)
    counts = np.bincount(numbers, minlength=N_ELEMENTS + 1)[1:]
    volume = atoms.get_volume()
    density = DALTON_PER_A3 * atomic_masses[numbers].sum() / volume
    return np.concatenate(
        [
            atoms.cell.cellpar(),
            [said, space_group(atoms, SYMPREC_A)],
            [len(atoms), (counts > 0).sum(), volume / len(atoms), density],
            [numbers.mean(), numbers.std(), closest_over_radii(atoms)],
            described(
                options.wants("properties"),
                len(PREDICTED),
                lambda: properties_of(atoms, options.networks),
            ),
            counts,
        ]
    )


def group_said(atoms: Atoms) -> float:
    """The number of the space group in the `info` of a structure; NaN if there is no number."""
    said = atoms.info.get(SPACE_GROUP)
    known = isinstance(said, Real) and np.isfinite(said)
    return float(said) if known else float("nan")


def tabulate(rows: np.ndarray, numbered: pd.DataFrame, options: Options) -> pd.DataFrame:
    """Features of crystals from their rows."""
    return table_of(rows, numbered, DESCRIBED)


def score(
    features: pd.DataFrame, reference: pd.DataFrame, spec: CrystalSpec
) -> dict[str, tuple[str, Interval]]:
    """Kolmogorov-Smirnov statistics against the training set, and what symmetry is left.

    Args:
        features: one row per accepted crystal; may be empty.
        reference: one row per training crystal.
        spec: card of the dataset.
    """
    scores = {
        metric: _ks(*(compared(table, name) for table in (features, reference)))
        for metric, name in {**COMPARED, **PROPERTY_OF}.items()
    }
    scores["ks_atomic_number"] = ks_of_counts_ci(features[ATOMS_OF], reference[ATOMS_OF])
    said = features.dropna(subset=["space_group_said"])
    theirs = reference["space_group_said"].dropna()
    scores["ks_space_group_said"] = ks_ci(said["space_group_said"].round().to_numpy(), theirs)
    scores["percent_with_symmetry"] = UNDEFINED
    scores["space_group_agreement"] = UNDEFINED
    if len(features):
        found = features["space_group_found"].to_numpy()
        scores["percent_with_symmetry"] = percentage(int((found > 1).sum()), len(found))
    if len(said):
        same = said["space_group_said"].round() == said["space_group_found"]
        scores["space_group_agreement"] = share_ci(same.to_numpy(dtype=float))
    scores["ks_mean"] = _mean([scores[name] for name in [*COMPARED, "ks_atomic_number"]])
    return with_units(scores)


def _ks(values: np.ndarray, training: np.ndarray) -> Interval:
    """The statistic of one feature; undefined where it was not computed."""
    return UNDEFINED if np.isnan(values).all() else ks_ci(values, training)


def compared(table: pd.DataFrame, column: str) -> np.ndarray:
    """Values of a feature as the statistics compare them, (n_crystals,).

    They are without the noise of rounding: one right angle must not lie beside another.
    """
    return table[column].to_numpy(dtype=float).round(DIGITS)


def _mean(intervals: list[Interval]) -> Interval:
    """Mean of statistics of one set; its limits are the means of theirs, so rather too wide."""
    return Interval(*(float(np.mean(values)) for values in zip(*intervals, strict=True)))


def resample_headline(
    features: pd.DataFrame, reference: pd.DataFrame, spec: CrystalSpec
) -> Resampled:
    """ks_mean of accepted crystals, and of every resample of them; nan without any."""
    parts = [
        resampled_ks(compared(features, name), compared(reference, name))
        for name in COMPARED.values()
    ]
    parts.append(resampled_ks_of_counts(features[ATOMS_OF], reference[ATOMS_OF]))
    values, resamples = zip(*parts, strict=True)
    return Resampled(float(np.mean(values)), np.mean(resamples, axis=0))
