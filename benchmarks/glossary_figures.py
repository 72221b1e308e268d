"""Draw the figures of docs/glossary.md: sets that metrics tell apart, and sets that they do not.

python benchmarks/glossary_figures.py docs/figures

Structures are the small training sets of `dismai dataset --size small`, and what is damaged of
them; every number in a title is computed by the metric itself. A minute on one core.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms
from matplotlib.figure import Figure

import dismai
from dismai.base.kinds import KINDS
from dismai.datasets.alloy.describe import SRO_COLUMNS
from dismai.datasets.amorphous_si import describe as si
from dismai.datasets.options import Options
from dismai.evaluation.process import describe_reference
from dismai.metrics import sets as of_sets
from dismai.metrics.motifs import motif_names
from dismai.report.figures import save_figure
from dismai.report.style import new_figure

GREY, GOOD, BAD = "#4D4D4D", "#0072B2", "#D55E00"
N_MOTIFS = 5


def main(folder: str) -> None:
    """Draw all figures into a folder."""
    random = np.random.default_rng(0)
    for name, plot in (("order", plot_order), ("network", plot_network), ("sets", plot_of_sets)):
        save_figure(plot(random), Path(folder) / f"glossary_{name}.svg")


def described(structures: list[Atoms], card) -> pd.DataFrame:
    """Features of structures."""
    return describe_reference(structures, card, Options(), "structures")


def value(features: pd.DataFrame, training: pd.DataFrame, card, metric: str) -> float:
    """A metric of a set against the training set."""
    return KINDS[card.kind].score(features, training, card)[metric][1].value


def plot_order(random: np.random.Generator) -> Figure:
    """Warren-Cowley parameters of alloys: held out, species shuffled, atoms moved."""
    alloy = dismai.dataset("alloy_300K_narrow", "small")
    shuffled = [atoms.copy() for atoms in alloy.train[:20]]
    for atoms in shuffled:
        atoms.symbols = random.permutation(atoms.get_chemical_symbols())
    training = described(alloy.train, alloy.card)
    figure = new_figure("Short-range order of alloys, and d_cluster", 8.0, 2.9)
    panels = figure.subplots(1, 2, sharey=True)
    columns = [name for name in SRO_COLUMNS if "_1NN_" in name]
    for axes, (title, made, color) in zip(
        panels,
        (("held out", alloy.val, GOOD), ("species shuffled", shuffled, BAD)),
        strict=True,
    ):
        own = described(made, alloy.card)
        x = np.arange(len(columns))
        axes.bar(x - 0.2, training[columns].mean(), 0.4, color=GREY, label="training")
        axes.bar(x + 0.2, own[columns].mean(), 0.4, color=color, label=title)
        axes.axhline(0, color="black", linewidth=0.5)
        axes.set_xticks(x, [name.split("_")[-1] for name in columns], fontsize=8)
        axes.set_title(
            f"{title}: d_cluster {value(own, training, alloy.card, 'd_cluster'):.2g}", fontsize=9
        )
        axes.legend(fontsize=7, frameon=False)
    panels[0].set_ylabel("Warren–Cowley α, shell 1", fontsize=8)
    return figure


def plot_network(random: np.random.Generator) -> Figure:
    """What describes silicon: held out, and every atom moved by 0.25 Å."""
    silicon = dismai.dataset("amorphous_si", "small")
    moved = [atoms.copy() for atoms in silicon.val]
    for atoms in moved:
        atoms.positions += random.normal(0, 0.25 / np.sqrt(3), (len(atoms), 3))
    training, held_out, made = (
        described(one, silicon.card) for one in (silicon.train, silicon.val, moved)
    )
    common = training[si.SHARES].mean().nlargest(N_MOTIFS).index
    names = dict(zip(si.SHARES, motif_names(), strict=True))
    figure = new_figure("Descriptors of amorphous silicon, and their distances", 9.0, 5.2)
    panels = figure.subplots(2, 3).ravel()
    drawn = [
        ("d_rdf", si.RDF, si.R_A, "r (Å)", "g(r)"),
        ("d_angle", si.ANGLES, si.ANGLE_DEGREES, "bond angle (degrees)", "% per 0.5°"),
        ("d_dihedral", si.DIHEDRALS, si.DIHEDRAL_DEGREES, "dihedral angle (degrees)", "% per 5°"),
        ("d_structure_factor", si.FACTOR, si.Q_PER_A, "q (1/Å)", "S(q)"),
        ("d_rings", si.RINGS, si.RING_SIZES, "atoms in the ring", "rings per atom"),
        ("d_motif", common, np.arange(N_MOTIFS), "", "atoms (%)"),
    ]
    for axes, (metric, columns, x, xlabel, ylabel) in zip(panels, drawn, strict=True):
        scale = 100 if ylabel.startswith("%") else 1
        for table, color, label in (
            (training, GREY, "training"), (held_out, GOOD, "held out"), (made, BAD, "atoms moved"),
        ):  # fmt: skip
            axes.plot(
                x, scale * table[list(columns)].mean(), color=color, label=label, linewidth=1.2,
                marker="o" if len(x) < 10 else "", markersize=3,
            )  # fmt: skip
        good, bad = (value(one, training, silicon.card, metric) for one in (held_out, made))
        axes.set_title(f"{metric}: {good:.2g}, moved {bad:.2g}", fontsize=9)
        axes.set_xlabel(xlabel, fontsize=8)
        axes.set_ylabel(ylabel, fontsize=8)
        axes.tick_params(labelsize=7)
    panels[-1].set_xticks(
        range(N_MOTIFS), [names[name].replace(" CN", "\nCN") for name in common],
        fontsize=5.5, rotation=20,
    )  # fmt: skip
    panels[0].legend(fontsize=7, frameon=False)
    return figure


def plot_of_sets(random: np.random.Generator) -> Figure:
    """Generated points beside training points of two groups, and what metrics of sets say."""

    def groups(n: int, spread: float = 0.6, centres: tuple[float, ...] = (-2.0, 2.0)) -> np.ndarray:
        x = random.choice(centres, (n, 1))
        return np.hstack([x, np.zeros((n, 1))]) + random.normal(0, spread, (n, 2))

    training, held_out = groups(120), groups(60)
    made = {
        "right": groups(60),
        "copies": training[random.choice(120, 60, replace=False)] + 1e-3,
        "one group lost": groups(60, centres=(2.0,)),
        "too little variety": groups(60, spread=0.15),
        "unlike all": groups(60) + [0, 2.6],
        "the right mean": groups(60, spread=0.3, centres=(float(training[:, 0].mean()),)),
    }
    figure = new_figure("Metrics of sets of points in a plane", 9.0, 5.6)
    for axes, (title, points) in zip(figure.subplots(2, 3, sharex=True, sharey=True).flat,
                                     made.items(), strict=True):  # fmt: skip
        axes.plot(*training.T, ".", color="#B0B0B0", markersize=4, label="training")
        axes.plot(*points.T, ".", color=BAD if title != "right" else GOOD, markersize=4)
        axes.set_title(
            f"{title}\nfidelity {of_sets.fidelity(points, training):.2f}, "
            f"coverage {of_sets.coverage(points, training):.2f}, "
            f"diversity {of_sets.diversity(points, training):.2f}\n"
            f"memorisation {of_sets.memorisation(points, training, held_out):.2f}, "
            f"mmd {of_sets.mmd(points, training):.2f}, distance of means "
            f"{np.linalg.norm(points.mean(axis=0) - training.mean(axis=0)):.2f}",
            fontsize=7.5,
        )
        axes.set(xticks=[], yticks=[])
    return figure


if __name__ == "__main__":
    main(*sys.argv[1:])
