"""Figures of the page about one set, with their captions: those of our kinds, and of all."""

from collections.abc import Callable

import pandas as pd
from matplotlib.figure import Figure

from dismai.base.kinds import KINDS
from dismai.evaluation.file import Evaluation
from dismai.report.curves import (
    plot_cation_motifs,
    plot_factor_and_dihedral,
    plot_nearest,
    plot_pair_and_angle,
    plot_profile,
    plot_rings_and_coordination,
    plot_si_motifs,
)
from dismai.report.figures import plot_energies, plot_sro

Drawing = tuple[str, Callable[[Evaluation, dict[str, pd.DataFrame]], Figure]]


def _simple(plot: Callable[..., Figure]) -> Callable[..., Figure]:
    return lambda evaluation, sets: plot(evaluation.reference.train, sets)


NEAREST = (
    "Distance of every structure to the nearest training structure, in the features of the "
    "headline metric. Copies stand at zero; the held-out structures show where new ones stand.",
    lambda evaluation, sets: plot_nearest(
        evaluation.reference.train,
        sets,
        evaluation.reference.held_out,
        KINDS[evaluation.spec.kind].set_columns,
    ),
)
ALLOY: list[Drawing] = [
    (
        "Warren–Cowley short-range order of the first two shells, one violin a set. Zero is a "
        "random decoration; below zero neighbours attract.",
        _simple(plot_sro),
    ),
    (
        "Formation energy by the cluster expansion, above the mean of the training set.",
        lambda evaluation, sets: plot_energies(
            evaluation.reference.train, sets, evaluation.spec.n_atoms, "alloy"
        ),
    ),
]
AMORPHOUS_SI: list[Drawing] = [
    (
        "Radial distribution function and bond angles: mean, and one standard deviation over "
        "structures as a band.",
        _simple(plot_pair_and_angle),
    ),
    (
        "Structure factor (first sharp diffraction peak near 2 Å⁻¹) and dihedral angles.",
        _simple(plot_factor_and_dihedral),
    ),
    (
        "Shortest-path rings of bonds within 2.85 Å, and neighbours by CrystalNN.",
        _simple(plot_rings_and_coordination),
    ),
    ("Most likely coordination motif of every atom.", _simple(plot_si_motifs)),
]
INTERFACE: list[Drawing] = [
    ("Most likely coordination motif of every cation.", _simple(plot_cation_motifs)),
    (
        "Number density of every element along the normal of the interface: mean, and one "
        "standard deviation over structures as a band.",
        _simple(plot_profile),
    ),
]


def drawings_of(kind: str) -> list[Drawing]:
    """Captions and functions of the figures of a page: those of its kind, then that of all."""
    return [*KINDS[kind].pictures, NEAREST]
