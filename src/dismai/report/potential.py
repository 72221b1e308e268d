"""Figures of a fitted potential: parity, learning, and its minima under the engine."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from dismai.evaluation.study_potential import METRICS, NOT_COMPARED
from dismai.potentials.predictions import UNITS
from dismai.report.panels import panel_grid
from dismai.report.style import COLORS, MAX_SIZE_IN, add_notes, new_figure, without_formulae


def plot_parity(predictions: pd.DataFrame) -> Figure:
    """Predictions of the largest fit against labels, one panel a quantity.

    predictions: columns of `potentials.predictions.PREDICTIONS_SCHEMA`.
    """
    table = predictions[predictions["n_train"] == predictions["n_train"].max()]
    shown = [name for name in UNITS if (table["quantity"] == name).any()]
    title = "Predictions of the fitted potential against labels"
    figure = new_figure(title, 3.0 * max(1, len(shown)), 3.5)
    panels = figure.subplots(1, max(1, len(shown)), squeeze=False)[0]
    if not shown:
        panels[0].text(0.5, 0.5, "no predictions", ha="center")
    for axes, name in zip(panels, shown, strict=False):
        part = table[table["quantity"] == name]
        values = part[["label", "prediction"]].to_numpy()
        limits = [values.min(), values.max()]
        axes.plot(limits, limits, color="black", linewidth=0.8)
        axes.plot(part["label"], part["prediction"], ".", ms=2, color=COLORS[0], rasterized=True)
        unit = f"({UNITS[name]})"
        axes.set(xlabel=f"{name}, label {unit}", ylabel=f"{name}, predicted {unit}")
        axes.set_title(f"n = {len(part)}", fontsize=9)
    figure.suptitle(f"{table['structure'].nunique()} held-out structures")
    return figure


LEARNING = {"n_train": "training structures", "step": "training step"}
WORDS = {
    "energy_rmse_meV_per_atom": "energy, RMS error (meV/atom)",
    "force_rmse_eV_per_A": "force component, RMS error (eV/Å)",
}
"""Titles of panels; others have the name of their column."""


def plot_learning(table: pd.DataFrame, along: str = "step") -> Figure:
    """Losses and errors, logarithmic, one panel each; those of held-out structures in orange.

    Args:
        table: a row each of a fit or of an epoch; other columns than keys are drawn.
        along: the key on the x axis: n_train, logarithmic, of several fits; step of a training.
    """
    columns = [name for name in table.columns if name not in ("epoch", *LEARNING)]
    width, height = MAX_SIZE_IN
    n_rows, n_columns = panel_grid(len(columns), MAX_SIZE_IN)
    figure = new_figure("Errors of the potential as it learns", width, min(height, 2.6 * n_rows))
    panels = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for axes in panels[len(columns) :]:
        axes.set_axis_off()
    for axes, name in zip(panels, columns, strict=False):
        known = table[name].notna()
        held_out = name.startswith("val_") or along == "n_train"
        axes.semilogy(
            table[along][known],
            table[name][known],
            color=COLORS[1] if held_out else COLORS[0],
            linewidth=1.2,
            marker="o" if along == "n_train" or known.sum() < 3 else "",
        )
        if along == "n_train":
            axes.set_xscale("log")
            axes.set_xticks(table[along], [str(n) for n in table[along]])
            axes.set_xticks([], minor=True)
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_formatter("{x:g}")
        axes.tick_params(labelsize=7)
        axes.tick_params(which="minor", labelsize=7)
        axes.set_xlabel(LEARNING[along], fontsize=8)
        axes.set_title(WORDS.get(name, without_formulae(name)), fontsize=8)
    return figure


def plot_minima(table: pd.DataFrame) -> Figure:
    """Mean and standard deviation of ours beside the published, one panel a metric of Table 5.

    The note says how many structures count.
    """
    n = table.loc[table["group"] == "all", "n"].iloc[0]
    n_failed = int(table.loc[table["group"] == NOT_COMPARED, "n"].sum())
    figure = new_figure("Minima of M3GNet under the engine of the labels", 9.0, 3.1)
    add_notes(figure, [f"{n} of {n + n_failed} structures reach a minimum in both."])
    for axes, (metric, (_, unit, words)) in zip(
        figure.subplots(1, len(METRICS)), METRICS.items(), strict=True
    ):
        part = table[table["metric"] == metric]
        x = np.arange(len(part))
        for shift, prefix, label in ((-0.2, "", "this run"), (0.2, "published_", "published")):
            mean, std = part[f"{prefix}mean"], part[f"{prefix}std"]
            color = COLORS[0] if not prefix else "0.6"
            axes.bar(x + shift, mean, 0.4, yerr=std, label=label, color=color, capsize=2)
        ticks = [f"{row.group}\nn = {row.n}" for row in part.itertuples()]
        axes.set_xticks(x, ticks, fontsize=8)
        axes.set(ylabel=unit, ylim=(0, None))
        axes.set_title(words, fontsize=8)
    axes.legend(frameon=False, fontsize=8)
    return figure
