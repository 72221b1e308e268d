"""Rankings: seed-paired differences, correction for their number, refusals."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from typer.testing import CliRunner

from dismai.baselines import gaussian_displacement, random_decoration
from dismai.cli import app
from dismai.comparison import compare, holm, paired, to_json, to_text
from dismai.datasets.spec import write_card
from dismai.errors import InputError
from dismai.evaluation.file import evaluate_file
from dismai.evaluation.output import write_evaluation
from dismai.io import write_structures
from dismai.runs import load_runs
from tests.evaluation.test_process import SPEC


def rows(values, dataset="alloy_300K_wide", run="run", width=0.02):
    """Rows of d_cluster: model to values by seed."""
    return pd.DataFrame(
        [
            {
                "run": run,
                "dataset": dataset,
                "model": model,
                "seed": seed,
                "metric": "d_cluster",
                "value": value,
                "ci_low": value - width / 2,
                "ci_high": value + width / 2,
            }
            for model, by_seed in values.items()
            for seed, value in by_seed.items()
        ]
    )


def test_holm_is_the_textbook_example():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]).max() == 1.0


def test_paired_p_is_that_of_scipy_and_the_interval_covers_the_mean():
    a, b = np.array([0.1, 0.2, 0.4]), np.array([0.15, 0.27, 0.44])
    interval, p = paired(b - a, np.full(3, 0.001))
    assert p == pytest.approx(stats.ttest_rel(b, a).pvalue)
    assert interval.low < interval.value < interval.high
    assert interval.value == pytest.approx(0.16 / 3)


def test_pairing_by_seed_finds_what_the_spread_of_seeds_hides():
    seeds = {0: 0.10, 1: 0.30, 2: 0.50}
    better = {seed: value - 0.02 - 0.001 * seed for seed, value in seeds.items()}
    result = compare(rows({"worse": seeds, "better": better}))
    assert result.ranking["model"].tolist() == ["better", "worse"]
    assert result.pairs["method"].tolist() == ["paired over 3 seeds"]
    assert result.ranking["verdict"].tolist() == ["best", "worse"]
    assert result.ranking["above_best"][1] == pytest.approx(0.021)
    other_seeds = {seed + 10: value for seed, value in better.items()}
    unpaired = compare(rows({"worse": seeds, "better": other_seeds}))
    assert unpaired.pairs["method"].tolist() == ["sampling error only"]


def test_many_comparisons_need_more_evidence():
    values = {f"m{i}": {0: 0.1 + 0.01 * i} for i in range(8)}
    result = compare(rows(values))
    assert len(result.pairs) == 28
    assert (result.pairs["p_holm"] >= result.pairs["p"]).all()
    second = result.ranking.iloc[1]
    assert second["verdict"] == "not told apart"
    assert result.ranking["verdict"].iloc[-1] == "worse"
    assert "28 comparisons" in to_text(result)
    assert len(json.loads(to_json(result))["pairs"]) == 28


def test_a_model_without_an_accepted_structure_comes_last():
    result = compare(rows({"good": {0: 0.1}, "none": {0: np.nan}, "bad": {0: 0.5}}))
    assert result.ranking["model"].tolist() == ["good", "bad", "none"]
    assert result.ranking["verdict"].tolist()[-1] == "no structure"


def test_runs_with_the_same_seeds_are_told_apart_and_other_seeds_are_joined():
    both = pd.concat([rows({"m": {0: 0.1}}, run="a"), rows({"m": {0: 0.2}}, run="b")])
    assert compare(both).ranking["model"].tolist() == ["a: m", "b: m"]
    parts = [rows({"m": {0: 0.1}}, run="a"), rows({"m": {1: 0.2}, "n": {0: 0.3}}, run="b")]
    ranking = compare(pd.concat(parts)).ranking
    assert ranking["model"].tolist() == ["m", "n"]
    assert ranking["n_seeds"].tolist() == [2, 1]


@pytest.mark.parametrize(
    ("table", "metric", "message"),
    [
        (rows({"m": {0: 0.1}}), None, "expected at least two models"),
        (rows({"m": {0: 0.1}, "n": {0: 0.2}}), "d_rdf", "expected the metric d_rdf"),
        (rows({"m": {0: 0.1}, "n": {0: 0.2}}, dataset="x"), None, "dataset 'x': expected one of"),
    ],
)
def test_what_does_not_compare_is_refused(table, metric, message):
    with pytest.raises(InputError, match=message):
        compare(table, metric)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two evaluated sets, and a third one against another training set."""
    root = tmp_path_factory.mktemp("runs")
    train = random_decoration(SPEC, 30, seed=1)
    other = random_decoration(SPEC, 30, seed=2)
    for name, structures in (("train", train), ("other", other)):
        (root / name).mkdir()
        write_structures(structures, root / name / "train.extxyz")
        write_card(SPEC, root / name / "card.json")
    write_structures(random_decoration(SPEC, 20, seed=3), root / "same.extxyz")
    write_structures(gaussian_displacement(train, SPEC, 0.3, 20, seed=3), root / "rattled.extxyz")
    for out, file, reference in (
        ("a", "same", "train"), ("b", "rattled", "train"), ("c", "same", "other"),
    ):  # fmt: skip
        result = evaluate_file(
            root / f"{file}.extxyz", SPEC.name, root / reference / "train.extxyz"
        )
        write_evaluation(result, root / out)
    return root


def test_folders_of_evaluate_are_ranked(folders):
    result = CliRunner().invoke(app, ["compare", str(folders / "a"), str(folders / "b")])
    assert result.exit_code == 0, result.output
    assert result.output.index("same.extxyz") < result.output.index("rattled.extxyz")
    assert "Sampling error only" in result.output


def test_other_training_sets_and_other_folders_do_not_compare(folders, tmp_path):
    with pytest.raises(InputError, match="expected the training set of a, found another one"):
        load_runs([folders / "a", folders / "c"])
    with pytest.raises(InputError, match="found it twice"):
        load_runs([folders / "a", folders / "a"])
    with pytest.raises(InputError, match="found neither"):
        load_runs([tmp_path])
    with pytest.raises(InputError, match="no such folder"):
        load_runs([tmp_path / "no"])
    (tmp_path / "metrics.parquet").write_bytes(b"noise")
    with pytest.raises(InputError, match="found another format"):
        load_runs([tmp_path])
