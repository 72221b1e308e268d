"""Tables beside the published numbers, ranking, figures."""

import numpy as np
import pandas as pd
import pytest

from dismai.baselines import random_decoration
from dismai.evaluation.options import Options
from dismai.evaluation.process import describe_reference
from dismai.report import figures, tables
from dismai.resources import resource
from tests.conftest import alloy_spec

SPEC = alloy_spec()


def metrics(rows):
    """Rows of (dataset, model, kind, seed, value) of d_cluster."""
    table = pd.DataFrame(rows, columns=["dataset", "model", "kind", "seed", "value"])
    return table.assign(
        metric="d_cluster", unit="1", ci_low=table["value"] - 0.01, ci_high=table["value"] + 0.01,
        n_accepted=9, n_generated=10,
    )  # fmt: skip


ROWS = [
    ("alloy_300K_wide", "cryingan", "trained", 0, 0.2),
    ("alloy_300K_wide", "cryingan", "trained", 1, 0.4),
    ("alloy_300K_wide", "random_decoration", "baseline", 0, 0.5),
    ("alloy_300K_wide", "broken", "trained", 0, np.nan),
]


def test_the_published_tables_are_complete():
    published = tables.published_numbers(resource("published.csv"))
    alloys = published[published["dataset"].str.startswith("alloy")]
    assert len(alloys) == 36  # four datasets, three models, three metrics
    assert len(published) == 36 + 25 + 8  # interface: five models and metrics; silicon: two, four
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
    (shown,) = tables.readable(table, tables.HEADINGS["alloy"])
    assert "0.3 [0.2, 0.4]" in shown["d_cluster"].tolist()
    assert "0.5 [0.49, 0.51]" in shown["d_cluster"].tolist()
    assert "0.125 [0.119, 0.129]" in shown["d_cluster, published"].tolist()


def test_what_models_say_of_themselves_is_a_table_of_its_own():
    published = tables.published_numbers(resource("published.csv"))
    compared = metrics(ROWS)
    said = compared[compared["model"] == "cryingan"].assign(metric="species_accuracy")
    table = tables.metrics_table(pd.concat([compared, said]), [SPEC], published)
    first, second = tables.readable(table, tables.HEADINGS["alloy"])
    assert list(second.columns) == ["dataset", "model", "kind", "species accuracy"]
    assert second["species accuracy"].tolist() == ["0.3 [0.2, 0.4]"]
    assert tables.to_markdown(first, second).count("\n\n") == 1
    assert tables.to_html(first, second).count("<table>") == 2


def test_the_ranking_puts_undefined_metrics_last():
    ranks = tables.ranking(metrics(ROWS), [SPEC])
    assert ranks["model"].tolist() == ["cryingan", "random_decoration", "broken"]
    assert ranks["mean_rank"].tolist() == [1, 2, 3]
    assert ranks["n_datasets"].tolist() == [1, 1, 1]


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
    assert "nothing (none accepted)" in figures.labelled(features, sets)
