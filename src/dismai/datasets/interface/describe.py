"""Cleaning, description and scores of the interface (Table 1, and beyond)."""

import numpy as np
import pandas as pd
from ase import Atoms

from dismai.base.card import DatasetSpec
from dismai.base.columns import ENERGY, REFERENCE
from dismai.datasets.common import check_training as check_training
from dismai.datasets.common import (
    close_pairs,
    density,
    described,
    mean_distance,
    relative_shift,
    separate_atoms,
    soap_discrepancy,
    soap_names,
    table_of,
)
from dismai.datasets.interface.kind import KIND
from dismai.datasets.options import Options
from dismai.metrics.crystalnn import feature_names, fingerprints, sites
from dismai.metrics.entries import with_units
from dismai.metrics.interface import CATIONS, cation_distances, cation_means, interface_energy
from dismai.metrics.layers import cell_height, shift_onto, smooth_profile
from dismai.metrics.motifs import motif_names, motif_shares
from dismai.metrics.soap import soap_vector
from dismai.metrics.statistics import (
    DISTANCES,
    NO_RESAMPLES,
    UNDEFINED,
    Interval,
    Resampled,
    interval_of,
    mean_ci,
    percentage,
    resampled_statistic,
)

ELEMENTS = KIND.elements
N_LAYERS = 32
REGISTRATIONS = 3
"""Rounds in which training structures are laid on their mean; the first one on the first."""

PRINTS = {s: [f"F_{s}_{name}" for name in feature_names("interface")] for s in CATIONS}
SHARES = {s: [f"share_{s}_{name}_percent" for name in motif_names()] for s in CATIONS}
PROFILE = {s: [f"density_{s}_layer{k}_per_A3" for k in range(N_LAYERS)] for s in ELEMENTS}
SOAP = soap_names(ELEMENTS)
DENSITY, HEIGHT = "density_per_A3", "cell_height_A"

ALL_PRINTS = [name for names in PRINTS.values() for name in names]
ALL_SHARES = [name for names in SHARES.values() for name in names]
ALL_LAYERS = [name for names in PROFILE.values() for name in names]
COUNTED = ["n_close_pairs", "n_passes"]
DESCRIBED = [DENSITY, HEIGHT, *ALL_PRINTS, *ALL_SHARES, *ALL_LAYERS, *SOAP]
FEATURES = [*COUNTED, *DESCRIBED]
SET_COLUMNS = ALL_PRINTS


def clean(atoms: Atoms, spec: DatasetSpec, options: Options) -> tuple[Atoms, dict[str, float]]:
    """Atoms moved apart, with the number of close pairs and of passes."""
    return separate_atoms(atoms)


def cations_of(spec: DatasetSpec) -> dict[str, int]:
    """Number of each cation in a structure of the set."""
    return {element: spec.composition[element] for element in CATIONS}


def describe(atoms: Atoms, spec: DatasetSpec, options: Options) -> np.ndarray:
    """All descriptors of one structure, (n_described,), in the order of `DESCRIBED`.

    Those that no family of the options needs are nan.
    """
    n_motifs = len(ALL_PRINTS) + len(ALL_SHARES)
    return np.concatenate(
        [
            [density(atoms), cell_height(atoms)],
            described(options.wants("motifs", "sets"), n_motifs, lambda: _motifs(atoms, spec)),
            described(
                options.wants("density"),
                len(ALL_LAYERS),
                lambda: smooth_profile(atoms, ELEMENTS, N_LAYERS),
            ),
            described(options.wants("soap"), len(SOAP), lambda: soap_vector(atoms, ELEMENTS)),
        ]
    )


def _motifs(atoms: Atoms, spec: DatasetSpec) -> np.ndarray:
    """Mean fingerprints and shares of motifs of each cation."""
    prints = fingerprints(atoms, "interface")
    symbols = np.array(atoms.get_chemical_symbols())[sites(atoms, "interface")]
    means = cation_means(prints, symbols, cations_of(spec)).ravel()
    shares = (motif_shares(prints[symbols == element]) for element in CATIONS)
    return np.concatenate([means, *shares])


