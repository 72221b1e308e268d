"""Figures of a trained potential: parity, learning curve, and its minima under the engine."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from dismai.potentials.study import METRICS
from dismai.report.figures import COLORS

AXES = {"energy": "energy (eV/atom)", "force": "force (eV/Å)", "stress": "stress (GPa)"}


def plot_parity(predictions: pd.DataFrame) -> Figure:
    """Predictions against labels of the test set, one panel a quantity."""
    shown = [name for name in AXES if (predictions["quantity"] == name).any()]
    figure = Figure(figsize=(3.0 * len(shown), 3.0), layout="constrained")
    panels = figure.subplots(1, len(shown), squeeze=False)[0]
    for axes, name in zip(panels, shown, strict=True):
        part = predictions[predictions["quantity"] == name]
        axes.plot(part["label"], part["prediction"], ".", ms=2, color=COLORS[0], rasterized=True)
        low = min(part["label"].min(), part["prediction"].min())
        high = max(part["label"].max(), part["prediction"].max())
        axes.plot([low, high], [low, high], color="black", linewidth=0.8)
        axes.set(xlabel=f"label: {AXES[name]}", ylabel="M3GNet")
    return figure


def plot_learning(history: pd.DataFrame) -> Figure:
    """Loss of training and errors of validation against the step, logarithmic."""
    columns = [name for name in history.columns if name not in ("epoch", "step")]
    figure = Figure(figsize=(9.0, 2.4 * int(np.ceil(len(columns) / 3))), layout="constrained")
    panels = figure.subplots(-(-len(columns) // 3), 3, squeeze=False).ravel()
    for axes in panels[len(columns) :]:
        axes.set_axis_off()
    for axes, name in zip(panels, columns, strict=False):
        known = history[name].notna()
        color = COLORS[1] if name.startswith("val_") else COLORS[0]
        axes.semilogy(history["step"][known], history[name][known], color=color, linewidth=1.2)
        axes.set(xlabel="training step", title=name)
        axes.title.set_fontsize(8)
    return figure


def plot_minima(table: pd.DataFrame) -> Figure:
    """Mean and standard deviation of ours beside the published, one panel a metric of Table 5."""
    figure = Figure(figsize=(9.0, 2.8), layout="constrained")
    for axes, (metric, (_, unit, words)) in zip(
        figure.subplots(1, len(METRICS)), METRICS.items(), strict=True
    ):
        part = table[table["metric"] == metric]
        x = np.arange(len(part))
        for shift, prefix, label in ((-0.2, "", "this run"), (0.2, "published_", "published")):
            mean, std = part[f"{prefix}mean"], part[f"{prefix}std"]
            color = COLORS[0] if not prefix else "0.6"
            axes.bar(x + shift, mean, 0.4, yerr=std, label=label, color=color, capsize=2)
        axes.set_xticks(x, part["group"])
        axes.set(ylabel=unit, ylim=(0, None))
        axes.set_title(words, fontsize=8)
    axes.legend(frameon=False, fontsize=8)
    return figure
