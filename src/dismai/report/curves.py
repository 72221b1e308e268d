"""Figures of amorphous silicon and of the interface: numbers in, matplotlib figure out."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.spatial.distance import cdist

from dismai.base.card import DatasetSpec
from dismai.datasets.amorphous_si import describe as si
from dismai.datasets.interface import describe as interface
from dismai.datasets.interface.ligands import ligand_label
from dismai.metrics.motifs import motif_names
from dismai.report.histograms import plot_histograms
from dismai.report.panels import MAX_OVERLAID, Quantity, draw_sets
from dismai.report.style import (
    MAX_SIZE_IN,
    TRAINING,
    Shown,
    add_notes,
    draw_legend,
    fill_style,
    new_figure,
    note_on,
    shown_sets,
)

SHOWN_PERCENT = 1.0
"""Motifs below this share in all sets are left out."""
MOST_MOTIFS = 12
"""Motifs of a panel, those with the largest shares in any set; of more none can be read."""
DARK_INK, LIGHT_INK = "#111111", "#fdfdfd"
"""Numbers on cells whose shade no theme of a page changes."""
WIDE = (9.0, 3.4)
GAMMA = (-0.5, 0.5, 0.05)  # J/m^2: range and bins as published; 0 limits the training set
Sets = Mapping[str, pd.DataFrame]


def plot_pair_and_angle(reference: pd.DataFrame, sets: Sets, models: Sequence[str] = ()) -> Figure:
    """Mean g(r) and mean bond-angle distribution, with the spread over structures."""
    quantities = [
        Quantity(
            mean_curves(si.R_A, si.RDF),
            xlabel="r (Å)",
            ylabel="g(r)",
            limits={"xlim": (0, 10), "ylim": (0, None)},
        ),
        Quantity(
            mean_curves(si.ANGLE_DEGREES, si.ANGLES, scale=100.0),
            xlabel="bond angle (degrees)",
            ylabel="angles (% per 0.5°)",
            limits={"xlim": (30, 180), "ylim": (0, None)},
        ),
    ]
    title = "Radial distribution function and bond angles"
    return draw_sets(title, *shown_sets(reference, sets, models), quantities, WIDE, 2)


def plot_factor_and_dihedral(
    reference: pd.DataFrame, sets: Sets, models: Sequence[str] = ()
) -> Figure:
    """Mean structure factor with its first sharp peak, and mean dihedral distribution."""
    quantities = [
        Quantity(
            mean_curves(si.Q_PER_A, si.FACTOR),
            xlabel="q (1/Å)",
            ylabel="S(q)",
            limits={"xlim": (0, si.Q_MAX), "ylim": (0, None)},
        ),
        Quantity(
            mean_curves(si.DIHEDRAL_DEGREES, si.DIHEDRALS, scale=100.0),
            xlabel="dihedral angle (degrees)",
            ylabel="chains (% per 5°)",
            limits={"xlim": (0, 180), "ylim": (0, None)},
        ),
    ]
    title = "Structure factor and dihedral angles"
    return draw_sets(title, *shown_sets(reference, sets, models), quantities, WIDE, 2)


def plot_rings_and_coordination(
    reference: pd.DataFrame, sets: Sets, models: Sequence[str] = ()
) -> Figure:
    """Shortest-path rings per atom by size, and atoms by their number of neighbours."""
    neighbours = range(1, si.MAX_COORDINATION + 1)
    quantities = [
        Quantity(
            mean_bars(si.RINGS),
            xlabel="atoms in the ring",
            ylabel="rings per atom",
            ticks=[str(size) for size in si.RING_SIZES],
        ),
        Quantity(
            mean_bars([si.COORDINATION[n] for n in neighbours]),
            xlabel="neighbours",
            ylabel="atoms (%)",
            ticks=[*(str(n) for n in neighbours[:-1]), f"{neighbours[-1]}+"],
        ),
    ]
    title = "Rings and numbers of neighbours"
    return draw_sets(title, *shown_sets(reference, sets, models), quantities, WIDE, 2)


def plot_motifs(
    reference: pd.DataFrame,
    sets: Sets,
    groups: Mapping[str, Sequence[str]],
    models: Sequence[str] = (),
) -> Figure:
    """Most likely coordination motif of the atoms, one panel a group of columns.

    Bars of few sets; of many a table, whose cells are as dark as their share is large.

    groups: title of the panel to the columns of the shares, in the order of `motif_names`.
    """
    shown, notes = shown_sets(reference, sets, models)
    names = np.array(motif_names())
    shares, n_left_out = {}, 0
    for title, columns in groups.items():
        rows = [one.table[list(columns)].mean().to_numpy(dtype=float) for one in shown]
        table = pd.DataFrame(np.transpose(rows), index=names)  # (n_motifs, n_sets)
        shares[title], left_out = _largest(table)
        n_left_out += left_out
    notes = [*notes, *_rarer(n_left_out)]
    many = len(shown) - 1 > MAX_OVERLAID
    return _motif_panels("Coordination motifs", shares, shown, notes, many)


def plot_ligand_motifs(reference: pd.DataFrame, sets: Sets, models: Sequence[str] = ()) -> Figure:
    """Motifs of each cation split by their Cl and O neighbours, as a table of shaded cells.

    The tables are those of `ligand_shares`. Of each cation the motifs with the largest shares in
    any set are shown, those with most O first.
    """
    shown, notes = shown_sets(reference, sets, models)
    means = pd.concat([one.table.mean() for one in shown], axis=1).fillna(0.0)
    means.columns = range(len(shown))
    shares, n_left_out = {}, 0
    for cation in interface.CATIONS:
        own = means[[key[0] == cation for key in means.index]]
        kept, left_out = _largest(own)
        kept = kept.loc[sorted(kept.index, key=lambda key: (-key[3], key[1], key[2]))]
        n_left_out += left_out
        shares[cation] = kept.set_axis([ligand_label(*key[1:]) for key in kept.index])
    notes = [*notes, *_rarer(n_left_out)]
    return _motif_panels("Coordination motifs by their neighbours", shares, shown, notes, True)


def _largest(shares: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The motifs with the largest shares in any set, in their order, and how many others there are.

    shares: percent, (n_motifs, n_sets).
    """
    largest = shares.max(axis=1)
    common = largest[largest >= SHOWN_PERCENT]
    chosen = set(common.nlargest(MOST_MOTIFS, keep="all").index[:MOST_MOTIFS])
    return shares[[name in chosen for name in shares.index]], len(common) - len(chosen)


