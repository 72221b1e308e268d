"""Figures of sets of crystals: cells, elements, groups, properties, hulls, galleries."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from ase import Atoms
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dismai.datasets.crystals.describe import ATOMS_OF, LATTICE, compared
from dismai.datasets.crystals.phases import formula_of
from dismai.metrics.distributions import ks_ci, ks_of_counts_ci
from dismai.metrics.statistics import values_only
from dismai.properties.names import PROPERTIES
from dismai.report.figures import picture, species_palette, violins
from dismai.report.histograms import plot_histograms
from dismai.report.style import (
    MAX_SIZE_IN,
    Shown,
    add_notes,
    draw_legend,
    new_figure,
    note_on,
    shown_sets,
    without_formulae,
)

Sets = Mapping[str, pd.DataFrame]
LABELS = {
    "a_A": "a (Å)", "b_A": "b (Å)", "c_A": "c (Å)",
    "alpha_deg": "α (degrees)", "beta_deg": "β (degrees)", "gamma_deg": "γ (degrees)",
    "space_group_found": "space group found", "space_group_said": "space group said",
}  # fmt: skip
SMALL = 6.5
PER_GALLERY = 12


def plot_lattice(reference: pd.DataFrame, sets: Sets, models: Sequence[str] = ()) -> Figure:
    """Cumulative distributions of cell lengths and angles, with K-S (Figs. 4 and 5)."""
    return _distributions("Cells of training and generated crystals", LATTICE, reference, sets,
                          models)  # fmt: skip


def plot_species(reference: pd.DataFrame, sets: Sets, models: Sequence[str] = ()) -> Figure:
    """The same of the elements of all atoms and of space groups, found and said (Fig. 6)."""
    columns = ["atomic number", "space_group_found", "space_group_said"]
    return _distributions("Elements and space groups", columns, reference, sets, models)


def plot_properties(reference: pd.DataFrame, sets: Sets, models: Sequence[str] = ()) -> Figure:
    """Violins of the seven predicted properties, with K-S beside (Fig. 7)."""
    shown, notes = shown_sets(reference, sets, models)
    figure = new_figure("Predicted properties of training and generated crystals", *MAX_SIZE_IN)
    panels = figure.subplots(2, 4).flat
    for axes, one in zip(panels, PROPERTIES.values(), strict=False):
        violins(axes, shown, [one.column], zero_line=False)
        unit = f" ({one.unit})" if one.unit != "1" else ""
        axes.set_ylabel(f"{one.label}{unit}", fontsize=8)
        axes.tick_params(labelsize=SMALL)
        _write_below(axes, _ks_of(one.column, shown), shown)
    for axes in list(figure.axes)[len(PROPERTIES) :]:
        axes.set_axis_off()
    draw_legend(figure, shown)
    add_notes(figure, [*notes, KS_NOTE])
    return figure


def plot_above_hull(reference: pd.DataFrame, sets: Sets, models: Sequence[str] = ()) -> Figure:
    """Histograms of the energy above the hull (Fig. 8)."""
    return _energies("energy_above_hull_eV_per_atom", "energy above the hull (eV/atom)",
                     reference, sets, models)  # fmt: skip


def plot_formation(reference: pd.DataFrame, sets: Sets, models: Sequence[str] = ()) -> Figure:
    """Histograms of the formation energy (Fig. 12)."""
    return _energies("formation_energy_eV_per_atom", "formation energy (eV/atom)",
                     reference, sets, models)  # fmt: skip


def plot_gallery(name: str, generated: Sequence[Atoms], training: Sequence[Atoms]) -> Figure:
    """Twelve accepted crystals of a model, and twelve training crystals (Figs. 9 to 11)."""
    figure = new_figure(f"Crystals of {name} and training crystals", 9.0, 6.6)
    palette = species_palette([*generated[:PER_GALLERY], *training[:PER_GALLERY]])
    panels = figure.subplots(4, 6).ravel()
    for axes in panels:
        axes.set_axis_off()
    for first, crystals, label in ((0, generated, name), (PER_GALLERY, training, "training")):
        for axes, atoms in zip(panels[first:], crystals[:PER_GALLERY], strict=False):
            picture(axes, atoms, "-80x,15y,0z", palette)
            formula = formula_of(atoms)
            title = f"{label}: {formula}" if atoms is crystals[0] else formula
            axes.set_title(without_formulae(title), fontsize=SMALL)
    if not generated:
        add_notes(figure, note_on("none accepted", [name]))
    return figure


KS_NOTE = "Numbers: Kolmogorov-Smirnov statistic against the training set, 0 equal to 1 apart."


def _distributions(
    title: str, columns: Sequence[str], reference: pd.DataFrame, sets: Sets, models: Sequence[str]
) -> Figure:
    """Cumulative shares, one panel a quantity, the sets over each other."""
    shown, notes = shown_sets(reference, sets, models)
    height = MAX_SIZE_IN[1] if len(columns) > 3 else 3.9
    figure = new_figure(title, MAX_SIZE_IN[0], height)
    panels = figure.subplots(-(-len(columns) // 3), 3, squeeze=False).flat
    for axes, column in zip(panels, columns, strict=True):
        for one in shown:
            values, shares = _cumulative(one.table, column)
            if len(values):
                axes.step(values, shares, where="post", color=one.style.color,
                          linestyle=one.style.linestyle, linewidth=1.2)  # fmt: skip
        axes.set(xlabel=LABELS.get(column, column), ylim=(0, 1.02))
        axes.tick_params(labelsize=SMALL)
        _write_in_corner(axes, _ks_of(column, shown))
    figure.supylabel("share of crystals (of atoms) up to this value", fontsize=8)
    draw_legend(figure, shown)
    add_notes(figure, [*notes, KS_NOTE])
    return figure


def _cumulative(table: pd.DataFrame, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Values in growing order, and the share of the set up to each."""
    if column == "atomic number":
        counts = table[ATOMS_OF].to_numpy(dtype=float).sum(axis=0)
        return np.arange(1, len(counts) + 1), np.cumsum(counts) / max(counts.sum(), 1)
    values = np.sort(table[column].dropna().to_numpy(dtype=float))
    return values, np.arange(1, len(values) + 1) / max(len(values), 1)


