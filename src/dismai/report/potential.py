"""Figures of a trained potential: parity, learning curve, and its minima under the engine."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from dismai.evaluation.study_potential import METRICS, NOT_COMPARED
from dismai.report.panels import grid
from dismai.report.style import COLORS, MAX_SIZE_IN, add_notes, new_figure, plain

AXES = {"energy": "energy (eV/atom)", "force": "force (eV/Å)", "stress": "stress (GPa)"}


def plot_parity(predictions: pd.DataFrame) -> Figure:
    """Predictions against labels of the test set, one panel a quantity."""
    shown = [name for name in AXES if (predictions["quantity"] == name).any()]
    figure = new_figure("Predictions of M3GNet against labels", 3.0 * max(1, len(shown)), 3.3)
    panels = figure.subplots(1, max(1, len(shown)), squeeze=False)[0]
    if not shown:
        panels[0].text(0.5, 0.5, "no predictions", ha="center")
    for axes, name in zip(panels, shown, strict=False):
        part = predictions[predictions["quantity"] == name]
        axes.plot(part["label"], part["prediction"], ".", ms=2, color=COLORS[0], rasterized=True)
        low = min(part["label"].min(), part["prediction"].min())
        high = max(part["label"].max(), part["prediction"].max())
        axes.plot([low, high], [low, high], color="black", linewidth=0.8)
        axes.set(xlabel=f"label: {AXES[name]}", ylabel=f"M3GNet: {AXES[name]}")
        axes.set_title(f"n = {len(part)}", fontsize=9)
    return figure


def plot_learning(history: pd.DataFrame) -> Figure:
    """Loss of training and errors of validation against the step, logarithmic."""
    columns = [name for name in history.columns if name not in ("epoch", "step")]
    width, height = MAX_SIZE_IN
    n_rows, n_columns = grid(len(columns), MAX_SIZE_IN)
    figure = new_figure("Losses of M3GNet during training", width, min(height, 2.6 * n_rows))
    panels = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for axes in panels[len(columns) :]:
        axes.set_axis_off()
    for axes, name in zip(panels, columns, strict=False):
        known = history[name].notna()
        color = COLORS[1] if name.startswith("val_") else COLORS[0]
        marker = "o" if known.sum() < 3 else ""
        axes.semilogy(
            history["step"][known], history[name][known], color=color, linewidth=1.2, marker=marker
        )
        axes.tick_params(labelsize=7)
        axes.set_xlabel("training step", fontsize=8)
        axes.set_title(plain(name), fontsize=8)
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
