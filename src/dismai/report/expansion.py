"""Figure of a fitted cluster expansion: its penalty, and what the penalty costs."""

import pandas as pd
from matplotlib.figure import Figure

from dismai.report.style import COLORS, new_figure


def plot_expansion_fit(
    validation: pd.DataFrame, order: pd.DataFrame, against: str = "least_squares_meV"
) -> Figure:
    """Error of held-out alloys against the penalty; order energies against those without one.

    Args:
        validation: columns of `datasets.alloy.expansion_fit.ExpansionFit.validation`.
        order: table of `order_table`.
        against: its column on the x axis of the right panel.
    """
    figure = new_figure("Cluster expansion fitted to energies of alloys", 7.0, 3.2)
    left, right = figure.subplots(1, 2)
    best = validation.loc[validation["error_meV_per_atom"].idxmin()]
    left.loglog(validation["penalty_meV"], validation["error_meV_per_atom"], color=COLORS[0])
    left.axvline(best["penalty_meV"], color="black", linewidth=0.8, linestyle="--")
    left.set(xlabel="penalty (meV)", ylabel="error of held-out alloys (meV/atom)")
    left.set_title(f"chosen: {best['penalty_meV']:.2g} meV", fontsize=9)
    limits = [order[[against, "lasso_meV"]].min().min(), order[[against, "lasso_meV"]].max().max()]
    right.plot(limits, limits, color="black", linewidth=0.8)
    for i, (pair, part) in enumerate(order.groupby("pair", sort=False)):
        right.plot(part[against], part["lasso_meV"], ".", color=COLORS[i], label=pair)
    words = {"least_squares_meV": "no penalty", "made_meV": "as made"}
    right.set(xlabel=f"order energy, {words[against]} (meV)", ylabel="order energy, LASSO (meV)")
    right.legend(frameon=False, fontsize=8)
    return figure
