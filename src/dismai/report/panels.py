"""Sets side by side: few in one drawing, many in one panel each over the training set."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dismai.report.style import (
    MAX_SIZE_IN,
    Shown,
    add_notes,
    draw_legend,
    new_figure,
    shortened,
    without_formulae,
)

MAX_OVERLAID = 4
"""Generated sets in one drawing; more lie over each other."""
OVERHEAD_IN = 0.4
"""Height of the title and the tick labels of a panel."""
NARROW_IN = 0.75
"""Titles of narrower panels stand upright."""
NAMES_IN = 1.2
"""Height of an upright title."""
MAX_SPAN = 3.0
"""Panels share a y range that is at most this many times the usual one."""
SMALL = 6.5
"""Size of the letters of panels, points."""


@dataclass(frozen=True)
class Quantity:
    """Something to draw of every set.

    draw: draws sets into axes.  xlabel, ylabel: with units.  limits: arguments of `Axes.set`.
    ticks: names of the places 0, 1, ... on the x axis.
    """

    draw: Callable[[Axes, Sequence[Shown]], None]
    xlabel: str
    ylabel: str
    limits: dict[str, Any] = field(default_factory=dict)
    ticks: Sequence[str] = ()

    def into(self, axes: Axes, shown: Sequence[Shown]) -> None:
        """Draw sets, with limits and ticks."""
        self.draw(axes, shown)
        if self.ticks:
            axes.set_xticks(range(len(self.ticks)), self.ticks)
        axes.set(**self.limits)


def draw_sets(
    title: str,
    shown: Sequence[Shown],
    notes: Sequence[str],
    quantities: Sequence[Quantity],
    size: tuple[float, float],
    n_columns: int = 1,
) -> Figure:
    """Quantities of the training set and of generated sets.

    With few sets one axes a quantity, with more than `MAX_OVERLAID` one panel a quantity and set.

    Args:
        title: what the figure shows, for those who do not see it.
        shown: sets to draw.
        notes: facts that the drawing does not show.
        quantities: what to draw.
        size: width and height of the figure of few sets, inches.
        n_columns: number of axes side by side in it.
    """
    base = [one for one in shown if one.is_training]
    sets = [one for one in shown if not one.is_training]
    if len(sets) > MAX_OVERLAID:
        figure = _many(title, base, sets, quantities)
    else:
        figure = new_figure(title, *size)
        axes = figure.subplots(-(-len(quantities) // n_columns), n_columns, squeeze=False).flat
        for own, quantity in zip(axes, quantities, strict=True):
            quantity.into(own, shown)
            own.set(xlabel=quantity.xlabel, ylabel=quantity.ylabel)
    draw_legend(figure, base if len(sets) > MAX_OVERLAID else shown)
    add_notes(figure, notes)
    return figure


def panel_grid(n_panels: int, size: tuple[float, float], aspect: float = 1.4) -> tuple[int, int]:
    """Rows and columns of panels that fill a size, inches, and come near an aspect ratio."""
    width, height = size
    n_panels = max(n_panels, 1)

    def misfit(columns: int) -> float:
        rows = -(-n_panels // columns)
        own = max(height / rows - OVERHEAD_IN, 0.02)
        empty = rows * columns - n_panels
        return abs(np.log(width / columns / own / aspect)) + empty / n_panels

    columns = min(range(1, n_panels + 1), key=misfit)
    return -(-n_panels // columns), columns


def _many(
    title: str, base: Sequence[Shown], sets: Sequence[Shown], quantities: Sequence[Quantity]
) -> Figure:
    """A block of panels a quantity, in it a panel a generated set over the training set."""
    width, height = MAX_SIZE_IN
    rows, columns = panel_grid(len(sets), (width, (height - 1.0) / len(quantities)))
    figure = new_figure(title, width, height)
    last_of_label = {quantity.xlabel: k for k, quantity in enumerate(quantities)}
    narrow = width / columns < NARROW_IN
    names = NAMES_IN / height * len(quantities) if narrow and rows == 1 else 0.0
    ratios = [1.0 + names, *[1.0] * (len(quantities) - 1)]
    blocks = figure.subfigures(len(quantities), 1, squeeze=False, height_ratios=ratios)[:, 0]
    for k, (block, quantity) in enumerate(zip(blocks, quantities, strict=True)):
        panels = block.subplots(rows, columns, squeeze=False)
        _block(panels, base, sets, quantity)
        if k == 0 or rows > 1:
            _name(panels.flat, sets, 0 if narrow else int(15 * width / columns))
        block.supylabel(quantity.ylabel, fontsize=8)
        if last_of_label[quantity.xlabel] == k:
            block.supxlabel(quantity.xlabel, fontsize=8)
        elif rows == 1:
            for axes in panels.flat:
                axes.tick_params(labelbottom=False)
    return figure


def _block(
    panels: np.ndarray,
    base: Sequence[Shown],
    sets: Sequence[Shown],
    quantity: Quantity,
) -> None:
    """Draw one quantity of every set into a grid of panels, (rows, columns)."""
    for axes, one in zip(panels.flat, sets, strict=False):
        quantity.into(axes, [*base, one])
        axes.tick_params(labelsize=SMALL, pad=1.5, length=2)
        axes.yaxis.set_major_locator(MaxNLocator(3))
        if not quantity.ticks:
            axes.xaxis.set_major_locator(MaxNLocator(4))
        elif max(map(len, quantity.ticks)) > 2:
            axes.tick_params(axis="x", rotation=90)
    for axes in panels.flat[len(sets) :]:
        axes.set_axis_off()
    _share_y(panels.flat[: len(sets)])
    n_columns = panels.shape[1]
    for index, axes in enumerate(panels.flat[: len(sets)]):
        if index + n_columns < len(sets):
            axes.tick_params(labelbottom=False)


def _name(panels: Iterable[Axes], sets: Sequence[Shown], width: int) -> None:
    """Write the names of the sets above panels, in lines of that many letters; 0: upright."""
    for axes, one in zip(panels, sets, strict=False):
        if width:
            axes.set_title(one.title(width), fontsize=SMALL + 0.5, pad=2.5)
        else:
            label = without_formulae(shortened(one.label, 26))
            axes.set_title(label, fontsize=SMALL - 0.5, rotation=90, pad=2.5)


def _share_y(panels: Sequence[Axes]) -> None:
    """One y range for all panels, unless one would flatten the others."""
    ranges = np.array([axes.get_ylim() for axes in panels])
    spans = ranges[:, 1] - ranges[:, 0]
    if spans.max() > MAX_SPAN * np.median(spans):
        return
    for axes in panels:
        axes.set_ylim(ranges[:, 0].min(), ranges[:, 1].max())
        if not axes.get_subplotspec().is_first_col():
            axes.tick_params(labelleft=False)
