"""The study of CryinGAN: which variant belongs where, its numbers, tables and figures."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from ase import Atoms

from dismai.base.errors import StructureError
from dismai.base.resources import resource
from dismai.evaluation.study_gan import (
    CLOSE,
    CRITICS,
    LAMBDA,
    NOT_CONVERGED,
    TRAINING,
    WORDS,
    Training,
    gan_statements,
    gan_table,
    grouped,
    n_close_pairs,
    numbers_of,
    variants_of,
)
from dismai.metrics.statistics import Interval
from dismai.report.study import write_study
from dismai.report.study_gan import HEADINGS, draw_all

HPARAMS = {
    "lambda_distance": 0.05, "critics": "separate", "coordinate_pooling": "average",
    "distance_pooling": "average", "epochs": 100, "learning_rate": 1e-3,
}  # fmt: skip


def training(model, seed, value, **changes):
    hparams = {**HPARAMS, **changes}
    kinds = ["coordinates", "distances"] if hparams["lambda_distance"] else ["coordinates"]
    kinds = ["combined"] if hparams["critics"] == "combined" else kinds
    steps = [1, hparams["epochs"]]
    history = pd.DataFrame({"epoch": steps, "step": steps, "generator": 0.0}).assign(
        **{f"critic_{kind}": [1.0, -2.0] for kind in kinds}
    )
    numbers = {name: Interval(value, value - 0.1, value + 0.1) for name in WORDS}
    gamma = np.linspace(-0.2, 0.3, 8) + 0.01 * value
    return Training(model, seed, hparams, history, numbers, gamma, 8)


@pytest.fixture
def variants():
    return variants_of(
        [
            *(training("none", seed, 9.0 + 0.1 * seed, lambda_distance=0.0) for seed in (0, 1, 2)),
            *(training("best", seed, 4.0 + 0.1 * seed) for seed in (1, 0, 2)),
            training("more", 0, 4.1, lambda_distance=0.1),
            training("none_twice", 0, 7.0, lambda_distance=0.0, epochs=200),
            training("comb", 0, 3.0, critics="combined"),
            training("mix", 0, 9.0, distance_pooling="mix"),
        ]
    )


def test_a_variant_belongs_where_its_hyperparameters_put_it(variants):
    names = {group: [one.name for one in own] for group, own in grouped(variants).items()}
    assert names[LAMBDA] == ["none", "best", "more"]
    assert names[TRAINING] == ["none", "none_twice", "best"]
    assert names[CRITICS] == ["comb", "mix"]
    assert [one.seed for one in variants[1].trainings] == [0, 1, 2]


def test_the_table_has_means_over_trainings_beside_the_published_shares(variants):
    table = gan_table(variants, pd.read_csv(resource("published.csv")))
    rows = table[table["group"] == LAMBDA].set_index(["name", "metric"])
    assert rows.loc[("none", NOT_CONVERGED), "value"] == pytest.approx(9.1)
    assert rows.loc[("none", NOT_CONVERGED), "published"] == 34
    assert rows.loc[("best", NOT_CONVERGED), "published"] == 11
    assert rows["published"].notna().sum() == 2
    assert rows.loc[("none", CLOSE), ["n_seeds", "n_structures"]].tolist() == [3, 24]
    assert rows.loc[("none", CLOSE), "greatest"] == pytest.approx(9.2)


def test_statements_are_judged_by_intervals(variants):
    found = gan_statements(variants).set_index(["statement", "metric", "second"])["held"]
    assert found["falls from lambda 0 to 0.05", CLOSE, "best"] == "yes"
    assert found["rises from lambda 0.05 to 0.1", "d_all", "more"] == "open"
    assert found["two critics beat one in the same time", "d_all", "best"] == "yes"
    assert found["the published critics beat others", "d_all", "comb"] == "no"
    assert found["the published critics beat others", "d_all", "mix"] == "yes"


def test_numbers_count_all_generated_structures_and_all_that_were_relaxed():
    apart = Atoms("Si2", positions=[[0, 0, 0], [3, 3, 3]], cell=[6, 6, 6], pbc=True)
    close = Atoms("Si3", positions=[[0, 0, 0], [1, 0, 0], [0, 1, 0]], cell=[6, 6, 6], pbc=True)
    raw = {0: apart, 1: close, 2: StructureError("unreadable")}
    fates = pd.DataFrame(
        {"status": ["accepted", "rejected", "rejected", "rejected"],
         "stage": ["", "relax", "clean", "describe"]}
    )  # fmt: skip
    row = {"metric": "d_all", "value": 0.5, "ci_low": 0.4, "ci_high": 0.7}
    found = numbers_of(raw, fates, pd.DataFrame([row]))
    assert n_close_pairs(close) == 3  # 1, 1 and 1.41 Å
    assert found[CLOSE].value == 1.5
    assert found[NOT_CONVERGED].value == pytest.approx(100 / 3)
    assert found["d_all"] == (0.5, 0.4, 0.7)
    assert np.isnan(found["mean_gamma"].value)


def test_tables_and_figures_are_written_whatever_is_missing(variants, tmp_path):
    table = gan_table(variants, pd.read_csv(resource("published.csv")))
    names = ["table", "csv", "statements", "markdown", "page"]
    pictures = ["energies", "weight", "training", "critics", "losses"]
    paths = {name: tmp_path / name for name in names}
    paths |= {name: tmp_path / f"{name}.svg" for name in pictures}
    files = SimpleNamespace(**paths)
    write_study(table, gan_statements(variants), HEADINGS, files, {})
    page = files.markdown.read_text()
    assert "| best | 3 | 24 | 4.1 [3.85, 4.35]" in page
    assert "two critics beat one in the same time" in page
    draw_all(variants, table, files)
    few = variants_of([training("none", 0, np.nan, lambda_distance=0.0)])
    draw_all(few, gan_table(few, pd.read_csv(resource("published.csv"))), files)
    assert all(files.__dict__[name].stat().st_size for name in pictures)
