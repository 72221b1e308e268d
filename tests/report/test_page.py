"""The page of an evaluation: everything inside, for every kind, whatever the names are."""

import json
import re
from html import escape, unescape
from html.parser import HTMLParser

import numpy as np
import pytest

from dismai import __version__
from dismai.base.card import write_card
from dismai.evaluation.file import evaluate_file
from dismai.evaluation.process import STAGES
from dismai.files.structures import read_table, write_structures
from dismai.metrics.entries import METRICS
from dismai.report.output import to_json, to_text, write_evaluation
from dismai.report.page import page
from tests.makers import DATASET, FIXED_CELL, MAKERS, card

NAME = "<script>alert(1)</script>.extxyz"
VOID = ("meta", "br", "img", "link", "input", "hr")


class Checker(HTMLParser):
    """Collects tags and attributes, and whether elements are closed in order."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.open = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module", params=FIXED_CELL)
def evaluation(request, tmp_path_factory):
    """Ten structures, one of them spoiled, against twelve without a card or held-out ones."""
    kind = request.param
    folder = tmp_path_factory.mktemp(kind)
    structures = MAKERS[kind](10, seed=100)
    structures[3].positions[0] = np.nan
    write_structures(MAKERS[kind](12), folder / "train.extxyz")
    write_structures(structures, folder / "set.extxyz")
    reference = folder / "train.extxyz"
    return evaluate_file(folder / "set.extxyz", DATASET[kind], reference, model=NAME)


@pytest.fixture(scope="module")
def text(evaluation):
    return page(evaluation)


def test_the_page_refers_to_nothing_outside(text):
    checker = Checker()
    checker.feed(text)
    assert checker.open == []
    assert not {"script", "link", "img", "iframe", "object", "image", "base"} & set(checker.tags)
    for name, value in checker.attributes:
        assert not name.startswith("on"), (name, value)
        if name in ("src", "href", "xlink:href", "data", "action"):
            assert value.startswith("#"), (name, value)
    assert "//" not in text
    assert "@import" not in text
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", text))


def test_the_page_shows_figures_numbers_and_fates(evaluation, text):
    assert text.count("<svg") == text.count("</svg>") >= 3
    for metric in evaluation.metrics["metric"]:
        assert f'<td class="name">{metric}</td>' in text
        assert METRICS[metric].sees in unescape(text)
    assert "expected finite coordinates, found NaN or infinity" in text
    assert "No card.json beside train.extxyz" in text
    if evaluation.spec.kind == "alloy":
        assert page(evaluation) == text


def test_text_and_json_say_the_same(evaluation):
    content = json.loads(to_json(evaluation))
    assert content["n_accepted"] == 9
    assert content["rejected"][0]["structures"] == 1
    lines = to_text(evaluation)
    for row in content["metrics"]:
        assert row["metric"] in lines
        assert row["value"] is None or f"{row['value']:.4g}" in lines
    assert any("expected of 9 new structures" in note for note in content["notes"])
    relaxation = [note for note in content["notes"] if "relax" in note]
    assert len(relaxation) == 1


def test_the_page_can_be_read_aloud_and_by_keys_and_scrolls_its_tables(text):
    assert text.count("<main>") == text.count("</main>") == 1
    assert (
        text.index("<main>") < text.index("<h1>") < text.index("</main>") < text.index("<footer>")
    )
    assert text.count('<div class="wide" tabindex="0"><table>') == text.count("<table>") == 2
    assert text.count('<div class="wide" tabindex="0"><svg') == text.count("<svg")
    stacked = re.search(r'<table class="stacked">.*?</table>', text, re.S).group()
    assert "<td>" not in stacked  # on a phone every cell says what it is
    assert stacked.count('data-is="sees"') == stacked.count('data-is="is blind to"')
    pictures = re.findall(r"<svg[^>]*>", text)
    assert all('role="img"' in picture for picture in pictures)
    assert len(re.findall(r'<svg[^>]*role="img"><title>[^<]{20,}</title>', text)) == len(pictures)


def test_best_values_stand_beside_and_what_does_not_compare_is_marked(evaluation, text):
    lines = to_text(evaluation)
    for metric in evaluation.metrics["metric"]:
        assert f"<td class=number>{METRICS[metric].best_text}</td>" in text
        assert METRICS[metric].best_text in re.search(rf"^{metric} .*$", lines, re.M).group()
    reason = "a training set of unknown origin"
    assert f'title="does not compare: {reason}' in text or f"; {reason}" in text
    for written in (lines, text):
        assert "† Published values do not compare" in written
        assert "95 % interval: " in written
        assert not re.search(r"\bnan\b", written)
    assert "value (n = 9)" in text
    assert "Only 9 accepted" in lines
    assert json.loads(to_json(evaluation))["published_differs"][-1]


def test_the_page_and_the_numbers_say_where_they_come_from(evaluation, tmp_path):
    command = "dismai evaluate 'my set.extxyz'"
    for name in ("first", "second"):
        write_evaluation(evaluation, tmp_path / name, command)
    text = (tmp_path / "first" / "report.html").read_text()
    content = json.loads((tmp_path / "first" / "metrics.json").read_text())
    assert content["provenance"]["dismai"] == __version__
    assert content["provenance"]["command"] == command
    assert content["provenance"]["settings"]["align"] == "none"
    digest = content["provenance"]["input_sha256"]
    assert re.fullmatch("[0-9a-f]{64}", digest)
    for part in (digest, __version__, escape(command), content["reference_sha256"]):
        assert part in text
    for name in ("metrics.parquet", "metrics.json", "fates.parquet"):
        first, second = ((tmp_path / run / name).read_bytes() for run in ("first", "second"))
        assert first == second


def test_a_set_without_accepted_structures_has_a_page_too(evaluation, tmp_path):
    kind = evaluation.spec.kind
    train, spoiled = MAKERS[kind](12), MAKERS[kind](2)
    for atoms in spoiled:
        atoms.positions[0] = np.inf
    write_structures(train, tmp_path / "train.extxyz")
    write_card(card(kind), tmp_path / "card.json")
    write_structures(train[:3], tmp_path / "val.extxyz")
    write_structures(spoiled, tmp_path / "set.extxyz")
    found = evaluate_file(tmp_path / "set.extxyz", DATASET[kind], tmp_path / "train.extxyz")
    write_evaluation(found, tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"metrics.parquet", "metrics.json", "fates.parquet", "report.html"}
    table = read_table(tmp_path / "out" / "metrics.parquet").set_index("metric")
    assert table["value"]["percent_failed"] == 100
    of_generated = [name for name in table.index if METRICS[name].of_generated]
    assert np.isnan(table["value"].drop(of_generated)).all()
    assert table["value"]["percent_failed_check"] == 100
    assert of_generated == ["percent_failed", *(f"percent_failed_{stage}" for stage in STAGES)]
    lines, written = to_text(found), (tmp_path / "out" / "report.html").read_text()
    assert not re.search(r"\bnan\b", lines + written)
    assert "–: no structure accepted (everything but percent_failed)." in lines
    assert '<td class=number title="no structure accepted"><b>–</b></td>' in written
