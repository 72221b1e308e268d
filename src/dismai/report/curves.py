"""Figures of amorphous silicon and of the interface: numbers in, matplotlib figure out."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.spatial.distance import cdist

from dismai.datasets.spec import DatasetSpec
from dismai.evaluation import amorphous_si as si
from dismai.evaluation import interface
from dismai.metrics.motifs import motif_names
from dismai.report.figures import REFERENCE_COLOR, labelled, legend

SHOWN_PERCENT = 1.0
"""Motifs below this share in all sets are left out."""
WIDE = (9.0, 3.2)
GAMMA_RANGE = 0.5  # J/m^2, on both sides of 0, as published


def plot_pair_and_angle(reference: pd.DataFrame, sets: Mapping[str, pd.DataFrame]) -> Figure:
    """Mean g(r) and mean bond-angle distribution, with the spread over structures."""
    figure = Figure(figsize=WIDE, layout="constrained")
    left, right = figure.subplots(1, 2)
    colored = labelled(reference, sets)
    for table, color in colored.values():
        curve(left, si.R_A, table[si.RDF], color)
        curve(right, si.ANGLE_DEGREES, 100 * table[si.ANGLES], color)
    left.set(xlabel="r (Å)", ylabel="g(r)", xlim=(0, 10), ylim=(0, None))
    right.set(xlabel="bond angle (degrees)", ylabel="angles (% per 0.5°)", xlim=(30, 180))
    right.set_ylim(0, None)
    legend(figure, colored)
    return figure


def plot_factor_and_dihedral(reference: pd.DataFrame, sets: Mapping[str, pd.DataFrame]) -> Figure:
    """Mean structure factor with its first sharp peak, and mean dihedral distribution."""
    figure = Figure(figsize=WIDE, layout="constrained")
    left, right = figure.subplots(1, 2)
    colored = labelled(reference, sets)
    for table, color in colored.values():
        curve(left, si.Q_PER_A, table[si.FACTOR], color)
        curve(right, si.DIHEDRAL_DEGREES, 100 * table[si.DIHEDRALS], color)
    left.set(xlabel="q (1/Å)", ylabel="S(q)", xlim=(0, si.Q_MAX), ylim=(0, None))
    right.set(xlabel="dihedral angle (degrees)", ylabel="chains (% per 5°)", xlim=(0, 180))
    right.set_ylim(0, None)
    legend(figure, colored)
    return figure


def plot_rings_and_coordination(
    reference: pd.DataFrame, sets: Mapping[str, pd.DataFrame]
) -> Figure:
    """Shortest-path rings per atom by size, and atoms by their number of neighbours."""
    figure = Figure(figsize=WIDE, layout="constrained")
    left, right = figure.subplots(1, 2)
    colored = labelled(reference, sets)
    grouped_bars(left, [str(size) for size in si.RING_SIZES], colored, si.RINGS)
    shown = range(1, si.MAX_COORDINATION + 1)
    names = [*(str(n) for n in shown[:-1]), f"{shown[-1]}+"]
    grouped_bars(right, names, colored, [si.COORDINATION[n] for n in shown])
    left.set(xlabel="atoms in the ring", ylabel="rings per atom")
    right.set(xlabel="neighbours", ylabel="atoms (%)")
    legend(figure, colored)
    return figure


def plot_motifs(
    reference: pd.DataFrame, sets: Mapping[str, pd.DataFrame], groups: Mapping[str, Sequence[str]]
) -> Figure:
    """Most likely coordination motif of the atoms, one panel a group of columns.

    groups: title of the panel to the columns of the shares, in the order of `motif_names`.
    """
    colored = labelled(reference, sets)
    names = np.array(motif_names())
    kept = {}
    for title, columns in groups.items():
        tables = [table[list(columns)] for table, _ in colored.values() if len(table)]
        frequent = np.max([table.mean().to_numpy() for table in tables], axis=0) >= SHOWN_PERCENT
        kept[title] = (
            names[frequent],
            [c for c, keep in zip(columns, frequent, strict=True) if keep],
        )
    heights = [max(2, len(labels)) for labels, _ in kept.values()]
    figure = Figure(figsize=(9.0, 1.4 + 0.26 * sum(heights)), layout="constrained")
    panels = figure.subplots(len(kept), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, (title, (labels, columns)) in zip(panels, kept.items(), strict=True):
        width = 0.8 / len(colored)
        for k, (table, color) in enumerate(colored.values()):
            if len(table) == 0:
                continue
            y = np.arange(len(labels)) + ((len(colored) - 1) / 2 - k) * width
            axes.barh(y, table[columns].mean().to_numpy(), width, color=color)
        axes.set_yticks(range(len(labels)), labels, fontsize=8)
        axes.set(xlabel="atoms (%)", title=title)
    legend(figure, colored)
    return figure


def plot_si_motifs(reference: pd.DataFrame, sets: Mapping[str, pd.DataFrame]) -> Figure:
    """Most likely coordination motif of silicon."""
    return plot_motifs(reference, sets, {"Si": si.SHARES})


def plot_cation_motifs(reference: pd.DataFrame, sets: Mapping[str, pd.DataFrame]) -> Figure:
    """Most likely coordination motif of each cation of the interface."""
    return plot_motifs(reference, sets, interface.SHARES)


def plot_profile(reference: pd.DataFrame, sets: Mapping[str, pd.DataFrame]) -> Figure:
    """Number density of each element along the normal of the interface."""
    elements = interface.ELEMENTS
    figure = Figure(figsize=(9.0, 1.3 * len(elements) + 0.6), layout="constrained")
    panels = figure.subplots(len(elements), 1, sharex=True)
    colored = labelled(reference, sets)
    for axes, element in zip(panels, elements, strict=True):
        for table, color in colored.values():
            height = table[interface.HEIGHT].mean()
            z = (np.arange(interface.N_LAYERS) + 0.5) * height / interface.N_LAYERS
            curve(axes, z, table[interface.PROFILE[element]], color, drawstyle="steps-mid")
        axes.set_ylabel(f"{element} (1/Å³)")
        axes.set_ylim(0, None)
    panels[-1].set_xlabel("height above the plane of the first two cell vectors (Å)")
    legend(figure, colored)
    return figure


def plot_gamma(
    reference: pd.DataFrame, sets: Mapping[str, pd.DataFrame], spec: DatasetSpec
) -> Figure:
    """Histograms of the interface energy; sets that were not relaxed have none.

    Published range and bins (-0.5 to 0.5 J/m², 0.05), widened alike where the training set needs
    it. Percentages refer to the structures inside the range.
    """
    colored = {
        label: (interface.interface_energies(table, spec), color)
        for label, (table, color) in labelled(reference, sets).items()
        if interface.ENERGY in table
    }
    training = next(iter(colored.values()))[0]
    scale = max(1.0, float(np.ceil(np.abs(training).max() / GAMMA_RANGE)))
    edges = scale * np.linspace(-GAMMA_RANGE, GAMMA_RANGE, 21)
    figure = Figure(figsize=WIDE, layout="constrained")
    axes = figure.subplots()
    for gamma, color in colored.values():
        counts, _ = np.histogram(gamma, edges)
        axes.stairs(100 * counts / max(counts.sum(), 1), edges, color=color, linewidth=1.4)
    axes.axvline(0, color="black", linewidth=0.5)
    axes.set(xlabel="interface energy (J/m²)", ylabel="structures (%)", xlim=edges[[0, -1]])
    legend(figure, colored)
    return figure


def plot_nearest(
    reference: pd.DataFrame,
    sets: Mapping[str, pd.DataFrame],
    held_out: pd.DataFrame | None,
    columns: Sequence[str],
) -> Figure:
    """Distance of each structure to the nearest training structure: copies are at the left."""
    columns = list(columns)
    training = reference[columns].to_numpy()
    colored = dict(list(labelled(reference, sets).items())[1:])
    if held_out is not None:
        colored = {"held out": (held_out, REFERENCE_COLOR), **colored}
    distances = {
        label: cdist(table[columns].to_numpy(), training).min(axis=1)
        for label, (table, _) in colored.items()
        if len(table)
    }
    figure = Figure(figsize=(9.0, 2.8), layout="constrained")
    axes = figure.subplots()
    top = max((d.max() for d in distances.values()), default=1.0) or 1.0
    edges = np.linspace(0.0, 1.02 * top, 61)
    for label, distance in distances.items():
        counts, _ = np.histogram(distance, edges)
        axes.stairs(100 * counts / counts.sum(), edges, color=colored[label][1], linewidth=1.4)
    axes.set(xlabel="distance to the nearest training structure", ylabel="structures (%)")
    axes.set(xlim=(0, edges[-1]), ylim=(0, None))
    legend(figure, colored)
    return figure


def curve(axes: Axes, x: np.ndarray, table: pd.DataFrame, color: str, drawstyle="default") -> None:
    """Mean over structures, (n_structures, n_bins), with one standard deviation as a band."""
    values = table.dropna(how="all").to_numpy(dtype=float)
    known = np.isfinite(values).all(axis=0)
    if len(values) == 0 or not known.any():
        return
    x, values = x[known], values[:, known]
    mean, spread = values.mean(axis=0), values.std(axis=0)
    step = "mid" if drawstyle == "steps-mid" else None
    axes.fill_between(x, mean - spread, mean + spread, step=step, color=color, alpha=0.2, lw=0)
    axes.plot(x, mean, color=color, linewidth=1.3, drawstyle=drawstyle)


def grouped_bars(
    axes: Axes, names: Sequence[str], colored: Mapping[str, tuple], columns: Sequence[str]
) -> None:
    """Bars of the mean of each column, the sets side by side."""
    width = 0.8 / len(colored)
    for k, (table, color) in enumerate(colored.values()):
        values = table[list(columns)].dropna(how="all")
        if len(values) == 0:
            continue
        x = np.arange(len(names)) + (k - (len(colored) - 1) / 2) * width
        axes.bar(x, values.mean().to_numpy(), width, color=color)
    axes.set_xticks(range(len(names)), names)
