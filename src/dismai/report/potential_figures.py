"""Figures of a fitted potential: what it predicts, and what more training cells bring."""

import pandas as pd
from matplotlib.figure import Figure

from dismai.report.figures import COLORS, REFERENCE_COLOR


def plot_parity(table: pd.DataFrame) -> Figure:
    """Predictions of the largest fit against labels: energies and force components."""
    table = table[table["n_train"] == table["n_train"].max()]
    figure = Figure(figsize=(8, 3.8), layout="constrained")
    axes = figure.subplots(1, 2)
    for axis, quantity in zip(axes, ("energy", "force"), strict=True):
        part = table[table["quantity"] == quantity]
        unit = part["unit"].iloc[0]
        values = part[["label", "predicted"]].to_numpy()
        limits = [values.min(), values.max()]
        axis.plot(limits, limits, color=REFERENCE_COLOR, linewidth=1)
        axis.plot(
            part["label"], part["predicted"], ".", color=COLORS[0], markersize=3, rasterized=True
        )
        axis.set_xlabel(f"{quantity}, label ({unit})")
        axis.set_ylabel(f"{quantity}, fitted ({unit})")
    figure.suptitle(f"{table['cell'].nunique()} held-out cells")
    return figure


def plot_learning_curve(curve: pd.DataFrame) -> Figure:
    """Errors on held-out cells against the number of training cells."""
    figure = Figure(figsize=(8, 3.4), layout="constrained")
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
