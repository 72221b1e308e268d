"""Figures of the study of CryinGAN: energies, numbers against lambda and training, critics."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dismai.evaluation.study_gan import (
    CLOSE,
    CRITICS,
    LAMBDA,
    NOT_CONVERGED,
    OPTIMUM,
    TRAINING,
    Variant,
    bounds_of,
    grouped,
)
from dismai.report.figures import save_figure
from dismai.report.style import COLORS, add_notes, new_figure

SHOWN = (CLOSE, NOT_CONVERGED, "d_all", "mean_gamma")
N_POINTS = 400
"""Of the energy axis."""
HEADINGS = {
    CLOSE: "close pairs",
    NOT_CONVERGED: "not converged (%)",
    "percent_failed": "failed (%)",
    "d_all": "d_all",
    "d_Sc": "d_Sc",
    "mean_gamma": "mean energy (J/m²)",
    "percent_low_gamma": "low energy (%)",
    "relaxation_steps": "steps",
}
"""Of columns, and of axes."""


def draw_all(variants: Sequence[Variant], table: pd.DataFrame, files: Any) -> None:
    """Write every figure of the study.

    table: of the study.  files: paths with the names energies, weight, training, critics, losses.
    """
    save_figure(plot_energies(variants), files.energies)
    save_figure(plot_lambda(variants, table), files.weight)
    save_figure(plot_training(variants), files.training)
    save_figure(plot_critics(variants), files.critics)
    save_figure(plot_losses(variants), files.losses)


def plot_energies(variants: Sequence[Variant]) -> Figure:
    """Cumulative shares of interface energies by lambda, a band over the trainings (Fig. 7)."""
    own = grouped(variants)[LAMBDA]
    figure = new_figure("Interface energies of generated structures by lambda", 7.0, 4.2)
    axes = figure.subplots()
    known = [training.gamma for one in own for training in one.trainings if len(training.gamma)]
    notes = ["The band reaches from the least to the greatest share of the trainings."]
    if not known:
        axes.text(0.5, 0.5, "no structure reached a minimum", ha="center")
        return figure
    low, high = np.quantile(np.concatenate(known), [0.0, 0.98])
    grid = np.linspace(low - 0.05 * (high - low), high, N_POINTS)
    for k, one in enumerate(own):
        sets = [training.gamma for training in one.trainings if len(training.gamma)]
        if not sets:
            notes.append(f"{one.name}: no structure reached a minimum")
            continue
        shares = np.array([(own_set[:, None] <= grid).mean(axis=0) for own_set in sets])
        label = f"λ = {one.weight:g} (trainings: {len(sets)}, structures: {sum(map(len, sets))})"
        axes.plot(grid, 100 * shares.mean(axis=0), color=COLORS[k % len(COLORS)], label=label)
        axes.fill_between(
            grid, 100 * shares.min(axis=0), 100 * shares.max(axis=0),
            color=COLORS[k % len(COLORS)], alpha=0.2, linewidth=0,
        )  # fmt: skip
    axes.axvline(0.0, color="black", linewidth=0.8, linestyle=":")
    axes.set(xlabel="interface energy in the potential (J/m²)", ylabel="structures below (%)")
    axes.set_ylim(0, 100)
    axes.legend(fontsize=8, frameon=False)
    add_notes(figure, notes)
    return figure


def plot_lambda(variants: Sequence[Variant], table: pd.DataFrame) -> Figure:
    """Close pairs, failures, motif distance and energy against lambda (S12, S15).

    table: of the study, for the published numbers.
    """
    own = grouped(variants)[LAMBDA]
    figure = new_figure("Generated structures against the weight of the distance critic", 8.5, 5.6)
    for axes, metric in zip(figure.subplots(2, 2).ravel(), SHOWN, strict=True):
        _draw_means(axes, range(len(own)), own, metric)
        axes.set_xticks(range(len(own)), [f"{one.weight:g}" for one in own])
        axes.set(xlabel="λ", ylabel=HEADINGS[metric])
        told = table[table["group"].eq(LAMBDA) & table["metric"].eq(metric)].set_index("name")
        published = told.loc[[one.name for one in own], "published"].to_numpy()
        if np.isfinite(published).any():
            axes.plot(published, "*", color=COLORS[1], ms=9, label="published")
            axes.legend(fontsize=8, frameon=False)
    add_notes(figure, [MEANS])
    return figure


MEANS = (
    "Line: mean over trainings; bar: its 95 % interval (over structures for a single training); "
    "points: trainings."
)


def plot_training(variants: Sequence[Variant]) -> Figure:
    """The same numbers against the length of the training, for one critic and for two (S16)."""
    own = grouped(variants)[TRAINING]
    figure = new_figure("Generated structures against the length of the training", 8.5, 5.6)
    for axes, metric in zip(figure.subplots(2, 2).ravel(), SHOWN, strict=True):
        for k, weight in enumerate(sorted({one.weight for one in own})):
            part = [one for one in own if one.weight == weight]
            label = "one critic" if weight == 0 else f"two critics, λ = {weight:g}"
            _draw_means(axes, [one.updates for one in part], part, metric, COLORS[k], label)
        axes.set(xlabel="steps of critics, all critics together", ylabel=HEADINGS[metric])
        if own and metric == SHOWN[0]:
            axes.legend(fontsize=8, frameon=False)
    notes = [MEANS, "Equal steps of critics take about equal time."]
    add_notes(figure, notes if own else ["No variant was trained for longer or shorter."])
    return figure


def plot_critics(variants: Sequence[Variant]) -> Figure:
    """Other poolings and critics beside the published ones (ESI note 2)."""
    groups = grouped(variants)
    plain = [one for one in groups[LAMBDA] if one.weight in (0.0, OPTIMUM)]
    own = [*plain, *groups[CRITICS]]
    height = 1.2 + 0.28 * max(4, len(own))
    figure = new_figure("Generated structures by critic and pooling", 9.0, min(6.3, height))
    for k, (axes, metric) in enumerate(zip(figure.subplots(1, 4), SHOWN, strict=True)):
        for place, one in enumerate(own):
            mean = one.mean(metric)
            low, high = mean.interval(*bounds_of(metric))
            color = COLORS[0] if one.is_plain else COLORS[1]
            axes.plot([low, high], [place, place], color=color, linewidth=1.2)
            points = [training.numbers[metric].value for training in one.trainings]
            axes.plot(points, [place] * len(points), "o", ms=3, mew=0, color=color, alpha=0.6)
            axes.plot([mean.value], [place], "|", ms=10, color=color)
        axes.set_yticks(range(len(own)), [one.name for one in own] if k == 0 else [""] * len(own))
        axes.set_ylim(len(own) - 0.5, -0.5)
        axes.set_xlabel(HEADINGS[metric], fontsize=8)
        axes.tick_params(labelsize=8)
    add_notes(figure, ["Bar: 95 % interval; points: trainings. Blue: the published critics."])
    return figure


def plot_losses(variants: Sequence[Variant]) -> Figure:
    """Losses of critics in training; graph critics beside the published ones (S17)."""
    groups = grouped(variants)
    own = [one for one in variants if one.hparams["critics"] == "graph"]
    own = [*(one for one in groups[LAMBDA] if one.weight in (0.0, OPTIMUM)), *own]
    figure = new_figure("Losses of the critics in training", 7.5, 4.2)
    axes = figure.subplots()
    for k, one in enumerate(own):
        history = one.trainings[0].history
        losses = [name for name in history if name.startswith("critic_")]
        total = history[losses].sum(axis=1)
        axes.plot(
            history["step"], total, label=one.name, linewidth=1.0,
            color=COLORS[k % len(COLORS)], linestyle="-" if one.is_plain else "--",
        )  # fmt: skip
    axes.set_yscale("symlog", linthresh=1.0)
    axes.set(xlabel="step", ylabel="sum of the losses of the critics")
    axes.legend(fontsize=8, frameon=False)
    add_notes(figure, ["First training of each; linear between -1 and 1, logarithmic outside."])
    return figure


def _draw_means(
    axes: Axes,
    places: Sequence[float],
    variants: Sequence[Variant],
    metric: str,
    color: str = COLORS[0],
    label: str | None = None,
) -> None:
    means = [one.mean(metric) for one in variants]
    limits = np.array([mean.interval(*bounds_of(metric)) for mean in means]).reshape(-1, 2)
    values = np.array([mean.value for mean in means])
    errors = np.abs(limits - values[:, None]).T
    axes.errorbar(list(places), values, errors, color=color, capsize=3, linewidth=1.2, label=label)
    for place, one in zip(places, variants, strict=True):
        points = [training.numbers[metric].value for training in one.trainings]
        axes.plot([place] * len(points), points, "o", ms=3.5, mew=0, color=color, alpha=0.5)