def _rarer(n_left_out: int) -> list[str]:
    """What a figure says of motifs that it does not show."""
    said = f"{n_left_out} rarer motifs of at least {SHOWN_PERCENT:g} % are left out"
    return [said] if n_left_out else []


def _motif_panels(
    title: str,
    shares: Mapping[str, pd.DataFrame],
    shown: Sequence[Shown],
    notes: Sequence[str],
    many: bool,
) -> Figure:
    """A panel a title of shares, each (n_motifs, n_sets): shaded cells for many sets, else bars."""
    heights = [max(2, len(table)) for table in shares.values()]
    needed = 1.6 + 0.9 * many + 0.26 * sum(heights) + 0.5 * len(shares)
    figure = new_figure(title, 9.0, min(needed, MAX_SIZE_IN[1]))
    panels = figure.subplots(len(shares), 1, squeeze=False, height_ratios=heights)[:, 0]
    for k, (axes, (group, table)) in enumerate(zip(panels, shares.items(), strict=True)):
        if many:
            _cells(axes, table, shown if k == 0 else [])
        else:
            _level_bars(axes, table, shown)
            axes.set_xlabel("atoms (%)", fontsize=8)
        axes.set_yticks(range(len(table)), table.index, fontsize=8 if sum(heights) < 15 else 6.5)
        axes.set_title(f"{group}: atoms (%)" if many else group, fontsize=9)
    if not many:
        draw_legend(figure, shown)
    add_notes(figure, notes)
    return figure


def _level_bars(axes: Axes, table: pd.DataFrame, shown: Sequence[Shown]) -> None:
    """Bars of shares, (n_motifs, n_sets), the sets below each other."""
    width = 0.8 / len(shown)
    for k, one in enumerate(shown):
        y = np.arange(len(table)) + (k - (len(shown) - 1) / 2) * width
        axes.barh(y, table[k], width, **fill_style(one))
    axes.invert_yaxis()


def _cells(axes: Axes, table: pd.DataFrame, named: Sequence[Shown]) -> None:
    """Shares, (n_motifs, n_sets), as a table of shaded cells; columns are named once, above."""
    if len(table) == 0:
        axes.text(0.5, 0.5, "none", ha="center", transform=axes.transAxes)
        axes.set_xticks([])
        return
    axes.imshow(table, cmap="Blues", vmin=0, vmax=130, aspect="auto")
    size = 7 if table.shape[1] <= 12 else 5.5
    for (i, j), value in np.ndenumerate(table.to_numpy()):
        color = LIGHT_INK if value > 75 else DARK_INK
        axes.text(j, i, f"{value:.0f}", ha="center", va="center", fontsize=size, color=color)
    axes.tick_params(length=0, labeltop=bool(named), labelbottom=False)
    labels = [one.title(26) for one in named]
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="left", fontsize=7)
    axes.set_xticks([] if not named else range(table.shape[1]))


def plot_si_motifs(reference: pd.DataFrame, sets: Sets, models: Sequence[str] = ()) -> Figure:
    """Most likely coordination motif of silicon."""
    return plot_motifs(reference, sets, {"Si": si.SHARES}, models)


def plot_cation_motifs(reference: pd.DataFrame, sets: Sets, models: Sequence[str] = ()) -> Figure:
    """Most likely coordination motif of each cation of the interface."""
    return plot_motifs(reference, sets, interface.SHARES, models)


