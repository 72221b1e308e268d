"""Tables beside the published numbers, ranking, figures."""

import numpy as np
import pandas as pd
import pytest

from dismai.base.atomic import sha256
from dismai.base.resources import resource
from dismai.datasets.baselines import random_decoration
from dismai.datasets.options import Options
from dismai.datasets.published import differences
from dismai.evaluation.process import describe_reference
from dismai.models import paper_spec
from dismai.report import figures, tables
from tests.makers import alloy_spec

SPEC = alloy_spec()


def metrics(rows):
    """Rows of (dataset, model, kind, seed, value) of d_cluster."""
    table = pd.DataFrame(rows, columns=["dataset", "model", "kind", "seed", "value"])
    return table.assign(
        metric="d_cluster", unit="1", ci_low=table["value"] - 0.01, ci_high=table["value"] + 0.01,
        n_accepted=np.where(table["value"].isna(), 0, 90), n_generated=100,
    )  # fmt: skip


ROWS = [
    ("alloy_300K_wide", "cryingan", "trained", 0, 0.2),
    ("alloy_300K_wide", "cryingan", "trained", 1, 0.4),
    ("alloy_300K_wide", "random_decoration", "baseline", 0, 0.5),
    ("alloy_300K_wide", "broken", "trained", 0, np.nan),
]


MODELS_OF_CRYSTALS = ("crystal_gan", "crystal_wgan", "crystal_diffusion")


def test_the_published_tables_are_complete():
    published = tables.published_numbers(resource("published.csv"))
    alloys = published[published["dataset"].str.startswith("alloy")]
    assert len(alloys) == 36  # four datasets, three models, three metrics
    told = published["metric"] == "relaxation_steps"  # in the text; of four models a least value
    # interface: five models, metrics; silicon: two, four; crystals: three, six
    assert len(published[~told]) == 36 + 25 + 8 + 18
    assert published[told].groupby("dataset").size().to_dict() == {
        "amorphous_si": 2,
        "interface": 5,
    }
    assert published.loc[told, "published_mean"].notna().sum() == 3
    row = published[
        (published["dataset"] == "alloy_300K_narrow")
        & (published["model"] == "cryingan")
        & (published["metric"] == "d_cluster")
    ]
    assert row[["published_mean", "published_min", "published_max"]].to_numpy().tolist() == [
        [0.117, 0.106, 0.126]
    ]


def test_values_are_means_over_seeds_beside_the_published_ones():
    published = tables.published_numbers(resource("published.csv"))
    table = tables.metrics_table(metrics(ROWS), [SPEC], published)
    row = table[(table["model"] == "cryingan") & (table["metric"] == "d_cluster")].iloc[0]
    assert (row["mean"], row["min"], row["max"]) == (pytest.approx(0.3), 0.2, 0.4)
    assert row["n_seeds"] == 2
    assert row["published_mean"] == 0.125
    assert row["n_atoms"] == 32
    assert set(table["kind"]) == {"trained", "baseline", "published only"}
    (shown,) = tables.readable_tables(table, tables.HEADINGS["alloy"])
    assert "0.3 [0.2, 0.4]" in shown["d_cluster"].tolist()
    assert "0.5 [0.49, 0.51]" in shown["d_cluster"].tolist()
    assert "0.125 [0.119, 0.129] †" in shown["d_cluster, published"].tolist()


def test_every_value_stands_with_its_number_of_structures_and_none_without_a_reason():
    published = tables.published_numbers(resource("published.csv"))
    rows = metrics(ROWS)
    rows.loc[(rows["model"] == "cryingan") & (rows["seed"] == 1), "n_accepted"] = 40
    table = tables.metrics_table(rows, [SPEC], published)
    (shown,) = tables.readable_tables(table, tables.HEADINGS["alloy"])
    notes = tables.footnotes(table, tables.HEADINGS["alloy"])
    for text in (tables.to_markdown(shown, notes=notes), tables.to_html(shown, notes=notes)):
        assert "nan" not in text
        assert "Below 10 there is no rank" in text
        assert "Best values: d_cluster 0" in text
    shown = shown.set_index(["model", "kind"])
    assert shown.loc[("cryingan", "trained"), "n"] == "40 … 90"
    assert shown.loc[("random_decoration", "baseline"), "n"] == "90"
    assert shown.loc[("broken", "trained"), "d_cluster"] == "none accepted"
    assert shown.loc[("cdvae", "published only"), "d_cluster"] == "not run"


