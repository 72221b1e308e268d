"""Metrics by families: those that were asked for alone are computed, and equal the others."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import dismai
from dismai.base.errors import InputError
from dismai.base.kinds import KINDS
from dismai.base.metric import ALWAYS, FAMILIES, Metric
from dismai.cli import app
from dismai.evaluation import file as evaluating
from dismai.files.structures import write_structures
from dismai.metrics.entries import METRICS, families
from dismai.report.drawings import drawings_of
from tests.commands import dismai as command
from tests.makers import DATASET, MAKERS


@pytest.fixture(scope="module", params=list(MAKERS))
def sets(request):
    """Name of a kind, its training and generated structures, and everything that is computed."""
    train, generated = MAKERS[request.param](8), MAKERS[request.param](3, seed=90)
    whole = dismai.evaluate(generated, DATASET[request.param], reference=train)
    return request.param, train, generated, whole


def test_each_family_alone_has_the_values_of_the_whole(sets):
    kind, train, generated, whole = sets
    seen = set()
    for family in families(KINDS[kind]):
        part = dismai.evaluate(generated, DATASET[kind], reference=train, families=[family])
        own = [name for name in whole.table.index if METRICS[name].family in (family, ALWAYS)]
        assert list(part.table.index) == own
        numbers = ["value", "ci_low", "ci_high", "noise_floor"]
        np.testing.assert_array_equal(part.table[numbers], whole.table.loc[own, numbers])
        seen |= set(own)
    assert seen == set(whole.table.index)


def test_what_was_not_asked_for_is_on_no_page_in_no_table_and_in_no_figure(sets, tmp_path):
    kind, train, generated, whole = sets
    part = dismai.evaluate(generated, DATASET[kind], reference=train, families="failures")
    others = set(whole.table.index) - set(part.table.index)
    assert others
    assert part.figures == {}
    assert "was not computed" in part.verdict
    page = part.save(tmp_path).read_text()
    for name in others:
        assert f'"name">{name}<' not in page
    assert "families failures" in page
    told = json.loads((tmp_path / "metrics.json").read_text())
    assert {row["metric"] for row in told["metrics"]} == set(part.table.index)
    if kind != "alloy":  # all of it follows from one count
        assert len(part.features.columns) < len(whole.features.columns)


def test_what_no_family_needs_is_not_computed(monkeypatch):
    from dismai.datasets.amorphous_si import describe
    from dismai.datasets.crystals import describe as of_crystals

    def never(*_, **__):
        raise AssertionError("computed")

    for name in ("tessellate", "fingerprints", "ring_counts", "structure_factor", "rdf"):
        monkeypatch.setattr(describe, name, never)
    monkeypatch.setattr(of_crystals, "properties_of", never)
    for kind, family in (("amorphous_si", "soap"), ("crystals", "crystal")):
        train, generated = MAKERS[kind](4), MAKERS[kind](3, seed=90)
        found = dismai.evaluate(generated, DATASET[kind], reference=train, families=family)
        assert found.n_accepted == 3


def test_figures_stand_with_the_families_that_they_show(sets):
    kind, _, generated, whole = sets
    drawn = [name for name, drawing in KINDS[kind].pictures.items() if drawing.of_one_set]
    assert list(whole.figures) == [*drawn, "nearest"]
    needed = {name: KINDS[kind].pictures[name].families for name in drawn}
    assert set().union(*needed.values()) <= set(families(KINDS[kind]))
    for name, of in needed.items():
        settings = {"families": ",".join(of)}
        part = evaluating.replace(whole.evaluation, settings=settings)
        assert name in [one for one, _, _ in drawings_of(part, {"set": whole.features})]
        assert of, f"{name} is drawn whatever was computed"


@pytest.mark.parametrize(
    ("named", "parts"),
    [
        ("motif", ("'motif'", "did you mean motifs?")),
        ("", ("found ''", "motifs, curves")),
        ("motifs,order", ("for amorphous silicon", "'order'")),
    ],
)
def test_a_wrong_name_is_one_line_that_suggests_the_right_one(named, parts, tmp_path):
    with pytest.raises(InputError) as caught:
        dismai.evaluate(MAKERS["amorphous_si"](2), "amorphous_si", families=named,
                        reference=MAKERS["amorphous_si"](3))  # fmt: skip
    for part in parts:
        assert part in str(caught.value)


def test_the_command_takes_names_and_its_help_lists_them_all(monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("TERM", "dumb")
    said = command("evaluate", "--help").stdout
    assert ", ".join(FAMILIES) in said
    write_structures(MAKERS["amorphous_si"](3), tmp_path / "train.extxyz")
    words = ["evaluate", str(tmp_path / "train.extxyz"), "--dataset", "amorphous_si"]
    words += ["--reference", str(tmp_path / "train.extxyz")]
    wrong = command(*words, "--families", "moti", check=False)
    assert wrong.returncode == 2
    assert "did you mean motifs?" in wrong.stderr
    right = CliRunner().invoke(app, [*words, "--families", "motifs", "--json"])
    computed = {row["metric"] for row in json.loads(right.output)["metrics"]}
    assert "d_motif" in computed
    assert "d_rdf" not in computed


def test_a_metric_of_a_family_that_is_not_known_is_refused():
    with pytest.raises(InputError, match="metric m: expected a family of failures"):
        Metric("m", "a metric", "1", 0, "what", "what not", family="own")
    assert all(family in {metric.family for metric in METRICS.values()} or family == "other"
               for family in FAMILIES)  # fmt: skip
