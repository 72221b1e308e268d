"""Figures of the ablations: switches, sampling steps, relaxation, pictures."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dismai.base.card import DatasetSpec
from dismai.base.errors import StructureError
from dismai.base.kinds import KINDS
from dismai.evaluation.study_ablation import (
    ANGLES,
    BEFORE,
    COMPOSITION,
    LENGTHS,
    PLAIN,
    Variant,
    bounds_of,
    grouped,
)
from dismai.report.figures import plot_structures, save_figure
from dismai.report.style import (
    MIN_FOR_DENSITY,
    MODELS,
    TRAINING,
    add_notes,
    further_style,
    new_figure,
    note_on,
)

STEPS = "relaxation_steps"
HEADLINES = tuple(kind.headline for kind in KINDS.values())
HEADINGS = {
    COMPOSITION: "right composition (%)",
    LENGTHS: "cell lengths off (%)",
    ANGLES: "cell angles off (°)",
    "percent_failed": "failed (%)",
    **{f"{name}{BEFORE}": f"{name} before relaxation" for name in HEADLINES},
    **{name: name for name in HEADLINES},
    "energy_above_training": "energy (meV/atom)",
    STEPS: "relaxation steps",
}
"""Of columns, and of axes; a dataset has one of the headlines."""
MARKS = "Bar: 95 % interval; points: trainings; hollow: published, a triangle a lower limit."


def draw_all(
    variants: Sequence[Variant],
    table: pd.DataFrame,
    pictures: Mapping[str, Atoms | StructureError | None],
    training: np.ndarray,
    spec: DatasetSpec,
    files: Any,
) -> None:
    """Write every figure of the study.

    Args:
        variants: with their numbers.
        table: of the study, for the published numbers.
        pictures: a generated structure by model.
        training: energies of the training set above their mean, meV/atom.
        spec: card of the dataset.
        files: paths with the names switches, steps, relaxation, structures.
    """
    save_figure(plot_switches(variants, table, spec), files.switches)
    save_figure(plot_steps(variants, training), files.steps)
    save_figure(plot_relaxation(variants, table, spec), files.relaxation)
    save_figure(plot_structures(pictures, KINDS[spec.kind].view), files.structures)


def plot_switches(variants: Sequence[Variant], table: pd.DataFrame, spec: DatasetSpec) -> Figure:
    """Compositions, cells, failures and the headline of what was trained (S5, S6, S20)."""
    own = [one for one in variants if not one.weights_of]
    headline = KINDS[spec.kind].headline
    shown = (COMPOSITION, LENGTHS, "percent_failed", headline)
    labels = [one.name if one.switch == PLAIN else f"{one.name}:\n{one.switch}" for one in own]
    title = "Switches that the benchmark leaves off"
    return _rows_of_numbers(title, own, labels, shown, table)


def plot_relaxation(variants: Sequence[Variant], table: pd.DataFrame, spec: DatasetSpec) -> Figure:
    """Relaxation steps, and the headline before and after relaxation (Tables S2 and S3)."""
    headline = KINDS[spec.kind].headline
    own = [one for one in variants if np.isfinite(one.mean(STEPS).value)]
    shown = (STEPS, f"{headline}{BEFORE}", headline)
    title = "Relaxation of generated structures"
    labels = [one.name for one in own]
    figure = _rows_of_numbers(title, own, labels, shown, table)
    without = [one.name for one in variants if one not in own]
    add_notes(figure, [MARKS, *note_on("not relaxed, or none accepted", without)])
    return figure


def _rows_of_numbers(
    title: str,
    variants: Sequence[Variant],
    labels: Sequence[str],
    metrics: Sequence[str],
    table: pd.DataFrame,
) -> Figure:
    """A row a variant, a panel a number."""
    figure = new_figure(title, 9.0, min(6.3, 1.3 + 0.36 * max(3, len(variants))))
    told = table[table["group"].eq(PLAIN)].set_index(["name", "metric"])
    for k, (axes, metric) in enumerate(zip(figure.subplots(1, len(metrics)), metrics, strict=True)):
        for place, one in enumerate(variants):
            _draw_mean(axes, place, one, metric)
            if (one.name, metric) in told.index:
                _draw_published(axes, place, told.loc[(one.name, metric)])
        axes.set_yticks(range(len(variants)), labels if k == 0 else [""] * len(variants))
        axes.set_ylim(len(variants) - 0.5, -0.5)
        axes.set_xlabel(HEADINGS[metric], fontsize=8)
        axes.tick_params(labelsize=7.5)
        axes.grid(axis="y", color="#eeeeee", linewidth=0.6)
        axes.margins(x=0.08)
    add_notes(figure, [MARKS])
    return figure


def _draw_mean(axes: Axes, place: int, one: Variant, metric: str) -> None:
    mean, color = one.mean(metric), _color(one.architecture)
    if not np.isfinite(mean.value):
        axes.text(0.5, place, "none", transform=axes.get_yaxis_transform(), ha="center",
                  va="center", fontsize=7, color="#777777")  # fmt: skip
        return
    axes.plot(mean.interval(*bounds_of(metric)), [place, place], color=color, linewidth=1.2)
    points = [training.numbers[metric].value for training in one.trainings
              if metric in training.numbers]  # fmt: skip
    axes.plot(points, [place] * len(points), "o", ms=3.5, mew=0, color=color, alpha=0.6)
    axes.plot([mean.value], [place], "|", ms=10, color=color)


def _draw_published(axes: Axes, place: int, row: pd.Series) -> None:
    """A hollow diamond; an arrow where only a lower limit is told."""
    if np.isfinite(row["published"]):
        axes.plot([row["published"]], [place], "D", ms=5, mfc="none", color="#555555")
    elif np.isfinite(row["published_low"]):
        axes.plot([row["published_low"]], [place], ">", ms=6, mfc="none", color="#555555")


def plot_steps(variants: Sequence[Variant], training: np.ndarray) -> Figure:
    """Energies by number of sampling steps, the training set beside (S22 to S24).

    training: energies of the training set, meV/atom above their mean.
    """
    groups = {name: own for name, own in grouped(variants).items() if name.endswith("steps")}
    n = max(1, len(groups))
    figure = new_figure("Energies by number of sampling steps", min(9.0, 1.0 + 4.0 * n), 3.8)
    panels = figure.subplots(1, n, squeeze=False)[0]
    if not groups:
        panels[0].text(0.5, 0.5, "no model is drawn from with other steps", ha="center")
        panels[0].set_axis_off()
    for axes, own in zip(panels, groups.values(), strict=False):
        _draw_energies(axes, 0, training, TRAINING.color)
        for place, one in enumerate(own, start=1):
            _draw_energies(axes, place, one.energies, _color(one.architecture))
        names = [f"{one.steps}\nn = {len(one.energies)}" for one in own]
        axes.set_xticks(range(len(own) + 1), ["training", *names], fontsize=8)
        axes.axhline(0.0, color="black", linewidth=0.5)
        each = ", a noise level" if own[0].architecture == "cdvae" else ""
        axes.set_xlabel(f"sampling steps of {own[0].architecture}{each}", fontsize=8)
        axes.set_ylabel("energy above the training mean (meV/atom)", fontsize=8)
        axes.tick_params(axis="y", labelsize=8)
    add_notes(figure, ["n: accepted structures. Few are points; of more, median and quartiles."])
    return figure


def _draw_energies(axes: Axes, place: int, values: np.ndarray, color: str) -> None:
    if len(values) < MIN_FOR_DENSITY:
        axes.plot([place] * len(values), values, "o", ms=4, mew=0, color=color, alpha=0.6)
        return
    axes.boxplot(
        values, positions=[place], widths=0.5, manage_ticks=False,
        medianprops={"color": color}, boxprops={"color": color}, whiskerprops={"color": color},
        capprops={"color": color}, flierprops={"marker": ".", "markersize": 3,
                                               "markeredgecolor": color},
    )  # fmt: skip


def _color(architecture: str) -> str:
    known = MODELS.get(architecture)
    return (known or further_style(0)).color
