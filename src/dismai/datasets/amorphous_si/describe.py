"""Cleaning, description and scores of amorphous silicon (Table 2, and beyond)."""

import numpy as np
import pandas as pd
from ase import Atoms

from dismai.base.card import DatasetSpec
from dismai.base.errors import StructureError
from dismai.datasets.common import check_training as check_training
from dismai.datasets.common import (
    close_pairs,
    density,
    described,
    finite_values,
    mean_distance,
    relative_shift,
    resampled_mean_distance,
    separate_atoms,
    soap_discrepancy,
    soap_names,
    table_of,
)
from dismai.datasets.options import Options
from dismai.geometry.grid import make_grid
from dismai.metrics.angles import angle_shares, bond_angles
from dismai.metrics.crystalnn import PRESETS, feature_names, fingerprints, tessellate
from dismai.metrics.entries import with_units
from dismai.metrics.motifs import motif_names, motif_shares
from dismai.metrics.network import bond_network, coordination_shares, dihedral_distribution
from dismai.metrics.rdf import rdf
from dismai.metrics.rings import ring_counts
from dismai.metrics.silicon import BOND_CUTOFF_A
from dismai.metrics.soap import soap_vector
from dismai.metrics.statistics import (
    DISTANCES,
    UNDEFINED,
    Interval,
    Resampled,
    bootstrap_ci,
    interval_of,
    mean_ci,
)
from dismai.metrics.structure_factor import first_peak, structure_factor

LONGEST_RING = 7
MAX_COORDINATION = 8
DIHEDRAL_BIN = 5.0  # degrees
Q_MAX, Q_STEP = 4.0, 0.1  # 1/Å
Q_FINE, Q_RESOLUTION = 0.01, 0.1  # 1/Å: bins that are smoothed, width of the Gaussian

R_A = 0.02 * (np.arange(500) + 0.5)
ANGLE_DEGREES = 0.5 * (np.arange(360) + 0.5)
DIHEDRAL_DEGREES = DIHEDRAL_BIN * (np.arange(36) + 0.5)
Q_PER_A = Q_STEP * (np.arange(40) + 0.5)
RING_SIZES = np.arange(3, LONGEST_RING + 1)

MOTIF = [f"motif_{name}" for name in feature_names("amorphous_si")]
RDF = [f"g_{r:.2f}A" for r in R_A]
ANGLES = [f"angle_{angle:.2f}deg" for angle in ANGLE_DEGREES]
COORDINATION = [f"coordination_{n}_percent" for n in range(MAX_COORDINATION + 1)]
DIHEDRALS = [f"dihedral_{angle:.1f}deg" for angle in DIHEDRAL_DEGREES]
RINGS = [f"rings_{n}_per_atom" for n in RING_SIZES]
FACTOR = [f"s_{q:.2f}_per_A" for q in Q_PER_A]
SHARES = [f"share_{name}_percent" for name in motif_names()]
SOAP = soap_names(["Si"])
DENSITY = "density_per_A3"

COUNTED = ["n_close_pairs", "n_passes"]
DESCRIBED = [
    *(DENSITY, *MOTIF, *RDF, *ANGLES, *COORDINATION, *DIHEDRALS, *RINGS, *FACTOR, *SHARES, *SOAP)
]
FEATURES = [*COUNTED, *DESCRIBED]
SET_COLUMNS = MOTIF


def clean(atoms: Atoms, spec: DatasetSpec, options: Options) -> tuple[Atoms, dict[str, float]]:
    """Atoms moved apart, with the number of close pairs and of passes."""
    return separate_atoms(atoms)


def describe(atoms: Atoms, spec: DatasetSpec, options: Options) -> np.ndarray:
    """All descriptors of one structure, (n_described,), in the order of `DESCRIBED`.

    Rings and dihedral angles of a network that has none, or that is too dense to search, are nan,
    and so are bins of the structure factor without a wave vector, and what no family of the
    options needs; everything else is finite.
    """
    grid = make_grid(atoms)
    motifs, curves = options.wants("motifs", "sets"), options.wants("curves")
    network = options.wants("network")
    cells = prints = None
    if motifs or curves or network:
        cells = tessellate(atoms, None, PRESETS["amorphous_si"].settings.search_radius, grid)
    if motifs:
        prints = fingerprints(atoms, "amorphous_si", cells)
    required = [
        [density(atoms)],
        described(motifs, len(MOTIF), lambda: prints.mean(axis=0)),
        described(curves, len(RDF), lambda: rdf(atoms, grid=grid)[1]),
        described(curves, len(ANGLES), lambda: angle_shares(bond_angles(atoms, cells))[1]),
        described(
            network, len(COORDINATION), lambda: coordination_shares(atoms, MAX_COORDINATION, cells)
        ),
    ]
    rest = [
        *_network(atoms, curves or network, network),
        _factor(atoms) if curves else np.full(len(FACTOR), np.nan),
        motif_shares(prints) if motifs else np.full(len(SHARES), np.nan),
        soap_vector(atoms, ["Si"]) if options.wants("soap") else np.full(len(SOAP), np.nan),
    ]
    return np.concatenate([*required, *rest])


