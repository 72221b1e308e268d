"""Figure of the degradation suite: what each metric sees."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dismai.report.style import MAX_SIZE_IN, new_figure, short_names, without_formulae


def plot_sensitivity(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Rank correlation of every metric with the strength of every damage, one panel a dataset.

    Cells where the metric does not see the damage (correlation below 0.9, or a change within the
    sampling error) are pale.

    Args:
        tables: label to the table of `dismai.evaluation.degradation.sensitivity`.
    """
    tables = {label: table for label, table in tables.items() if len(table)}
    sizes = [table["metric"].nunique() for table in tables.values()] or [1]
    height = 0.9 + sum(0.3 * n + 0.8 for n in sizes)
    figure = new_figure(
        "What each metric sees", 8.5, min(height, MAX_SIZE_IN[1] * max(1, len(tables)))
    )
    panels = figure.subplots(len(sizes), 1, squeeze=False, height_ratios=sizes)[:, 0]
    if not tables:
        panels[0].text(0.5, 0.5, "no metric was scored", ha="center")
        panels[0].set_axis_off()
    names = short_names(list(tables))
    for axes, (label, table) in zip(panels, tables.items(), strict=False):
        _correlations(axes, table)
        title = f"{names[label]}: rank correlation with the strength of the damage"
        axes.set_title(without_formulae(title), fontsize=10)
    return figure


def _correlations(axes: Axes, table: pd.DataFrame) -> None:
    rows, columns = table["metric"].unique(), table["damage"].unique()
    rho = table.pivot(index="metric", columns="damage", values="spearman")
    sees = table.pivot(index="metric", columns="damage", values="sees")
    rho, sees = (t.reindex(index=rows, columns=columns) for t in (rho, sees))
    seen = sees.fillna(False).to_numpy(dtype=bool)
    values = rho.to_numpy(dtype=float)
    axes.imshow(np.where(seen, values, 0.0), cmap="RdBu_r", vmin=-1.4, vmax=1.4, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        text = "–" if np.isnan(value) else f"{value:+.2f}"
        color = "black" if seen[i, j] else "#777777"
        axes.text(j, i, text, ha="center", va="center", fontsize=8, color=color)
    axes.set_xticks(range(len(columns)), [without_formulae(name) for name in columns], fontsize=8)
    axes.set_yticks(range(len(rows)), [without_formulae(name) for name in rows], fontsize=8)
    axes.tick_params(length=0)