def test_published_values_of_metrics_that_a_run_lacks_stand_in_the_row_of_its_model():
    published = tables.published_numbers(resource("published.csv"))
    rows = metrics([("interface", "crystens", "trained", 0, 0.02)]).assign(metric="d_all")
    table = tables.metrics_table(rows, [card_of("interface")], published)
    (shown, *_) = tables.readable_tables(table, tables.HEADINGS["interface"])
    own = shown[shown["model"] == "crystens"]
    assert own["kind"].tolist() == ["trained"]
    assert own["n"].tolist() == ["90"]
    assert own["d_Li"].tolist() == ["–"]
    assert own["d_Li, published"].str[0].tolist() == ["0"]


def test_what_pictures_of_crystals_say_stands_beside_the_papers_tables():
    """Models that were not run, too, and how far those that were have been trained."""
    spec = paper_spec("crystals")
    sets = [("crystals", "crystal_wgan", "trained", 0, None)]
    sets += [("crystals", "auto_reading", "baseline", 0, None)]
    names = ["variance_lattice_angle", "coordinate_disagreement_per_atom", "ks_mean"]
    rows = pd.concat(
        metrics([(*one[:4], value) for one, value in zip(sets, values, strict=True)]).assign(
            metric=name
        )
        for name, values in zip(names, ((700.5, 0.0), (0.02, 0.0), (0.5, 0.1)), strict=True)
    )
    trained = metrics([(*sets[0][:4], 0.024)]).assign(metric="percent_of_published_steps", unit="%")
    published = tables.published_numbers(resource("published.csv"))
    table = tables.metrics_table(pd.concat([rows, trained]), [spec], published)
    _, said = tables.readable_tables(table, tables.HEADINGS["crystals"])
    by_model = said.set_index("model")
    assert set(by_model.index) == {"auto_reading", *MODELS_OF_CRYSTALS}
    angles = by_model["variance lattice angle, published"]
    assert angles.to_dict() == {
        "auto_reading": "–", "crystal_gan": "1.34e+03 †", "crystal_wgan": "695 †",
        "crystal_diffusion": "0.846 †",
    }  # fmt: skip
    assert by_model.loc["crystal_wgan", "variance lattice angle"].startswith("700")
    assert by_model.loc["crystal_gan", "variance lattice angle"] == "not run"
    assert by_model.loc["crystal_wgan", "steps of the paper's (%)"].startswith("0.024")
    assert "steps of the paper's (%), published" not in said
    notes = tables.footnotes(table, tables.HEADINGS["crystals"])
    assert [note.split(":")[0] for note in notes if "steps" in note] == [
        "crystal_wgan on crystals has made 0.024 % of the steps of the published training"
    ]


def test_tables_of_relaxed_sets_tell_steps_stages_and_what_was_before():
    published = tables.published_numbers(resource("published.csv"))
    spec = card_of("interface")
    values = {"d_all": 0.02, "relaxation_steps": 90.0, "percent_failed": 12.0}
    values |= {"percent_failed_clean": 5.0, "percent_failed_relax": 7.0}
    rows = pd.concat(
        metrics([("interface", "crystens", "trained", seed, value) for seed in (0, 1)]).assign(
            metric=name
        )
        for name, value in values.items()
    )
    before = rows[rows["metric"].isin(["d_all", "percent_failed"])].assign(value=0.5)
    table = tables.metrics_table(rows, [spec], published, before)
    main, unrelaxed, stages = tables.readable_tables(table, tables.HEADINGS["interface"])
    own = main.set_index(["model", "kind"]).loc[("crystens", "trained")]
    assert own["relaxation steps"] == "90 [90, 90]"
    assert own["relaxation steps, published"] == "≥ 68 †"
    assert unrelaxed["d_all"].tolist() == ["0.5 [0.5, 0.5]"]
    assert "failed (%)" not in unrelaxed  # the same structures
    assert stages[["failed: clean (%)", "failed: relax (%)"]].values.tolist() == [
        ["5 [5, 5]", "7 [7, 7]"]
    ]
    assert "<caption>The same structures before relaxation</caption>" in tables.to_html(unrelaxed)
    cdvae = main.set_index("model").loc["cdvae"]
    assert cdvae["relaxation steps, published"] == "10 †"
    plain = tables.metrics_table(rows, [spec], published)
    assert plain["unrelaxed_mean"].isna().all()


PAPER = {"Cr": 51, "Fe": 154, "Ni": 51}