def _ks_of(column: str, shown: Sequence[Shown]) -> list[tuple[Shown, float]]:
    """The statistic of every generated set; none where a set has no values."""
    training = shown[0].table
    with values_only():
        if column == "atomic number":
            found = [(one, ks_of_counts_ci(one.table[ATOMS_OF], training[ATOMS_OF]).value)
                     for one in shown[1:]]  # fmt: skip
        else:
            values = compared(training.dropna(subset=[column]), column)
            found = [(one, ks_ci(compared(one.table.dropna(subset=[column]), column), values).value)
                     for one in shown[1:]]  # fmt: skip
    return [(one, value) for one, value in found if np.isfinite(value)]


def _write_in_corner(axes: Axes, found: Sequence[tuple[Shown, float]]) -> None:
    """The statistics in the colours of their sets, in the lower right corner."""
    for k, (one, value) in enumerate(reversed(found)):
        axes.text(0.98, 0.04 + 0.062 * k, f"{value:.2f}", color=one.style.color, fontsize=SMALL,
                  ha="right", va="bottom", transform=axes.transAxes)  # fmt: skip


def _write_below(axes: Axes, found: Sequence[tuple[Shown, float]], shown: Sequence[Shown]) -> None:
    """The statistics in the colours of their sets, each below its violin, as ticks."""
    width = 0.85 / len(shown)
    place = {one.name: (k - (len(shown) - 1) / 2) * width for k, one in enumerate(shown)}
    axes.set_xticks([place[one.name] for one, _ in found], [f"{value:.2f}" for _, value in found])
    for label, (one, _) in zip(axes.get_xticklabels(), found, strict=True):
        label.set(color=one.style.color, rotation=90, fontsize=SMALL)


def _energies(
    column: str, xlabel: str, reference: pd.DataFrame, sets: Sets, models: Sequence[str]
) -> Figure:
    shown, notes = shown_sets(reference, sets, models)
    values = [one.table[column].to_numpy(dtype=float) for one in shown]
    unknown = [
        f"{one.name} {int(np.isnan(own).sum())}"
        for one, own in zip(shown, values, strict=True)
        if np.isnan(own).any()
    ]
    notes += note_on("crystals without energies, or with an element without a phase", unknown)
    return plot_histograms(xlabel.split(" (")[0].capitalize(), shown, notes, values, xlabel=xlabel)
