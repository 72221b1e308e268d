"""Figures of our kinds by name, for the workflow and, with a caption, for the page about a set."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from ase import Atoms
from matplotlib.figure import Figure

from dismai.base.card import DatasetSpec
from dismai.base.kinds import KINDS
from dismai.datasets.interface.ligands import ligand_shares
from dismai.evaluation.file import Evaluation
from dismai.report.crystals import plot_lattice, plot_properties, plot_species
from dismai.report.curves import (
    plot_cation_motifs,
    plot_factor_and_dihedral,
    plot_gamma,
    plot_ligand_motifs,
    plot_nearest,
    plot_pair_and_angle,
    plot_profile,
    plot_rings_and_coordination,
    plot_si_motifs,
)
from dismai.report.figures import plot_energies, plot_sro


@dataclass(frozen=True)
class Drawing:
    """A figure of sets beside their training set.

    draw: features of the training set, features by name of the set, card, all models of the run
        (for their colours) -> the figure.
    caption: what stands below it on a page.
    of_one_set: the page of a single set shows it too; other figures are of the workflow only.
    table_of: makes a table from the first structures of a set, where a figure needs what is no
        feature; it stands for the features in `draw`.
    families: of metrics, all of which it needs; a set that was scored without has no such figure.
    """

    draw: Callable[[pd.DataFrame, Mapping[str, pd.DataFrame], DatasetSpec, Sequence[str]], Figure]
    caption: str
    of_one_set: bool = True
    table_of: Callable[[Sequence[Atoms]], pd.DataFrame] | None = None
    families: tuple[str, ...] = ()


def _without_card(
    plot: Callable[..., Figure], caption: str, *families: str, **rest: Any
) -> Drawing:
    def draw(train, sets, spec, models) -> Figure:
        return plot(train, sets, models)

    return Drawing(draw, caption, families=families, **rest)


def _energies(train, sets, spec: DatasetSpec, models) -> Figure:
    return plot_energies(train, sets, spec.n_atoms, spec.kind, models)


ALLOY = {
    "sro": _without_card(
        plot_sro,
        "Warren–Cowley short-range order of the first two shells, one violin a set. Zero is a "
        "random decoration; below zero neighbours attract.",
        "order",
    ),
    "energy": Drawing(
        _energies,
        "Formation energy by the cluster expansion, above the mean of the training set.",
        families=("energy",),
    ),
}
AMORPHOUS_SI = {
    "rdf": _without_card(
        plot_pair_and_angle,
        "Radial distribution function and bond angles: mean, and one standard deviation over "
        "structures as a band.",
        "curves",
    ),
    "factor": _without_card(
        plot_factor_and_dihedral,
        "Structure factor (first sharp diffraction peak near 2 Å⁻¹) and dihedral angles.",
        "curves",
    ),
    "rings": _without_card(
        plot_rings_and_coordination,
        "Shortest-path rings of bonds within 2.85 Å, and neighbours by CrystalNN.",
        "network",
    ),
    "motifs": _without_card(
        plot_si_motifs, "Most likely coordination motif of every atom.", "motifs"
    ),
    "energy": Drawing(
        _energies,
        "Energy per atom of the relaxed structures in the potential of the set, above the mean of "
        "the training set.",
        of_one_set=False,
    ),
}
INTERFACE = {
    "gamma": Drawing(
        plot_gamma,
        "Interface energy of the relaxed structures; 0 is the limit of the training set.",
        of_one_set=False,
    ),
    "motifs": _without_card(
        plot_cation_motifs, "Most likely coordination motif of every cation.", "motifs"
    ),
    "ligands": _without_card(
        plot_ligand_motifs,
        "Most likely coordination motif of every cation, split by how many Cl and O stand around "
        "it, as in Fig. 9 of the paper: those with the largest shares in any set, most O first.",
        of_one_set=False,
        table_of=ligand_shares,
    ),
    "profile": _without_card(
        plot_profile,
        "Number density of every element along the normal of the interface: mean, and one "
        "standard deviation over structures as a band.",
        "density",
    ),
}
OF_ALL_KINDS = {
    "structures": "A training structure and the first accepted one of each model, before "
    "relaxation.",
    "training": "Losses of every model trained on this dataset; thin lines are trainings with "
    "different seeds.",
}
"""Captions of the figures that all kinds have, by name."""
CRYSTALS = {
    "lattice": _without_card(
        plot_lattice,
        "Cell lengths and angles: share of crystals up to each value, and the Kolmogorov-Smirnov "
        "statistic against the training set.",
        "crystal",
    ),
    "species": _without_card(
        plot_species,
        "The same of the elements of all atoms, and of space groups found and said.",
        "crystal",
    ),
    "properties": _without_card(
        plot_properties,
        "Seven properties as the published networks of CGCNN predict them. The network of the band "
        "gap knows no metals; those of the moduli learnt from 2041 crystals.",
        "properties",
    ),
}
NEAREST = (
    "Distance of every structure to the nearest training structure, in the features of the "
    "headline metric. Copies stand at zero; the held-out structures show where new ones stand."
)


def drawings_of(
    evaluation: Evaluation, sets: Mapping[str, pd.DataFrame]
) -> Iterator[tuple[str, str, Figure]]:
    """Names, captions and figures of a page: those of its kind, then that of all kinds."""
    kind, reference = KINDS[evaluation.spec.kind], evaluation.reference
    for name, drawing in kind.pictures.items():
        if drawing.of_one_set and set(drawing.families) <= evaluation.families:
            figure = drawing.draw(reference.train, sets, evaluation.spec, ())
            yield name, drawing.caption, figure
    if "sets" not in evaluation.families:
        return
    figure = plot_nearest(reference.train, sets, reference.held_out, kind.set_columns)
    yield "nearest", NEAREST, figure
