"""Figures of the study of generated interfaces: energies, motifs, bonds and RDFs of the region."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from dismai.evaluation.study_interface import (
    ANIONS,
    CATIONS,
    COSINE,
    EUCLID,
    FINISHED,
    HIGH,
    LOW_ENGINE,
    LOW_POTENTIAL,
    RANDOM,
    TRAINING,
    Energies,
    Region,
    motif_shares,
)
from dismai.report.figures import save_figure
from dismai.report.style import COLORS, GREYS, add_notes, new_figure

HEADINGS = {
    FINISHED: "at minima (%)",
    LOW_POTENTIAL: "low in the potential (%)",
    LOW_ENGINE: "low under the engine (%)",
    EUCLID: "Euclidean distance",
    COSINE: "cosine similarity",
    "bonds_O": "O bonds of an atom",
    "bonds_Cl": "Cl bonds of an atom",
}
"""Of columns, and of axes."""
NOTES = (
    "Distances and similarities are those of the mean fingerprints of a set and of the training "
    "set; their intervals are the papers' pivotal ones, which leave the range of a distance near "
    "its noise. held_out: the noise itself.",
    "Zero of the energies: by the rule of the dataset, in the potential and under the engine each.",
)
MOST_MOTIFS = 18


def draw_all(
    energies: Mapping[str, Energies],
    regions: Mapping[str, Region],
    table: pd.DataFrame,
    files: Any,
) -> None:
    """Write every figure of the study.

    files: paths with the names energies, bonds, rdf, and motifs_Sc and motifs_Li.
    """
    save_figure(plot_energies(energies), files.energies)
    save_figure(plot_bonds(table), files.bonds)
    save_figure(plot_rdf(regions), files.rdf)
    for cation in CATIONS:
        save_figure(plot_motifs(regions, cation), getattr(files, f"motifs_{cation}"))


def plot_energies(energies: Mapping[str, Energies]) -> Figure:
    """Cumulative shares of interface energies after each stage (Fig. 8)."""
    figure = new_figure("Interface energies of random and of generated structures", 8.5, 3.8)
    titles = {"potential": "after the potential", "engine": "after potential and engine"}
    looks = looks_of(energies)
    for axes, (stage, title) in zip(
        figure.subplots(1, 2, sharey=True), titles.items(), strict=True
    ):
        for name, own in energies.items():
            gamma = np.sort(getattr(own, stage))
            if len(gamma) == 0:
                continue
            shares = 100 * np.arange(1, len(gamma) + 1) / len(gamma)
            low = 100 * (gamma <= 0).mean()
            label = f"{name}: {low:.0f} % of {len(gamma)} low"
            places, heights = np.append(gamma[0], gamma), np.append(0.0, shares)
            axes.step(places, heights, where="post", color=looks[name], label=label)
        axes.axvline(0.0, color="black", linewidth=0.8, linestyle=":")
        axes.set(xlabel="interface energy (J/m²)", ylim=(0, 100))
        axes.set_title(title, fontsize=9)
        axes.legend(fontsize=8, frameon=False, loc="lower right")
    figure.axes[0].set_ylabel("structures below (%)")
    empty = [name for name, own in energies.items() if not len(own.engine)]
    notes = [f"{name}: no structure at minima of both" for name in empty]
    add_notes(figure, ["The paper: 48 % of random and 85 % of generated ones are low.", *notes])
    return figure


def plot_motifs(regions: Mapping[str, Region], cation: str) -> Figure:
    """Percent of the cations of the region by motif and number of O, 95 % intervals (Fig. 9)."""
    shares = motif_shares(regions, cation)
    chosen = sorted(shares, key=lambda key: -shares[key][TRAINING].value)[:MOST_MOTIFS]
    shown = [key for key in shares if key in chosen]
    title = f"Motifs of {cation} in the region, by number of O"
    figure = new_figure(title, 8.0, min(6.3, 1.4 + 0.3 * max(4, len(shown))))
    axes = figure.subplots()
    names = [name for name, region in regions.items() if region.n_structures]
    looks = looks_of(names)
    height = 0.8 / len(names)
    for k, name in enumerate(names):
        places = np.arange(len(shown)) + (k - (len(names) - 1) / 2) * height
        found = [shares[key][name] for key in shown]
        values = np.array([one.value for one in found])
        errors = [[one.value - one.low for one in found], [one.high - one.value for one in found]]
        label = f"{name} ({regions[name].n_structures})"
        axes.barh(places, values, height, color=looks[name], label=label)
        axes.errorbar(
            values, places, xerr=errors, fmt="none", ecolor="#777777", elinewidth=0.9, capsize=1.5
        )
    axes.set_yticks(range(len(shown)), [f"{motif} ({n_o} O)" for motif, n_o in shown], fontsize=8)
    axes.invert_yaxis()
    axes.set(xlabel=f"{cation} of the region (%)", xlim=(0, None))
    axes.set_title(title, fontsize=9)
    axes.legend(fontsize=8, frameon=False)
    notes = ["Behind the names of the sets: structures. Motifs with at least 1 % in training."]
    if len(shares) > len(shown):
        notes.append(f"{len(shares) - len(shown)} rarer ones are left out.")
    add_notes(figure, notes)
    return figure


def plot_bonds(table: pd.DataFrame) -> Figure:
    """Mean numbers of O and Cl bonds of the cations of the region (S19)."""
    figure = new_figure("Bonds of the cations of the region", 8.0, 3.4)
    for axes, cation in zip(figure.subplots(1, 2), CATIONS, strict=True):
        own = table[table["group"] == f"{cation} of the region"]
        names = list(dict.fromkeys(own["name"]))
        for k, anion in enumerate(ANIONS):
            part = own[own["metric"] == f"bonds_{anion}"].set_index("name").reindex(names)
            values, low, high = (part[key].to_numpy(float) for key in ("value", "low", "high"))
            places = np.arange(len(names)) + 0.18 * (2 * k - 1)
            axes.bar(places, values, 0.34, color=COLORS[k], label=anion)
            axes.errorbar(
                places, values, [values - low, high - values], fmt="none", ecolor="black", capsize=2
            )
        axes.set_xticks(range(len(names)), names, fontsize=8, rotation=20, ha="right")
        axes.set(ylabel=f"bonds of a {cation}")
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside right", title="to")
    add_notes(figure, ["Bars: 95 % interval over structures."])
    return figure


def plot_rdf(regions: Mapping[str, Region]) -> Figure:
    """Radial distribution functions of anions around the cations of the region (ESI note 4)."""
    figure = new_figure("Anions around the cations of the region", 8.5, 5.2)
    looks = looks_of(regions)
    for row, cation in zip(figure.subplots(2, 2, sharex=True), CATIONS, strict=True):
        for axes, anion in zip(row, ANIONS, strict=True):
            for name, region in regions.items():
                if (cation, anion) in region.rdf:
                    curve = region.rdf[cation, anion]
                    label = f"{name} ({region.n_structures})"
                    axes.plot(region.r_A, curve, color=looks[name], linewidth=1.1, label=label)
            axes.set(xlabel="r (Å)", ylabel=f"g of {anion} around {cation}", xlim=(1, 8))
    figure.axes[0].legend(fontsize=8, frameon=False)
    add_notes(figure, ["Mean over structures; density of the anions over the whole cell."])
    return figure


def looks_of(names: Sequence[str] | Mapping[str, Any]) -> dict[str, str]:
    """Colours of sets: training black, random and high energies grey, held-out paler."""
    fixed = {TRAINING: "#000000", RANDOM: GREYS[0], HIGH: COLORS[1], "held_out": GREYS[1]}
    others = [name for name in names if name not in fixed]
    turn = [COLORS[0], *COLORS[2:]]
    return fixed | {name: turn[i % len(turn)] for i, name in enumerate(others)}
