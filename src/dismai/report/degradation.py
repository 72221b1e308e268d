"""Figure of the degradation suite: what each metric sees."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure


def plot_sensitivity(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Rank correlation of every metric with the strength of every damage, one panel a dataset.

    Cells where the metric does not see the damage (correlation below 0.9, or a change within the
    sampling error) are pale.

    Args:
        tables: label to the table of `dismai.degradation.sensitivity`.
    """
    sizes = [table["metric"].nunique() for table in tables.values()]
    figure = Figure(figsize=(8.0, 0.9 + sum(0.3 * n + 0.8 for n in sizes)), layout="constrained")
    panels = figure.subplots(len(tables), 1, squeeze=False, height_ratios=sizes)[:, 0]
    for axes, (label, table) in zip(panels, tables.items(), strict=True):
        rows, columns = table["metric"].unique(), table["damage"].unique()
        rho = table.pivot(index="metric", columns="damage", values="spearman")
        sees = table.pivot(index="metric", columns="damage", values="sees")
        rho, sees = (t.reindex(index=rows, columns=columns) for t in (rho, sees))
        seen = sees.fillna(False).to_numpy(dtype=bool)
        values = rho.to_numpy(dtype=float)
        axes.imshow(np.where(seen, values, 0.0), cmap="RdBu_r", vmin=-1.4, vmax=1.4, aspect="auto")
        for (i, j), value in np.ndenumerate(values):
            text = "–" if np.isnan(value) else f"{value:+.2f}"
            color = "black" if seen[i, j] else "#aaaaaa"
            axes.text(j, i, text, ha="center", va="center", fontsize=8, color=color)
        axes.set_xticks(range(len(columns)), columns)
        axes.set_yticks(range(len(rows)), rows)
        axes.tick_params(length=0)
        axes.set_title(f"{label}: rank correlation with the strength of the damage")
    return figure
