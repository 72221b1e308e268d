"""Figures of a run: numbers in, matplotlib figure out."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from ase import Atoms
from ase.visualize.plot import plot_atoms
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from dismai.evaluation.alloy import ENERGY_COLUMN, SRO_COLUMNS
from dismai.evaluation.relaxation import ENERGY

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
REFERENCE_COLOR = "#555555"
PAPER_ATOMS = 256
ENERGIES = {
    "alloy": (ENERGY_COLUMN, -5.0, 15.0, 0.5),
    "amorphous_si": (ENERGY, -50.0, 100.0, 5.0),
}
"""Column, published range and published bin, meV/atom, of the histograms by kind of dataset."""
SPECIES_COLORS = {
    "Cr": "#7B5EA7", "Fe": "#E0803A", "Ni": "#3A9E4F",
    "Li": "#8F5BD0", "Co": "#2C6FB2", "Sc": "#A0A0A8", "Cl": "#3DBB3D", "O": "#D93A2B",
}  # fmt: skip


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure; the same figure gives the same bytes."""
    with matplotlib.rc_context({"svg.hashsalt": "dismai"}):
        figure.savefig(path, dpi=150, metadata={"Date": None} if str(path).endswith("svg") else {})


def labelled(reference: pd.DataFrame, sets: Mapping[str, pd.DataFrame]) -> dict[str, tuple]:
    """Label -> (table, colour) of the training set and of every generated set."""
    colored = {"training": (reference, REFERENCE_COLOR)}
    for i, (label, table) in enumerate(sets.items()):
        shown = label if len(table) else f"{label} (none accepted)"
        colored[shown] = (table, COLORS[i % len(COLORS)])
    return colored


def plot_sro(reference: pd.DataFrame, sets: Mapping[str, pd.DataFrame]) -> Figure:
    """Violins of the twelve Warren-Cowley parameters of training and generated structures."""
    colored = labelled(reference, sets)
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    panels = figure.subplots(2, 1)
    width = 0.85 / len(colored)
    for shell, axes in enumerate(panels, start=1):
        columns = [column for column in SRO_COLUMNS if f"_{shell}NN_" in column]
        for k, (table, color) in enumerate(colored.values()):
            offset = (k - (len(colored) - 1) / 2) * width
            for x, column in enumerate(columns):
                values = table[column].dropna().to_numpy()
                if len(values) == 0:
                    continue
                _violin(axes, values, x + offset, width, color)
        axes.axhline(0, color="black", linewidth=0.5)
        axes.set_xticks(range(len(columns)), [column.split("_")[-1] for column in columns])
        axes.set_ylabel(f"Warren-Cowley α, shell {shell}")
    legend(figure, colored)
    return figure


def _violin(axes, values: np.ndarray, x: float, width: float, color: str) -> None:
    if np.ptp(values) < 1e-9:  # no density to estimate: all structures have this value
        axes.plot([x - width / 2, x + width / 2], [values[0]] * 2, color=color, linewidth=2)
        return
    parts = axes.violinplot(values, [x], widths=width, showextrema=False, showmeans=True)
    for body in parts["bodies"]:
        body.set(facecolor=color, edgecolor="none", alpha=0.7)
    parts["cmeans"].set(color="black", linewidth=0.8)


def legend(figure: Figure, colored: Mapping[str, tuple]) -> None:
    """Name the colours of the sets above a figure."""
    handles = [Patch(color=color, label=label) for label, (_, color) in colored.items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=4, frameon=False, fontsize=8)


def plot_energies(
    reference: pd.DataFrame, sets: Mapping[str, pd.DataFrame], n_atoms: int, kind: str
) -> Figure:
    """Histograms of the energy above the training mean, meV/atom.

    Percentages refer to the structures inside the range. The published range and bins are widened
    for small cells, whose energies spread as 1 / sqrt(n_atoms).
    """
    column, low, high, width = ENERGIES[kind]
    scale = max(1.0, np.sqrt(PAPER_ATOMS / n_atoms))
    edges = scale * (low + width * np.arange(round((high - low) / width) + 1))
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    colored = labelled(reference, sets)
    mean = reference[column].mean()
    for table, color in colored.values():
        above = 1000 * (table[column].dropna().to_numpy() - mean)
        counts, _ = np.histogram(above, edges)
        axes.stairs(100 * counts / max(counts.sum(), 1), edges, color=color, linewidth=1.4)
    axes.set(xlabel="E - mean training E (meV/atom)", ylabel="structures (%)")
    axes.set_xlim(edges[0], edges[-1])
    legend(figure, colored)
    return figure


def plot_structures(structures: Mapping[str, Atoms], rotation: str = "-80x,15y,0z") -> Figure:
    """Pictures of structures side by side, atoms coloured by species, turned as ASE writes it."""
    figure = Figure(figsize=(4.2 * len(structures), 4.4), layout="constrained")
    panels = figure.subplots(1, len(structures), squeeze=False)[0]
    species = sorted({symbol for atoms in structures.values() for symbol in atoms.symbols})
    palette = {
        symbol: SPECIES_COLORS.get(symbol, COLORS[i % len(COLORS)])
        for i, symbol in enumerate(species)
    }
    for axes, (label, atoms) in zip(panels, structures.items(), strict=True):
        shown = atoms.copy()
        shown.wrap()
        colors = [palette[symbol] for symbol in shown.symbols]
        plot_atoms(shown, axes, rotation=rotation, radii=0.6, colors=colors)
        axes.set_title(label)
        axes.set_axis_off()
    handles = [Patch(color=color, label=symbol) for symbol, color in palette.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(palette), frameon=False)
    return figure


def plot_training(histories: Mapping[str, pd.DataFrame]) -> Figure:
    """Training curves, one panel a training: every recorded loss against the step."""
    n_panels = max(1, len(histories))
    figure = Figure(figsize=(6, 2.6 * n_panels), layout="constrained")
    panels = figure.subplots(n_panels, 1, squeeze=False)[:, 0]
    for axes in panels[len(histories) :]:
        axes.text(0.5, 0.5, "no model was trained on this dataset", ha="center")
        axes.set_axis_off()
    for axes, (label, history) in zip(panels, histories.items(), strict=False):
        x = history["step"]
        losses = [column for column in history.columns if column not in ("step", "epoch")]
        for i, column in enumerate(losses):
            known = history[column].notna()  # validation is not in every epoch
            color = COLORS[i % len(COLORS)]
            axes.plot(x[known], history[column][known], label=column, color=color, linewidth=1)
        axes.set(xlabel="training step", ylabel="loss", title=label)
        axes.legend(frameon=False, fontsize=8)
    return figure
