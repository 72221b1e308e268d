"""Figures: one look a model, nothing hidden, readable whatever the sets and names are."""

import xml.etree.ElementTree as ElementTree
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.colors import to_hex
from matplotlib.patches import StepPatch

from dismai.base.card import write_card
from dismai.base.kinds import KINDS
from dismai.datasets.alloy.describe import ENERGY_COLUMN
from dismai.datasets.interface import describe as interface
from dismai.datasets.options import Options
from dismai.evaluation.process import describe_reference
from dismai.files.structures import write_structures
from dismai.metrics.motifs import motif_names
from dismai.pipeline.figure_inputs import figure_inputs, pool_tables
from dismai.report import curves, figures, style
from dismai.report.degradation import plot_sensitivity
from dismai.report.histograms import bin_edges
from dismai.report.potential import plot_learning
from tests.makers import MAKERS, card

BASELINES = list(style.baseline_styles())
ODD = [
    "_m$od$el",
    "a$b",
    "<b>&amp;",
    "x" * 255,
    "x" * 255 + "y",
    r"back\$slash$",
    "\udcff\x01",
    "模型",
]
TWENTY = [*style.MODELS, *BASELINES, *ODD]
TABLES = {
    "sro": ("alloy", figures.plot_sro),
    "energy": (
        "alloy",
        lambda reference, sets: figures.plot_energies(reference, sets, 32, "alloy"),
    ),
    "nearest": (
        "alloy",
        lambda reference, sets: curves.plot_nearest(
            reference, sets, None, KINDS["alloy"].set_columns
        ),
    ),
    "rdf": ("amorphous_si", curves.plot_pair_and_angle),
    "factor": ("amorphous_si", curves.plot_factor_and_dihedral),
    "rings": ("amorphous_si", curves.plot_rings_and_coordination),
    "si_motifs": ("amorphous_si", curves.plot_si_motifs),
    "cation_motifs": ("interface", curves.plot_cation_motifs),
    "profile": ("interface", curves.plot_profile),
}


@pytest.fixture(scope="module")
def features():
    """Features of twelve structures of each kind."""
    return {
        kind: describe_reference(make(12), card(kind), Options(), "test")
        for kind, make in MAKERS.items()
    }


def texts(figure):
    """Everything that is written in a figure."""
    from matplotlib.text import Text

    return "\n".join(text.get_text() for text in figure.findobj(Text))


def energies(*values):
    """A table of alloys with these energies, meV/atom."""
    return pd.DataFrame({ENERGY_COLUMN: np.array(values, dtype=float) / 1000})


def test_no_two_of_twenty_sets_look_alike():
    looks = style.model_styles([*TWENTY, *(f"model{i}" for i in range(100))])
    assert len(set(looks.values())) == len(TWENTY) + 100
    assert style.TRAINING not in looks.values()


def test_a_model_looks_the_same_whichever_others_are_shown(features):
    reference, models = features["alloy"], ["mine", "yours", "cdvae"]
    sets = {name: reference for name in ("cdvae", "mine", "yours", "held_out")}
    (_, *all_shown), _ = style.shown_sets(reference, sets, models)
    for one in all_shown:
        (_, alone), _ = style.shown_sets(reference, {one.name: sets[one.name]}, models)
        assert alone.style == one.style
    assert style.model_styles(["q", "cdvae"])["cdvae"] == style.model_styles(["cdvae"])["cdvae"]


def test_baselines_are_grey_and_dashed_each_in_its_own_way():
    looks = style.baseline_styles()
    assert all(look.dash for look in looks.values())
    assert len({look.dash for look in looks.values()}) == len(looks)
    for look in looks.values():
        assert len({look.color[i : i + 2] for i in (1, 3, 5)}) == 1


def test_sets_without_structures_are_named_and_not_drawn(features):
    reference = features["alloy"]
    figure = figures.plot_sro(reference, {"cdvae": reference[:0], "unimat": reference})
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["training (n = 12)", "unimat (n = 12)"]
    assert "none accepted: cdvae" in texts(figure)
    bodies = [c for c in figure.axes[0].collections if isinstance(c, FillBetweenPolyCollection)]
    assert {to_hex(body.get_edgecolor()[0]) for body in bodies} == {"#000000", "#cc79a7"}


def test_fewer_than_ten_structures_are_points(features):
    reference = features["alloy"]
    few, enough = (
        figures.plot_sro(reference[:n], {"cdvae": reference[:n]}).axes[0] for n in (9, 10)
    )
    assert not [c for c in few.collections if isinstance(c, FillBetweenPolyCollection)]
    assert any(len(line.get_xdata()) == 9 for line in few.lines)
    assert [c for c in enough.collections if isinstance(c, FillBetweenPolyCollection)]
    few, enough = (
        figures.plot_energies(reference[:n], {"cdvae": reference[:n]}, 32, "alloy").axes[0]
        for n in (9, 10)
    )
    assert not [patch for patch in few.patches if isinstance(patch, StepPatch)]
    assert len([patch for patch in enough.patches if isinstance(patch, StepPatch)]) == 3
    band = curves.plot_pair_and_angle(features["amorphous_si"][:9], {})
    assert not band.axes[0].collections


