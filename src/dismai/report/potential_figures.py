"""Figures of a fitted potential: what it predicts, and what more training cells bring."""

import pandas as pd
from matplotlib.figure import Figure

from dismai.report.style import COLORS, new_figure


def plot_parity(table: pd.DataFrame) -> Figure:
    """Predictions of the largest fit against labels: energies and force components."""
    table = table[table["n_train"] == table["n_train"].max()]
    figure = new_figure("Predictions of the fitted potential against labels", 8.0, 3.9)
    for axes, quantity in zip(figure.subplots(1, 2), ("energy", "force"), strict=True):
        part = table[table["quantity"] == quantity]
        unit = part["unit"].iloc[0] if len(part) else ""
        if len(part):
            values = part[["label", "predicted"]].to_numpy()
            limits = [values.min(), values.max()]
            axes.plot(limits, limits, color="black", linewidth=0.8)
        axes.plot(
            part["label"], part["predicted"], ".", color=COLORS[0], markersize=3, rasterized=True
        )
        axes.set(xlabel=f"{quantity}, label ({unit})", ylabel=f"{quantity}, fitted ({unit})")
        axes.set_title(f"n = {len(part)}", fontsize=9)
    figure.suptitle(f"{table['cell'].nunique()} held-out cells")
    return figure


def plot_learning_curve(curve: pd.DataFrame) -> Figure:
    """Errors on held-out cells against the number of training cells."""
    figure = new_figure("Errors on held-out cells by the number of training cells", 8.0, 3.4)
    axes = figure.subplots(1, 2)
    columns = {
        "energy_rmse_meV_per_atom": "energy, RMS error (meV/atom)",
        "force_rmse_eV_per_A": "force component, RMS error (eV/Å)",
    }
    for axis, color, (column, label) in zip(axes, COLORS, columns.items(), strict=False):
        axis.loglog(curve["n_train"], curve[column], "o-", color=color)
        axis.set_xticks(curve["n_train"], [str(n) for n in curve["n_train"]], minor=False)
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter("{x:g}")
        axis.set_xlabel("training cells")
        axis.set_ylabel(label)
    return figure
