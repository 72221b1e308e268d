"""Figures of brass by name."""

from brass.functions import DESCRIBED
from dismai.report.drawings import Drawing
from dismai.report.style import new_figure


def plot_order(train, sets, spec, models):
    """Mean number of neighbours of each kind, of the training set and of every set."""
    figure = new_figure("Neighbours by element", 4.0, 3.0)
    axes = figure.subplots()
    for name, features in {"training set": train, **sets}.items():
        axes.plot(DESCRIBED, 8 * features[DESCRIBED].mean(), "o", label=name)
    axes.set_ylabel("neighbours")
    axes.legend()
    return figure


FIGURES = {"order": Drawing(plot_order, "Neighbours by element: eight in all.")}