@pytest.mark.parametrize("shift", [34.0, 1000.0, -300.0])
def test_a_set_entirely_outside_the_published_range_is_drawn(shift):
    reference = energies(*np.linspace(-3, 3, 50))
    far = energies(*np.linspace(shift - 2, shift + 2, 40))
    axes = figures.plot_energies(reference, {"mine": far}, 256, "alloy").axes[0]
    drawn = [patch for patch in axes.patches if not patch.get_fill()]
    percent, edges, _ = drawn[1].get_data()
    assert percent.sum() == pytest.approx(100)
    low, high = axes.get_xlim()
    assert low <= min(-5.0, shift - 2)
    assert high >= max(15.0, shift + 2)
    assert len(edges) <= 82
    assert percent[(edges[:-1] > -4) & (edges[1:] < 4)].sum() == 0


def test_far_outliers_are_counted_and_do_not_stretch_the_axis():
    reference = energies(*np.linspace(-3, 3, 50))
    mostly = energies(*np.linspace(0, 5, 98), 1e6, np.nan)
    figure = figures.plot_energies(reference, {"mine": mostly}, 256, "alloy")
    axes = figure.axes[0]
    assert axes.get_xlim()[1] < 100
    percent = [patch for patch in axes.patches if not patch.get_fill()][1].get_data().values
    assert percent.sum() == pytest.approx(98)  # of all accepted
    assert "mine (n = 100, 1 outside)" in texts(figure)
    assert "mine: 1 of 100 outside the axis (1e+06 to 1e+06)" in texts(figure)


def test_one_structure_far_away_is_told_and_leaves_the_others_readable():
    reference = energies(*np.linspace(-3, 3, 50))
    figure = figures.plot_energies(reference, {"mine": energies(1e9)}, 256, "alloy")
    assert figure.axes[0].get_xlim()[1] < 100
    assert "mine: 1 of 1 outside the axis" in texts(figure)


def test_sets_without_any_energy_are_told():
    figure = figures.plot_energies(energies(0, 1), {"mine": energies(np.nan)}, 256, "alloy")
    assert "no value: mine" in texts(figure)


def test_sets_that_were_not_relaxed_are_told():
    bare = pd.DataFrame({"structure": [0, 1]})
    figure = figures.plot_energies(energies(0, 1), {"mine": bare}, 256, "alloy")
    assert "not relaxed: mine" in texts(figure)
    figure = figures.plot_energies(bare, {"mine": energies(0, 1), "yours": bare}, 256, "alloy")
    assert "not relaxed: training, mine, yours" in texts(figure)


def test_bins_hold_every_value_of_sets_without_outliers():
    rng = np.random.default_rng(0)
    for scale in (1e-12, 1.0, 1e6):
        values = [scale * rng.random(30), np.zeros(5), np.zeros(0)]
        edges = bin_edges(values, None)
        assert sum(np.histogram(own, edges)[0].sum() for own in values) == 35


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("chosen", [[], ["cdvae"], TWENTY], ids=["none", "one", "twenty"])
def test_every_figure_survives_any_number_of_sets_and_any_name(name, chosen, features, tmp_path):
    kind, plot = TABLES[name]
    sizes = [1] if len(chosen) == 1 else [12, 3, 0, 1]
    sets = {model: features[kind][: sizes[i % len(sizes)]] for i, model in enumerate(chosen)}
    check(plot(features[kind], sets), tmp_path / "figure.svg")


def test_a_panel_of_motifs_shows_the_twelve_largest_and_counts_the_others(features):
    reference = features["interface"].copy()
    for columns in interface.SHARES.values():
        reference[columns] = np.linspace(0.5, 6.0, len(columns))  # all but few above one percent
    figure = curves.plot_cation_motifs(reference, {"cdvae": reference})
    n_common = int((np.linspace(0.5, 6.0, len(columns)) >= curves.SHOWN_PERCENT).sum())
    assert len(figure.axes) == 3
    for axes in figure.axes:
        labels = [label.get_text() for label in axes.get_yticklabels()]
        assert len(labels) == curves.MOST_MOTIFS
        assert labels == list(motif_names())[-curves.MOST_MOTIFS :]  # those with the largest shares
    assert f"{3 * (n_common - curves.MOST_MOTIFS)} rarer motifs" in texts(figure)


