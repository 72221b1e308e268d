"""Rankings: seed-paired differences, correction for their number, refusals."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from typer.testing import CliRunner

from dismai.base.card import write_card
from dismai.base.errors import InputError
from dismai.cli import app
from dismai.datasets.baselines import gaussian_displacement, random_decoration
from dismai.evaluation.comparison import compare, holm, paired_difference, to_json, to_text
from dismai.evaluation.file import evaluate_file
from dismai.evaluation.runs import load_runs, run_names
from dismai.files.structures import write_structures
from dismai.report.output import write_evaluation
from tests.makers import alloy_spec

SPEC = alloy_spec()


def rows(values, dataset="alloy_300K_wide", run="run", width=0.02, metric="d_cluster", n=None):
    """Rows of a metric: model to values by seed; n: accepted of 100 generated, by model."""
    counted = n is not None
    return pd.DataFrame(
        [
            {
                "run": run,
                "dataset": dataset,
                "model": model,
                "seed": seed,
                "metric": metric,
                "value": value,
                "ci_low": value - width / 2,
                "ci_high": value + width / 2,
                **({"n_accepted": n.get(model, 100), "n_generated": 100} if counted else {}),
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
    interval, p = paired_difference(b - a, np.full(3, 0.001))
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
        (rows({"m": {0: 0.1}, "n": {0: 0.2}}), "d_clustr", "did you mean d_cluster"),
        (rows({"m": {0: 0.1}, "n": {0: 0.2}}, dataset="x"), None, "dataset 'x': expected one of"),
    ],
)
def test_what_does_not_compare_is_refused(table, metric, message):
    with pytest.raises(InputError, match=message):
        compare(table, metric)


@pytest.mark.parametrize(
    ("metric", "best", "values"),
    [
        ("coverage", "best: 1", {"good": {0: 0.95, 1: 0.9}, "collapsed": {0: 0.4, 1: 0.3}}),
        ("fidelity", "best: 1", {"good": {0: 0.9}, "far": {0: 0.1}}),
        ("diversity", "best: 1", {"good": {0: 1.1}, "little": {0: 0.2}, "too_much": {0: 2.5}}),
        ("memorisation", "best: 0.5", {"good": {0: 0.5}, "far": {0: 0.2}, "copies": {0: 1.0}}),
        ("density_shift", "best: 0", {"good": {0: 0.1}, "dense": {0: 4.0}, "thin": {0: -5.0}}),
        ("energy_above_training", "best: 0", {"good": {0: -1.0}, "above": {0: 9.0}}),
        ("percent_low_gamma", "best: 100", {"good": {0: 80.0}, "bad": {0: 5.0}}),
        ("mean_gamma", "lower is better", {"good": {0: -0.1}, "bad": {0: 0.4}}),
        ("percent_failed", "best: 0", {"good": {0: 1.0}, "bad": {0: 90.0}}),
    ],
)  # fmt: skip
def test_the_value_nearest_to_the_best_one_ranks_first_and_the_text_says_which(
    metric, best, values
):
    result = compare(rows(values, metric=metric, dataset="interface"), metric)
    assert result.ranking["model"].tolist() == list(values)
    assert result.ranking["rank"].tolist() == list(range(1, len(values) + 1))
    assert best in to_text(result).splitlines()[0]
    assert (result.ranking["above_best"].dropna() > 0).all()


def test_opposite_errors_of_two_seeds_do_not_cancel():
    table = rows({"swings": {0: 3.0, 1: -3.0}, "near": {0: 1.0, 1: 1.0}}, metric="density_shift")
    assert compare(table, "density_shift").ranking["model"].tolist() == ["near", "swings"]


def test_two_equal_differences_are_not_certainty():
    interval, p = paired_difference(np.array([0.6, 0.6]), np.array([0.05, 0.05]))
    error = 0.05 / np.sqrt(2)
    assert p == pytest.approx(2 * stats.t.sf(0.6 / error, 1))
    assert interval.low < 0.6 - error
    integers = rows({"a": {s: 0.0 for s in range(3)}, "b": {s: 10.0 for s in range(3)}}, width=8.0)
    assert 0 < compare(integers).pairs["p"].item() < 0.05


@pytest.mark.parametrize("seeds", [(0,), (0, 1), (0, 1, 2)])
@pytest.mark.parametrize("width", [0.0, np.nan])
def test_without_spread_and_sampling_error_there_is_no_test(seeds, width):
    values = {"a": dict.fromkeys(seeds, 0.1), "b": dict.fromkeys(seeds, 0.3)}
    result = compare(rows(values, width=width))
    assert result.pairs["p"].isna().all()
    assert result.pairs["method"].tolist() == ["no test"]
    assert result.ranking["verdict"].tolist() == ["best", "not tested"]
    text = to_text(result)
    assert "Not tested" in text
    assert "nan" not in text
    assert json.loads(to_json(result))["pairs"][0]["p_holm"] is None


def test_p_values_are_not_more_exact_than_their_evidence():
    text = to_text(compare(rows({"a": {0: 0.1}, "b": {0: 0.9}})))
    assert "< 0.001" in text
    assert "e-" not in text


def test_holm_leaves_out_what_was_not_tested():
    np.testing.assert_allclose(holm([0.01, np.nan, 0.04]), [0.02, np.nan, 0.04])


@pytest.mark.parametrize("n", [1, 9])
def test_sets_of_fewer_than_ten_structures_have_no_rank_and_no_p_value(n):
    table = rows({"few": {0: 0.01}, "a": {0: 0.2}, "b": {0: 0.3}}, n={"few": n})
    result = compare(table)
    assert result.ranking["model"].tolist() == ["a", "b", "few"]
    assert result.ranking["rank"].tolist()[:2] == [1, 2]
    assert pd.isna(result.ranking["rank"].iloc[-1])
    assert len(result.pairs) == 1
    assert f"few: only {n} accepted, no rank below 10" in to_text(result)
    few = json.loads(to_json(result))["ranking"][-1]
    assert (few["rank"], few["n_accepted"], few["percent_failed"]) == (None, n, 100 - n)


def test_one_failed_training_is_not_left_out_of_the_mean():
    table = rows({"mixed": {0: 0.01, 1: np.nan}, "whole": {0: 0.2, 1: 0.2}}, n={})
    table.loc[(table["model"] == "mixed") & (table["seed"] == 1), "n_accepted"] = 0
    ranking = compare(table).ranking
    assert ranking["model"].tolist() == ["whole", "mixed"]
    assert pd.isna(ranking["rank"].iloc[1])


def test_failing_most_of_the_time_ranks_behind_whatever_the_value():
    table = rows({"picky": {0: 0.01}, "whole": {0: 0.3}}, n={"picky": 45})
    result = compare(table)
    assert result.ranking["model"].tolist() == ["whole", "picky"]
    assert result.ranking["rank"].tolist() == [1, 2]
    assert "picky: fewer than half accepted" in to_text(result)
    assert "55 %" in to_text(result)


def test_failed_models_share_no_rank_and_say_so():
    table = rows({"good": {0: 0.1}, "x": {0: np.nan}, "y": {0: np.nan}}, n={"x": 0, "y": 0})
    result = compare(table)
    assert result.ranking["rank"].isna().tolist() == [False, True, True]
    text = to_text(result)
    assert text.count("failed: no structure accepted") == 2
    assert "nan" not in text
    assert "100 %" in text


def test_the_table_fits_a_terminal_of_120_columns():
    values = {f"a_model_with_a_very_long_name_{i}": {0: 1.234e-5 * (i + 1)} for i in range(4)}
    result = compare(rows(values, metric="mmd", n={}, width=1.1e-6), "mmd")
    lines = to_text(result).splitlines()
    assert max(map(len, lines)) <= 120
    assert all(any(name in line for line in lines) for name in values)


def test_a_metric_of_one_kind_of_dataset_leaves_the_others_out():
    values = {"a": {0: 0.1}, "b": {0: 0.2}}
    both = [rows(values), rows(values, dataset="amorphous_si", metric="d_rdf")]
    assert list(compare(pd.concat(both), "d_rdf").metrics) == ["amorphous_si"]
    with pytest.raises(InputError, match="metric 'd_rfd': expected one of d_cluster, d_rdf"):
        compare(pd.concat(both), "d_rfd")


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


def test_folders_of_the_same_name_are_told_apart_by_their_paths(folders, tmp_path):
    for name in ("m0", "m1"):
        shutil.copytree(folders / "a", tmp_path / name / "eval")
    command = ["compare", str(tmp_path / "m0" / "eval"), str(tmp_path / "m1" / "eval")]
    result = CliRunner().invoke(app, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    for name in ("m0/eval: same.extxyz", "m1/eval: same.extxyz", "--seed"):
        assert name in result.output
    assert run_names([tmp_path / "m0" / "eval", tmp_path / "x"]) == ["eval", "x"]
    deep = [tmp_path / a / "same" / "eval" for a in ("p", "q")]
    assert run_names(deep) == ["p/same/eval", "q/same/eval"]


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