@pytest.mark.parametrize(
    ("kind", "n_atoms", "provenance", "expected"),
    [
        ("alloy", 256, {"inputs": {"ecis": [sha256(resource("eci.yaml"))]}}, []),
        ("alloy", 256, {"inputs": {"ecis": ["0" * 64]}}, ["another cluster expansion"]),
        ("alloy", 256, {}, ["a training set of unknown origin"]),
        ("amorphous_si", 256, {"params": {"potential": {"kind": "gap"}}}, []),
        ("amorphous_si", 256, {"params": {"potential": {"kind": "sw"}}},
         ["training set of the potential sw instead of gap"]),
        ("amorphous_si", 64, {"params": {"potential": {"kind": "gap"}}},
         ["64 atoms instead of 256"]),
        ("amorphous_si", 256, {"params": {"potential": {"kind": "gap"}, "labelled_by": "sw_si"}},
         ["training set of the potential gap made from labels by sw_si instead of Bartók et al. "
          "2018"]),
        ("interface", 264, {"params": {"potential": {"kind": "m3gnet"}, "labelled_by": "vasp"}},
         []),
        ("interface", 264, {"params": {"potential": {"kind": "m3gnet"}, "labelled_by": "gpaw"}},
         ["training set of the potential m3gnet made from labels by gpaw instead of vasp"]),
        ("interface", 44, {"params": {"potential": {"kind": "chgnet"}}},
         ["44 atoms instead of 264", "training set of the potential chgnet instead of m3gnet"]),
    ],
)  # fmt: skip
def test_published_numbers_are_marked_where_size_target_or_potential_differ(
    kind, n_atoms, provenance, expected
):
    composition = PAPER if kind == "alloy" else {"Si": n_atoms}
    spec = SPEC.model_copy(
        update={"kind": kind, "composition": composition, "provenance": provenance}
    )
    assert differences(spec) == expected


def test_a_marked_number_is_grey_says_why_and_has_a_footnote():
    published = tables.published_numbers(resource("published.csv"))
    table = tables.metrics_table(metrics(ROWS), [SPEC], published)
    (shown,) = tables.readable_tables(table, tables.HEADINGS["alloy"])
    notes = tables.footnotes(table, tables.HEADINGS["alloy"])
    reason = "32 atoms instead of 256"
    assert f'<td class="differs" title="does not compare: {reason}' in tables.to_html(shown)
    assert any(note.startswith("† Published values") and reason in note for note in notes)
    same = SPEC.model_copy(update={"composition": PAPER, "provenance": {"params": {"seed": 1}}})
    table = tables.metrics_table(metrics(ROWS), [same], published)
    (plain,) = tables.readable_tables(table, tables.HEADINGS["alloy"])
    assert "†" not in tables.to_html(plain)


def test_what_models_say_of_themselves_is_a_table_of_its_own():
    published = tables.published_numbers(resource("published.csv"))
    compared = metrics(ROWS)
    said = compared[compared["model"] == "cryingan"].assign(metric="species_accuracy")
    table = tables.metrics_table(pd.concat([compared, said]), [SPEC], published)
    first, second = tables.readable_tables(table, tables.HEADINGS["alloy"])
    assert list(second.columns) == ["dataset", "model", "kind", "n", "species accuracy"]
    assert second["species accuracy"].tolist() == ["0.3 [0.2, 0.4]"]
    assert tables.to_markdown(first, second).count("\n\n") == 2  # a caption has one
    assert tables.to_html(first, second).count("<table>") == 2


def test_the_ranking_puts_undefined_metrics_last_and_baselines_beside():
    ranks = tables.ranking(metrics(ROWS), [SPEC]).set_index("model")
    assert ranks.index.tolist() == ["cryingan", "broken", "random_decoration"]
    assert ranks.loc["cryingan", "mean_rank"] == 1
    assert ranks.loc[["broken", "random_decoration"], ["mean_rank", "place"]].isna().all(axis=None)
    assert ranks.loc["random_decoration", "rank_alloy_300K_wide"] == 2
    assert ranks["n_ranked"].tolist() == [1, 0, 1]
    assert ranks.loc["broken", "note"] == "failed on 1 of 1"


def card_of(dataset):
    """A card for the published numbers of a dataset."""
    kind = "alloy" if dataset.startswith("alloy") else dataset
    return SPEC.model_copy(update={"name": dataset, "kind": kind})