def check(figure, path):
    """A figure that can be saved, has a title, and fits into a window with all that it says."""
    figures.save_figure(figure, path)
    assert len(ElementTree.parse(path).getroot().findtext("{http://www.w3.org/2000/svg}title")) > 5
    width, height = figure.get_size_inches()
    assert width <= style.MAX_SIZE_IN[0]
    assert height <= style.MAX_SIZE_IN[1]
    for artist in (*figure.legends, figure._supxlabel):
        if artist is not None:
            box = artist.get_window_extent()
            assert box.x0 >= -1
            assert box.x1 <= figure.bbox.x1 + 1
            assert box.y0 >= -1
            assert box.y1 <= figure.bbox.y1 + 1


def test_figures_of_runs_survive_any_number_of_models_and_any_name(tmp_path):
    atoms = MAKERS["interface"](1)[0]
    history = pd.DataFrame({"step": [1, 2, 3], "_$a$": [3.0, 2.0, 1.0], "b": [1.0, np.nan, np.nan]})
    scores = pd.DataFrame(
        {"metric": ["m$1$"] * 2, "damage": ["d", "_e$"], "spearman": [1.0, np.nan], "sees": True}
    )
    for i, names in enumerate(([], TWENTY)):
        path = tmp_path / f"{i}.svg"
        pictures = {"training set": atoms, **{name: atoms for name in names}}
        check(figures.plot_structures(pictures, "-90x"), path)
        check(figures.plot_training({name: history for name in names}), path)
        check(plot_sensitivity({name: scores for name in names[-3:-2]}), path)
    check(figures.plot_structures({}), path)
    check(plot_learning(history), path)


def test_the_profile_does_not_show_where_a_cell_begins(features):
    reference = features["interface"]
    shifted = reference.copy()
    for columns in interface.PROFILE.values():
        shifted[columns] = np.roll(reference[columns].to_numpy(), 7, axis=1)
    for axes in curves.plot_profile(reference, {"cdvae": shifted}).axes:
        training, own = axes.lines
        np.testing.assert_allclose(own.get_ydata(), training.get_ydata(), atol=1e-9)


def test_training_panels_mark_single_points_and_name_no_missing_line():
    history = pd.DataFrame(
        {"step": [1, 2, 3], "once": [np.nan, 1.0, np.nan], "never": np.nan, "often": 1.0}
    )
    axes = figures.plot_training({"cdvae": history}).axes[0]
    once, often = axes.lines
    assert once.get_marker() == "o"
    assert often.get_marker() == ""
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["once", "often"]


def test_trainings_of_one_model_share_a_panel_and_their_structures_a_set():
    tables = [pd.DataFrame({"step": [1, 2], "loss": [2.0, 1.0], "seed": seed}) for seed in (0, 1)]
    merged = pool_tables(["cdvae", "mine", "cdvae"], [tables[0], tables[0], tables[1]])
    assert list(merged) == ["cdvae", "mine"]
    assert len(merged["cdvae"]) == 4
    figure = figures.plot_training(merged)
    assert len(figure.axes[0].lines) == 2
    assert len({line.get_color() for line in figure.axes[0].lines}) == 1


def test_every_picture_carries_the_name_of_its_file(tmp_path):
    training, first, second = MAKERS["alloy"](3)
    write_structures([training], tmp_path / "train.extxyz")
    for name, atoms in (("first", first), ("second", second)):
        write_structures([atoms], tmp_path / f"{name}.extxyz")
    (tmp_path / "nothing.extxyz").touch()
    write_card(card("alloy"), tmp_path / "card.json")
    names = ["second", "nothing", "first"]
    pd.DataFrame({"structure": [0]}).to_parquet(tmp_path / "features.parquet")
    job = SimpleNamespace(
        input=SimpleNamespace(
            features=[],
            histories=[],
            reference=tmp_path / "features.parquet",
            train=tmp_path / "train.extxyz",
            card=tmp_path / "card.json",
            generated=[tmp_path / f"{name}.extxyz" for name in names],
        ),
        params=SimpleNamespace(runs=[], trained=[], pictured=names, models=["first", "second"]),
    )
    found = figure_inputs(job)
    assert found.spec.n_atoms == 32
    for name, atoms in (("training set", training), ("first", first), ("second", second)):
        np.testing.assert_allclose(found.pictured[name].positions, atoms.positions, atol=1e-6)
    figure = found.draw("structures")
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == ["training set", "second", "first"]
    assert "none accepted: nothing" in texts(figure)


def test_letters_that_the_font_lacks_are_no_warning(features, tmp_path, recwarn):
    figure = figures.plot_sro(features["alloy"], {"\u7403": features["alloy"][:12]})
    figures.save_figure(figure, tmp_path / "figure.svg")
    assert not [str(one.message) for one in recwarn if "Glyph" in str(one.message)]