def plot_profile(reference: pd.DataFrame, sets: Sets, models: Sequence[str] = ()) -> Figure:
    """Number density of each element along the normal, every structure shifted onto the training.

    As in the metric: where a cell begins along the normal is in no number and no figure.
    """
    sets = {model: interface.align_profiles(table, reference)[0] for model, table in sets.items()}
    reference = interface.align_profiles(reference[:0], reference)[1]
    quantities = [
        Quantity(
            lambda axes, shown, element=element: draw_layers(axes, shown, element),
            xlabel="height above the plane of the first two cell vectors (Å)",
            ylabel=f"{element} (1/Å³)",
            limits={"ylim": (0, None)},
        )
        for element in interface.ELEMENTS
    ]
    title = "Density of the elements along the normal of the interface"
    return draw_sets(title, *shown_sets(reference, sets, models), quantities, MAX_SIZE_IN)


def plot_gamma(
    reference: pd.DataFrame, sets: Sets, spec: DatasetSpec, models: Sequence[str] = ()
) -> Figure:
    """Histograms of the interface energy; sets that were not relaxed have none.

    Published range and bins, and what the sets need beyond it.
    """
    shown, notes = shown_sets(reference, sets, models)
    unrelaxed = [one.name for one in shown if interface.ENERGY not in one.table]
    relaxed = [one for one in shown if interface.ENERGY in one.table]
    return plot_histograms(
        "Interface energies of training and generated structures",
        relaxed,
        [*notes, *note_on("not relaxed", unrelaxed)],
        [interface.interface_energies(one.table, spec) for one in relaxed],
        xlabel="interface energy (J/m²)",
        published=GAMMA,
    )


def plot_nearest(
    reference: pd.DataFrame,
    sets: Sets,
    held_out: pd.DataFrame | None,
    columns: Sequence[str],
) -> Figure:
    """Distance of each structure to the nearest training structure: copies are at the left."""
    columns = list(columns)
    training = reference[columns].to_numpy()
    (_, *shown), notes = shown_sets(reference, sets)
    if held_out is not None and len(held_out):
        shown = [Shown("held out", held_out, TRAINING), *shown]
    distances = [cdist(one.table[columns].to_numpy(), training).min(axis=1) for one in shown]
    return plot_histograms(
        "Distance to the nearest training structure",
        shown,
        notes,
        distances,
        xlabel="distance to the nearest training structure (of features, dimensionless)",
        size=(9.0, 2.8),
    )


def mean_curves(x: np.ndarray, columns: Sequence[str], scale: float = 1.0):
    """A drawing of the mean of columns against x for every set."""

    def draw(axes: Axes, shown: Sequence[Shown]) -> None:
        for one in shown:
            draw_curve(axes, x, scale * one.table[list(columns)], one)

    return draw


def draw_layers(axes: Axes, shown: Sequence[Shown], element: str) -> None:
    """Draw the density of an element along the normal for every set."""
    for one in shown:
        height = one.table[interface.HEIGHT].mean()
        z = (np.arange(interface.N_LAYERS) + 0.5) * height / interface.N_LAYERS
        draw_curve(axes, z, one.table[interface.PROFILE[element]], one, steps=True)


def draw_curve(
    axes: Axes, x: np.ndarray, table: pd.DataFrame, one: Shown, steps: bool = False
) -> None:
    """Mean over structures, (n_structures, n_bins), with one standard deviation as a band.

    Few structures have no spread to tell: each is a thin line.
    """
    values = table.dropna(how="all").to_numpy(dtype=float)
    known = np.isfinite(values).all(axis=0)
    if len(values) == 0 or not known.any():
        return
    x, values, color = x[known], values[:, known], one.style.color
    mean, spread = values.mean(axis=0), values.std(axis=0)
    drawstyle = "steps-mid" if steps else "default"
    if one.is_dense:
        step = "mid" if steps else None
        axes.fill_between(x, mean - spread, mean + spread, step=step, color=color, alpha=0.2, lw=0)
    else:
        axes.plot(x, values.T, color=color, linewidth=0.4, alpha=0.4, drawstyle=drawstyle)
    axes.plot(
        x, mean, color=color, linestyle=one.style.linestyle, drawstyle=drawstyle,
        linewidth=0.9 if one.is_training else 1.3,
    )  # fmt: skip


def mean_bars(columns: Sequence[str]):
    """A drawing of the mean of each column, the sets side by side."""

    def draw(axes: Axes, shown: Sequence[Shown]) -> None:
        width = 0.8 / len(shown)
        for k, one in enumerate(shown):
            values = one.table[list(columns)].dropna(how="all")
            if len(values) == 0:
                continue
            x = np.arange(len(columns)) + (k - (len(shown) - 1) / 2) * width
            axes.bar(x, values.mean().to_numpy(), width, **fill_style(one))

    return draw