def test_the_published_numbers_do_not_rank_a_model_first_that_ran_once_and_mostly_failed():
    published = tables.published_numbers(resource("published.csv"))
    published = published[published["dataset"] != "crystals"]  # of another paper, not ranked there
    keys = ["dataset", "model"]
    failed = published[published["metric"] == "percent_failed"].set_index(keys)["published_mean"]
    rows = published.assign(
        kind="trained", seed=0, unit="1", value=published["published_mean"], n_generated=1000,
        ci_low=np.nan, ci_high=np.nan,
    )  # fmt: skip
    shares = failed.loc[pd.MultiIndex.from_frame(rows[keys])].to_numpy()
    rows["n_accepted"] = np.rint(1000 - 10 * shares).astype(int)
    baseline = rows[(rows["dataset"] == "interface") & (rows["model"] == "cdvae")]
    baseline = baseline.assign(model="random_interfaces", kind="baseline", value=0.001)
    cards = [card_of(name) for name in published["dataset"].unique()]
    ranks = tables.ranking(pd.concat([rows, baseline]), cards).set_index("model")
    assert len(cards) == 6
    order = ranks.index.tolist()
    assert set(order[:2]) == {"diffcsp", "cdvae"}
    assert order[2] == "cryingan"
    assert set(order[3:5]) == {"crystens", "unimat"}
    assert order[5] == "random_interfaces"
    assert ranks.loc["crystens", "rank_interface"] == 4  # behind all with more than half accepted
    assert ranks.loc["crystens", "note_interface"] == "fewer than half accepted"
    assert ranks.loc["crystens", "rank_amorphous_si"] == 3  # behind both that were run
    assert "not run on 5 of 6" in ranks.loc["crystens", "note"]
    assert ranks.loc["random_interfaces", "rank_interface"] == 1  # where it would stand


@pytest.mark.parametrize(("n", "value"), [(0, np.nan), (3, 0.001), (9, 0.001)])
def test_failing_or_leaving_out_a_dataset_raises_no_rank(n, value):
    others = [(f"alloy_{k}", model, "trained", 0, 0.1 + 0.1 * i)
              for k in (1, 2, 3) for i, model in enumerate(("good", "bad"))]  # fmt: skip
    cards = [card_of(f"alloy_{k}") for k in (1, 2, 3)]
    tried = metrics([*others, ("alloy_1", "mine", "trained", 0, 0.001)])
    failing = metrics([("alloy_2", "mine", "trained", 0, value)]).assign(n_accepted=n)
    once = tables.ranking(tried, cards).set_index("model")
    failed = tables.ranking(pd.concat([tried, failing]), cards).set_index("model")
    assert once["mean_rank"].to_dict() == failed["mean_rank"].to_dict()
    assert once.loc["mine", "mean_rank"] == pytest.approx((1 + 3 + 3) / 3)
    (shown,) = tables.readable_tables(tables.ranking(pd.concat([tried, failing]), cards), None)
    text = tables.to_markdown(shown)
    assert "not run" in text
    assert ("failed" if n == 0 else "too few") in text
    assert "nan" not in text


def test_names_cannot_break_the_page():
    page = tables.to_html(pd.DataFrame({"model": ["<script>alert(1)</script>"]}))
    assert "<script>" not in page


@pytest.fixture(scope="module")
def features():
    structures = random_decoration(SPEC, 30, seed=0)
    return describe_reference(structures, SPEC, Options(), "test")


def test_figures_give_the_same_bytes_and_survive_empty_sets(features, tmp_path):
    sets = {"model": features[:10], "nothing": features[:0], "one": features[:1]}
    train = random_decoration(SPEC, 1, seed=0)[0]
    history = pd.DataFrame({"step": [1, 2], "critic": [3.0, 2.0], "generator": [0.0, np.nan]})
    makers = {
        "sro": lambda: figures.plot_sro(features, sets),
        "energy": lambda: figures.plot_energies(features, sets, 32, "alloy"),
        "structures": lambda: figures.plot_structures({"training": train, "generated": train}),
        "training": lambda: figures.plot_training({"model": history}),
        "no_training": lambda: figures.plot_training({}),
    }
    for name, make in makers.items():
        paths = [tmp_path / f"{name}{i}.svg" for i in range(2)]
        for path in paths:
            figures.save_figure(make(), path)
        assert paths[0].read_bytes() == paths[1].read_bytes()
    figure = figures.plot_sro(features, sets)
    assert figure._supxlabel.get_text() == "none accepted: nothing"