def _network(atoms: Atoms, any_of_it: bool, its_rings: bool) -> tuple[np.ndarray, np.ndarray]:
    """Dihedral distribution, (36,), and rings per atom, (5,), of the bonds within the cutoff."""
    dihedrals, rings = np.full(len(DIHEDRALS), np.nan), np.full(len(RINGS), np.nan)
    if not any_of_it:
        return dihedrals, rings
    network = bond_network(atoms, BOND_CUTOFF_A)
    try:
        _, dihedrals = dihedral_distribution(network, DIHEDRAL_BIN)
        if its_rings:
            rings = ring_counts(network, LONGEST_RING)[3:] / len(atoms)
    except StructureError:  # described as far as it goes: the published metrics need neither
        pass
    return dihedrals, rings


def _factor(atoms: Atoms) -> np.ndarray:
    """Structure factor at `Q_PER_A` with the resolution `Q_RESOLUTION`, (40,).

    Smoothed, because the few wave vectors of a small cell would else jump from bin to bin with its
    size. Nan below the first wave vector, and everywhere for a cell too long to sum over.
    """
    try:
        q, s = structure_factor(atoms, Q_MAX + 3 * Q_RESOLUTION, Q_FINE)
    except StructureError:
        return np.full(len(FACTOR), np.nan)
    known = np.isfinite(s)
    q, s = q[known], s[known]
    weight = np.exp(-0.5 * ((Q_PER_A[:, None] - q) / Q_RESOLUTION) ** 2)  # (40, n_bins)
    smooth = weight @ s / weight.sum(axis=1)
    return np.where(Q_PER_A < q[0] - Q_RESOLUTION, np.nan, smooth)


def tabulate(rows: np.ndarray, numbered: pd.DataFrame, options: Options) -> pd.DataFrame:
    """Features of structures from their descriptors."""
    return table_of(rows, numbered, DESCRIBED)


def score(
    features: pd.DataFrame, reference: pd.DataFrame, spec: DatasetSpec
) -> dict[str, tuple[str, Interval]]:
    """Metrics of accepted structures against training structures, by name: unit and interval."""
    defects = [name for name in COORDINATION if name != "coordination_4_percent"]
    position, height = _peak_shifts(features, reference)
    return with_units(
        {
            "d_motif": interval_of(*resample_headline(features, reference, spec), DISTANCES),
            "d_rdf": mean_distance(features, reference, RDF),
            "d_angle": mean_distance(features, reference, ANGLES),
            "d_dihedral": mean_distance(features, reference, DIHEDRALS),
            "d_rings": mean_distance(features, reference, RINGS),
            "d_structure_factor": mean_distance(features, reference, FACTOR),
            "coordination_defects_above_training": _above(
                features[defects].sum(axis=1), reference[defects].sum(axis=1)
            ),
            "soap_mmd": soap_discrepancy(features, reference, SOAP),
            "diffraction_peak_shift": position,
            "diffraction_peak_height_shift": height,
            "density_shift": relative_shift(features[DENSITY], reference[DENSITY]),
            "close_pairs": close_pairs(features),
        }
    )


def resample_headline(
    features: pd.DataFrame, reference: pd.DataFrame, spec: DatasetSpec
) -> Resampled:
    """d_motif of accepted structures, and of every resample of them."""
    return resampled_mean_distance(features, reference, MOTIF)


def _above(values: pd.Series, training: pd.Series) -> Interval:
    if len(values) == 0:
        return UNDEFINED
    return mean_ci(values.to_numpy() - training.mean())


def _peak_shifts(features: pd.DataFrame, reference: pd.DataFrame) -> tuple[Interval, Interval]:
    """Position (1/Å) and height of the first diffraction peak of mean S(q), less training's."""
    values, training, known = finite_values(features, reference, FACTOR)
    q = Q_PER_A[known]
    if 0 in values.shape or 0 in training.shape or ((q >= 1.0) & (q <= 3.0)).sum() < 3:
        return UNDEFINED, UNDEFINED
    target = first_peak(q, training.mean(axis=0))
    return (
        bootstrap_ci(values, lambda mean: first_peak(q, mean).position - target.position),
        bootstrap_ci(values, lambda mean: first_peak(q, mean).height - target.height),
    )
