"""Histograms of one number of many sets: nothing outside the axes goes unsaid."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dismai.report.panels import Quantity, draw_sets
from dismai.report.style import Shown, note_on

FENCE = 3.0
"""Beyond this many interquartile ranges from the quartiles a value is a far outlier."""
FARTHEST = 100.0
"""The axis reaches no farther than this many published ranges beyond the published one."""
MAX_BINS = 80


def without_outliers(values: np.ndarray) -> np.ndarray:
    """Values of a set without its far outliers."""
    if len(values) == 0:
        return values
    low, high = np.quantile(values, [0.25, 0.75])
    reach = FENCE * (high - low)
    return values[(values >= low - reach) & (values <= high + reach)]


def bin_edges(
    values: Sequence[np.ndarray], published: tuple[float, float, float] | None
) -> np.ndarray:
    """Edges of bins over the published range and the bulk of every set.

    Args:
        values: finite numbers of each set.
        published: low end, high end and width of the bins; None: from zero, as the values need.
    """
    low, high, width = published or (0.0, 0.0, 0.0)
    limits = np.array([low, high]) + FARTHEST * (high - low) * np.array([-1, 1])
    for own in map(without_outliers, values):
        if published:
            own = own[(own >= limits[0]) & (own <= limits[1])]
        if len(own):
            low, high = min(low, own.min()), max(high, own.max())
    if high == low:
        high = low + 1.0
    width = max(width, (high - low) / MAX_BINS)
    first, last = np.floor(low / width + 1e-9), np.ceil(high / width - 1e-9)
    return width * np.arange(first, last + 1)


def plot_histograms(
    title: str,
    shown: Sequence[Shown],
    notes: Sequence[str],
    values: Sequence[np.ndarray],
    xlabel: str,
    published: tuple[float, float, float] | None = None,
    size: tuple[float, float] = (9.0, 3.6),
) -> Figure:
    """Histograms of one number a structure, of the training set and of generated sets.

    Args:
        title: what the figure shows.
        shown: the sets, the training set first.
        notes: facts that the drawing does not show.
        values: the number of every structure of each set, nan where there is none.
        xlabel: with the unit.
        published: low end, high end and width of the published bins.
        size: inches, where all sets share the axes.
    """
    finite = [own[np.isfinite(own)] for own in values]
    edges = bin_edges(finite, published)
    counted = []
    for one, own, known in zip(shown, values, finite, strict=True):
        outside = known[(known < edges[0]) | (known > edges[-1])]
        counted.append(replace(one, table=pd.DataFrame({"value": own}), outside=len(outside)))
        if len(outside):
            span = f"{outside.min():.3g} to {outside.max():.3g}"
            notes = [*notes, f"{one.name}: {len(outside)} of {len(own)} outside the axis ({span})"]
    unknown = [one.name for one, known in zip(counted, finite, strict=True) if not len(known)]
    quantity = Quantity(
        lambda axes, sets: histogram(axes, sets, edges),
        xlabel=xlabel,
        ylabel="structures (%)",
        limits={"xlim": (edges[0], edges[-1]), "ylim": (0, None)},
    )
    notes = [*notes, *note_on("no value", unknown)]
    return draw_sets(title, counted, notes, [quantity], size)


def histogram(axes: Axes, shown: Sequence[Shown], edges: np.ndarray) -> None:
    """Percentages of all structures of each set; few structures are points below."""
    for k, one in enumerate(shown):
        own, style = one.table["value"].to_numpy(), one.style
        if not one.is_dense:
            axes.plot(
                own, np.full(len(own), 0.03 + 0.05 * k), "o", ms=3.5, mew=0, alpha=0.7,
                color=style.color, transform=axes.get_xaxis_transform(),
            )  # fmt: skip
            continue
        percent = 100 * np.histogram(own, edges)[0] / len(own)
        if one.is_training:
            axes.stairs(percent, edges, fill=True, color="black", alpha=0.15)
        axes.stairs(
            percent, edges, color=style.color, linestyle=style.linestyle,
            linewidth=0.8 if one.is_training else 1.4,
        )  # fmt: skip
