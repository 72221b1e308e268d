"""Figures of a run: numbers in, matplotlib figure out."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms
from ase.data import atomic_numbers
from ase.data.colors import jmol_colors
from ase.visualize.plot import plot_atoms
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from dismai.base.atomic import replacing
from dismai.base.card import read_card
from dismai.base.errors import StructureError
from dismai.base.kinds import KINDS, VIEW
from dismai.base.signed import signed
from dismai.datasets.alloy.describe import SRO_COLUMNS
from dismai.files.structures import read_frames
from dismai.report.histograms import plot_histograms
from dismai.report.panels import Quantity, draw_sets, panel_grid
from dismai.report.style import (
    MAX_SIZE_IN,
    Shown,
    add_notes,
    fill_style,
    line_styles,
    new_figure,
    note_on,
    same_bytes,
    short_names,
    shortened,
    shown_sets,
    without_formulae,
    wrapped,
)

PAPER_ATOMS = 256
SPECIES_COLORS = {
    "Cr": "#7B5EA7", "Fe": "#E0803A", "Ni": "#3A9E4F",
    "Li": "#8F5BD0", "Co": "#2C6FB2", "Sc": "#A0A0A8", "Cl": "#3DBB3D", "O": "#D93A2B",
}  # fmt: skip
MAX_PICTURES = 8


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure with its title, an SVG signed; the same figure gives the same bytes."""
    is_svg = str(path).endswith("svg")
    described = {"Date": None, "Title": figure.get_label()} if is_svg else {}
    with replacing(path) as temporary, same_bytes():
        figure.savefig(temporary, dpi=150, metadata=described)
        if is_svg:
            temporary.write_bytes(signed(temporary.read_bytes()))


def plot_sro(
    reference: pd.DataFrame, sets: Mapping[str, pd.DataFrame], models: Sequence[str] = ()
) -> Figure:
    """Violins of the twelve Warren-Cowley parameters of training and generated structures."""
    quantities = []
    for shell in (1, 2):
        columns = [column for column in SRO_COLUMNS if f"_{shell}NN_" in column]
        quantities.append(
            Quantity(
                lambda axes, shown, columns=columns: violins(axes, shown, columns),
                xlabel="pair of species",
                ylabel=f"Warren–Cowley α, shell {shell}",
                ticks=[column.split("_")[-1] for column in columns],
            )
        )
    title = "Short-range order of training and generated structures"
    return draw_sets(title, *shown_sets(reference, sets, models), quantities, (9.0, 5.5))


def violins(
    axes: Axes, shown: Sequence[Shown], columns: Sequence[str], zero_line: bool = True
) -> None:
    """Distribution of each column, the sets side by side; few structures are points."""
    width = 0.85 / len(shown)
    for k, one in enumerate(shown):
        offset = (k - (len(shown) - 1) / 2) * width
        for x, column in enumerate(columns):
            values = one.table[column].dropna().to_numpy()
            if len(values):
                _violin(axes, values, x + offset, width, one)
    if zero_line:
        axes.axhline(0, color="black", linewidth=0.5)


def _violin(axes: Axes, values: np.ndarray, x: float, width: float, one: Shown) -> None:
    color = one.style.color
    if np.ptp(values) < 1e-9:  # no density to estimate: all structures have this value
        axes.plot([x - width / 2, x + width / 2], [values[0]] * 2, color=color, linewidth=2)
    elif not one.is_dense:
        axes.plot([x] * len(values), values, "o", ms=3, mew=0, alpha=0.7, color=color)
    else:
        parts = axes.violinplot(values, [x], widths=width, showextrema=False, showmeans=True)
        for body in parts["bodies"]:
            body.set(alpha=None, **fill_style(one))
        parts["cmeans"].set(color="black", linewidth=0.8)


def plot_energies(
    reference: pd.DataFrame,
    sets: Mapping[str, pd.DataFrame],
    n_atoms: int,
    kind: str,
    models: Sequence[str] = (),
) -> Figure:
    """Histograms of the energy above the training mean, meV/atom.

    The published range, and what the sets need beyond it. It and the published bins are widened for
    small cells, whose energies spread as 1 / sqrt(n_atoms).
    """
    column, low, high, width = KINDS[kind].energies
    scale = max(1.0, np.sqrt(PAPER_ATOMS / n_atoms))
    all_shown, notes = shown_sets(reference, sets, models)
    # Without energies of the training set there is nothing to compare with.
    known = [column in one.table and column in reference for one in all_shown]
    shown = [one for one, has in zip(all_shown, known, strict=True) if has]
    without = [one.name for one, has in zip(all_shown, known, strict=True) if not has]
    notes = [*notes, *note_on("not relaxed", without)]
    mean = reference[column].mean() if shown else 0.0
    values = [1000 * (one.table[column].to_numpy(dtype=float) - mean) for one in shown]
    return plot_histograms(
        "Energies of training and generated structures",
        shown,
        notes,
        values,
        xlabel="energy above the training mean (meV/atom)",
        published=(scale * low, scale * high, scale * width),
    )