def tabulate(rows: np.ndarray, numbered: pd.DataFrame, options: Options) -> pd.DataFrame:
    """Features of structures from their descriptors."""
    return table_of(rows, numbered, DESCRIBED)


def score(
    features: pd.DataFrame, reference: pd.DataFrame, spec: DatasetSpec
) -> dict[str, tuple[str, Interval]]:
    """Metrics of accepted structures against training structures, by name: unit and interval."""
    metrics = {
        f"d_{element}": mean_distance(features, reference, PRINTS[element]) for element in CATIONS
    }
    return {
        **with_units(
            {
                **metrics,
                "d_all": interval_of(*resample_headline(features, reference, spec), DISTANCES),
                "d_profile": mean_distance(*align_profiles(features, reference), ALL_LAYERS),
                "soap_mmd": soap_discrepancy(features, reference, SOAP),
                "density_shift": relative_shift(features[DENSITY], reference[DENSITY]),
                "close_pairs": close_pairs(features),
            }
        ),
        **energy_scores(features, spec),
    }


def align_profiles(
    features: pd.DataFrame, reference: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables, their density profiles shifted along the normal onto the mean of the reference.

    Every structure has a shift of its own, one for all elements; so the origin of the cells,
    which a model cannot know, is in no metric and no figure.
    """
    shape = (-1, len(ELEMENTS), N_LAYERS)
    own, training = (
        table[ALL_LAYERS].to_numpy(dtype=float).reshape(shape) for table in (features, reference)
    )
    if len(training) > 0 and not np.isnan(training).any() and not np.isnan(own).any():
        target = training[0]
        for _ in range(REGISTRATIONS):
            training = shift_onto(training, target)
            target = training.mean(axis=0)
        own = shift_onto(own, target)
    return _with_layers(features, own), _with_layers(reference, training)


def _with_layers(table: pd.DataFrame, layers: np.ndarray) -> pd.DataFrame:
    table = table.copy()
    table[ALL_LAYERS] = layers.reshape(len(table), len(ALL_LAYERS))
    return table


def interface_energies(features: pd.DataFrame, spec: DatasetSpec) -> np.ndarray:
    """Interface energy of relaxed structures, J/m^2, (n_structures,), by the zero on the card."""
    zero = spec.statistics[REFERENCE]
    area = float(np.linalg.norm(np.cross(spec.cell[0], spec.cell[1])))
    energy = spec.n_atoms * features[ENERGY].to_numpy(dtype=float)
    return interface_energy(energy, spec.n_atoms, area, zero)


def energy_scores(features: pd.DataFrame, spec: DatasetSpec) -> dict[str, tuple[str, Interval]]:
    """Mean interface energy and share of low ones; nothing without relaxation or a zero."""
    if ENERGY not in features or REFERENCE not in spec.statistics:
        return {}
    gamma = interface_energies(features, spec)
    if len(gamma) == 0:
        mean = low = UNDEFINED
    else:
        mean, low = mean_ci(gamma), percentage(int((gamma <= 0.0).sum()), len(gamma))
    return with_units({"mean_gamma": mean, "percent_low_gamma": low})


def resample_headline(
    features: pd.DataFrame, reference: pd.DataFrame, spec: DatasetSpec
) -> Resampled:
    """d_all of accepted structures, and of every resample of them; nan without any."""
    cations = cations_of(spec)
    if features[ALL_PRINTS].isna().all(axis=None):
        return NO_RESAMPLES
    shape = (len(cations), -1)
    training = reference[ALL_PRINTS].to_numpy().mean(axis=0).reshape(shape)
    return resampled_statistic(
        features[ALL_PRINTS].to_numpy(),
        lambda mean: cation_distances(mean.reshape(shape), training, cations)["d_all"],
    )
