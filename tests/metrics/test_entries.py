"""Every metric that a score may hold is declared, and its page and tables come from that."""

import math

import numpy as np
import pytest
from typer.testing import CliRunner

from dismai.base.card import write_card
from dismai.base.kinds import KINDS
from dismai.cli import app
from dismai.evaluation.process import STAGES
from dismai.files.structures import read_table, write_structures
from dismai.metrics.entries import GLOSSARY, LOW, METRICS, documentation, documented
from dismai.metrics.self_reports import RIGHT, SELF_REPORTED
from dismai.report.tables import HEADINGS
from tests.makers import DATASET, MAKERS, card

LJ = "kind: ase\ncalculator: ase.calculators.lj:LennardJones\nparams: {epsilon: 1.0e-6}\n"


def folder_of(kind, reports, path):
    """Training and held-out structures with their card, and a set that may report of itself."""
    write_structures(MAKERS[kind](8), path / "train.extxyz")
    write_structures(MAKERS[kind](4, seed=50), path / "val.extxyz")
    structures = MAKERS[kind](3, seed=90)
    for atoms in structures:
        atoms.info.update(dict.fromkeys(SELF_REPORTED, 0.5) if reports else {})
    write_structures(structures, path / "set.extxyz")
    statistics = {"reference_energy_eV_per_atom": 0.0} if kind == "interface" else {}
    write_card(card(kind).model_copy(update={"statistics": statistics}), path / "card.json")
    (path / "lj.yaml").write_text(LJ)


@pytest.mark.parametrize("reports", [False, True], ids=["plain", "self_reported"])
@pytest.mark.parametrize(
    ("kind", "relaxes"),
    [(kind, relaxes) for kind in MAKERS for relaxes in (False, True)
     if KINDS[kind].relaxes or not relaxes],
)  # fmt: skip
def test_whatever_a_score_holds_is_declared_and_has_a_page(kind, relaxes, reports, tmp_path):
    folder_of(kind, reports, tmp_path)
    command = ["evaluate", str(tmp_path / "set.extxyz"), "--dataset", DATASET[kind],
               "--reference", str(tmp_path / "train.extxyz"), "--jobs", "1",
               "--out", str(tmp_path / "out")]  # fmt: skip
    command += ["--relax", str(tmp_path / "lj.yaml")] if relaxes else []
    result = CliRunner().invoke(app, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    metrics = read_table(tmp_path / "out" / "metrics.parquet")
    assert metrics["n_accepted"].iloc[0] == 3
    page = (tmp_path / "out" / "report.html").read_text()
    for name, unit in zip(metrics["metric"], metrics["unit"], strict=True):
        assert unit == METRICS[name].unit
        assert name in page
        assert name in result.output
    expected = {"energy_above_training", "displacement_on_relaxation"} if relaxes else set()
    expected |= {"relaxation_steps"} if relaxes else set()
    expected |= {f"percent_failed_{stage}" for stage in STAGES}
    expected |= set() if kind in ("alloy", "crystals") else {"close_pairs"}
    expected |= {"mean_gamma", "percent_low_gamma"} if relaxes and kind == "interface" else set()
    expected |= {*SELF_REPORTED, RIGHT} if reports else set()
    assert expected <= set(metrics["metric"])


def test_the_tables_of_the_papers_are_those_that_stand_in_the_entries():
    assert list(HEADINGS["alloy"].values()) == [
        *("d_cluster", "distinct (%)", "with vacancies (%)", "failed (%)"),
    ]
    assert list(HEADINGS["amorphous_si"]) == [
        *("d_motif", "d_rdf", "d_angle"),
        *("percent_failed", "relaxation_steps", "close_pairs"),
    ]
    assert list(HEADINGS["interface"])[:4] == ["d_Li", "d_Co", "d_Sc", "d_all"]


@pytest.mark.parametrize("metric", METRICS.values(), ids=list(METRICS))
def test_an_entry_says_what_the_reader_needs(metric):
    low, high = metric.bounds
    assert metric.best == LOW or low <= metric.best <= high
    assert min(map(len, (metric.sees, metric.blind, metric.label))) > 3
    assert "|" not in metric.sees + metric.blind + metric.label


def test_the_best_value_is_nearest_whatever_its_direction():
    def order(name, values):
        return sorted(values, key=METRICS[name].badness)

    assert order("coverage", [0.2, 0.9]) == [0.9, 0.2]
    assert order("diversity", [1.5, 0.9, 0.2]) == [0.9, 1.5, 0.2]
    assert order("memorisation", [1.0, 0.5, 0.1]) == [0.5, 0.1, 1.0]
    assert order("density_shift", [-3.0, 1.0]) == [1.0, -3.0]
    assert order("mean_gamma", [-0.1, -0.3]) == [-0.3, -0.1]
    assert METRICS["mmd"].badness(-0.01) == 0.0  # below what is possible: noise about 0
    assert math.isnan(METRICS["d_rdf"].badness(np.nan))
    assert METRICS["coverage"].best_text == "↑ 1"
    assert METRICS["memorisation"].best_text == "→ 0.5"


def test_the_list_in_the_documentation_is_that_of_the_entries(root):
    text = (root / "docs" / "metrics.md").read_text()
    assert documentation() in text
    assert documented(text) == text, "python -m dismai.metrics.entries docs/metrics.md"


def test_the_glossary_has_every_metric_once_as_its_entry_says(root):
    text = (root / "docs" / "glossary.md").read_text()
    names = [name for part in GLOSSARY.findall(text) for name in part[1].split()]
    assert sorted(names) == sorted(METRICS)
    assert documented(text) == text, "python -m dismai.metrics.entries docs/glossary.md"
    assert f"*Blind to* {METRICS['ks_mean'].blind}." in " ".join(text.split())