def plot_structures(
    structures: Mapping[str, Atoms | StructureError | None],
    rotation: str | Mapping[str, str] = VIEW,
) -> Figure:
    """Pictures of structures, atoms coloured by species.

    rotation: how they are turned, as ASE writes it; one for all, or one a structure.

    Names without a structure stand in a note, and so do those beyond `MAX_PICTURES`.
    """
    names = short_names(list(structures))
    found = {names[name]: atoms for name, atoms in structures.items() if isinstance(atoms, Atoms)}
    pictured = dict(list(found.items())[:MAX_PICTURES])
    notes = note_on("none accepted", [names[n] for n in structures if names[n] not in found])
    notes += note_on("not pictured", [name for name in found if name not in pictured])
    palette = species_palette(pictured.values())
    width, height = MAX_SIZE_IN
    turned = dict.fromkeys(structures, rotation) if isinstance(rotation, str) else rotation
    turns = {names[name]: turn for name, turn in turned.items()}
    aspect = _aspect(*next((atoms, turns[n]) for n, atoms in pictured.items())) if pictured else 1.0
    rows, columns = panel_grid(len(pictured), (width, height - 0.6), aspect)
    own = (width / columns) / aspect + 0.35  # no taller than the pictures need
    figure = new_figure("Pictures of structures", width, min(height, 0.7 + rows * own))
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, (label, atoms) in zip(panels, pictured.items(), strict=False):
        picture(axes, atoms, turns[label], palette)
        axes.set_title(wrapped(label, int(width / columns * 11)), fontsize=9)
    handles = [Patch(color=color, label=symbol) for symbol, color in palette.items()]
    if handles:
        figure.legend(handles=handles, loc="outside upper center", ncols=12, frameon=False)
    add_notes(figure, notes)
    return figure


def plot_datasets(cards: Sequence[Path], train: Sequence[Path]) -> Figure:
    """The first training structure of every dataset, as Fig. 1 of the paper.

    cards, train: files of the cards, and of the training structures in the same order.
    """
    read = [read_card(path) for path in cards]
    structures = {
        card.name: read_frames(path, range(1))[0] for card, path in zip(read, train, strict=True)
    }
    turned = {card.name: KINDS[card.kind].view for card in read}
    return plot_structures(structures, turned)


def species_palette(structures: Iterable[Atoms]) -> dict[str, object]:
    """The colour of every element of some structures."""
    species = sorted({symbol for atoms in structures for symbol in atoms.symbols})
    return {
        symbol: SPECIES_COLORS.get(symbol, tuple(jmol_colors[atomic_numbers[symbol]]))
        for symbol in species
    }


def picture(axes: Axes, atoms: Atoms, rotation: str, palette: Mapping[str, object]) -> None:
    """Draw a structure, wrapped into its cell, atoms in the colours of their elements."""
    shown = atoms.copy()
    shown.wrap()
    colors = [palette[symbol] for symbol in shown.symbols]
    plot_atoms(shown, axes, rotation=rotation, radii=0.6, colors=colors)


def _aspect(atoms: Atoms, rotation: str) -> float:
    """Width over height of the picture of a structure."""
    axes = Figure().subplots()
    plot_atoms(atoms, axes, rotation=rotation, radii=0.6)
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    return abs((right - left) / (top - bottom))


def plot_training(histories: Mapping[str, pd.DataFrame]) -> Figure:
    """Training curves, one panel a model: every recorded loss against the step.

    histories: model to its losses; a column `seed` tells trainings apart, which are thin lines.
    """
    width, height = MAX_SIZE_IN
    names = short_names(list(histories))
    rows, columns = panel_grid(len(histories), (width, height), 1.6)
    figure = new_figure("Losses during training", width, min(height, 3.2 * rows))
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels[len(histories) :]:
        axes.set_axis_off()
    if not histories:
        panels[0].text(0.5, 0.5, "no model was trained on this dataset", ha="center")
    for axes, (name, history) in zip(panels, histories.items(), strict=False):
        n_drawn = _losses(axes, history)
        axes.set_xlabel("training step", fontsize=8)
        axes.set_ylabel("loss", fontsize=8)
        axes.set_title(wrapped(names[name], int(width / columns * 11)), fontsize=9)
        axes.tick_params(labelsize=7)
        if n_drawn:
            columns = 2 if n_drawn > 4 else 1
            axes.legend(loc="upper right", fontsize=6.5, ncols=columns, framealpha=0.6)
        else:
            axes.text(0.5, 0.5, "nothing recorded", ha="center", transform=axes.transAxes)
    return figure


def _losses(axes: Axes, history: pd.DataFrame) -> int:
    """Draw the losses that are known anywhere; return how many."""
    kept = [name for name in history.columns if name not in ("step", "epoch", "seed")]
    kept = [name for name in kept if np.isfinite(history[name].astype(float)).any()]
    trainings = [history] if "seed" not in history else [t for _, t in history.groupby("seed")]
    for name, style in line_styles(kept).items():
        label = without_formulae(shortened(name.lstrip("_")))
        for training in trainings:
            known = np.isfinite(training[name].astype(float))  # validation is not in every epoch
            axes.plot(
                training["step"][known], training[name][known], label=label,
                color=style.color, linestyle=style.linestyle, marker="o" if known.sum() < 3 else "",
                markersize=3, linewidth=1 if len(trainings) == 1 else 0.7,
            )  # fmt: skip
            label = None if known.any() else label
    return len(kept)
