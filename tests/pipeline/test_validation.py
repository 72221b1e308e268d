"""`dismai validate` names what is damaged, missing, foreign, or not what others were made from."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

from dismai.base.card import write_card
from dismai.base.errors import InputError
from dismai.base.kinds import KINDS
from dismai.cli import app
from dismai.datasets.baselines import random_decoration
from dismai.files.structures import (
    METRICS_SCHEMA,
    read_table,
    write_structures,
    write_table,
)
from dismai.pipeline.config import load
from dismai.pipeline.jobs import write_config
from dismai.pipeline.validation import FIGURES, findings
from dismai.pipeline.whole import damage
from dismai.report.figures import save_figure
from tests.conftest import ROOT
from tests.finished import DATASET, finished_run, write_features
from tests.makers import alloy_spec


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """A finished run of one model and the baselines, written without the workflow."""
    return finished_run(tmp_path_factory.mktemp("results") / "run")


@pytest.fixture
def copy(whole, tmp_path):
    return Path(shutil.copytree(whole, tmp_path / "run"))


def files_of(root):
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_a_whole_run_has_no_findings(whole):
    assert findings(whole) == (4, [])


SPOILED = {
    "empty": lambda content: b"",
    "one_byte": lambda content: b"x",
    "cut": lambda content: content[: len(content) * 2 // 3],
    "missing": lambda content: None,
}


@pytest.mark.parametrize("how", SPOILED)
def test_any_file_that_is_missing_empty_or_cut_is_a_finding(whole, how, tmp_path):
    root = Path(shutil.copytree(whole, tmp_path / "run"))
    names = [name for name in files_of(whole) if name != "config.yaml"]
    for suffix in sorted({Path(name).suffix for name in names}):
        spoiled = {name: (root / name).read_bytes() for name in names if name.endswith(suffix)}
        if how in ("empty", "cut"):  # nothing was relaxed: there is nothing to lose
            spoiled = {name: content for name, content in spoiled.items() if content}
        for name, content in spoiled.items():
            text = SPOILED[how](content)
            (root / name).unlink()
            if text is not None:
                (root / name).write_bytes(text)
        found = findings(root)[1]
        for name, content in spoiled.items():
            assert any(f"{root / name}" in line for line in found), name
            (root / name).write_bytes(content)


@pytest.mark.parametrize("content", [b"", b"x", b"\xff\xfe", b"run: run\n"])
def test_a_damaged_configuration_ends_with_one_line(copy, content):
    (copy / "config.yaml").write_bytes(content)
    with pytest.raises(InputError, match=r"config\.yaml: (line 1: )?expected"):
        findings(copy)


@pytest.mark.parametrize("name", ["tables/ranking.parquet", f"datasets/{DATASET}/features.parquet"])
def test_the_command_names_a_table_of_one_byte_and_ends_with_2(copy, name):
    (copy / name).write_bytes(b"x")
    result = CliRunner().invoke(app, ["validate", str(copy)])
    assert result.exit_code == 2
    (line, summary) = result.output.splitlines()
    assert line.startswith(f"{copy / name}: expected a whole file, found")
    assert summary == f"{copy}: 4 runs, 1 findings"


def test_files_of_potentials_that_the_run_makes_are_missed(copy):
    overlay = copy.with_name("overlay.yaml")
    overlay.write_text("run: run\npotentials: {unused: {kind: gap, fit: {labels: sw_si}}}\n")
    config = load(ROOT / "config/config.yaml", overlay)
    write_config(config.model_dump(mode="json"), copy / "config.yaml")
    text = "\n".join(findings(copy)[1])
    for name in (
        "potentials/m3gnet/model.safetensors", "tables/minima/m3gnet/table5.csv",
        "potentials/gap_si/train90/gap.xml", "figures/potentials/gap_si/parity.svg",
        "figures/potentials/m3gnet/parity.svg",
    ):  # fmt: skip
        assert f"{copy / name}: expected a file, found none" in text
    assert "unused" not in text


def test_a_table_that_cannot_be_read_is_one_finding(copy):
    table = copy / "datasets" / DATASET / "features.parquet"
    table.write_bytes(table.read_bytes()[:500])
    (line,) = findings(copy)[1]
    assert line.startswith(f"{table}: expected a whole file, found")


def test_other_content_of_the_same_form_is_found_by_its_hash(copy):
    own = Path(DATASET, "random_decoration", "seed0")
    raw = copy / "generated" / own / "raw.extxyz"
    raw.write_text(raw.read_text().replace("0.0", "0.1", 1))
    table = copy / "datasets" / DATASET / "features.parquet"
    changed = read_table(table)
    changed.iloc[0, 3] += 1.0
    write_features(changed, table, {"dismai": pq.read_schema(table).metadata[b"dismai"].decode()})
    metrics = copy / "metrics" / f"{own}.parquet"
    rows = read_table(metrics)
    rows["value"] *= 0.5
    meta = {"dismai": pq.read_schema(metrics).metadata[b"dismai"].decode()}
    write_table(rows, metrics, METRICS_SCHEMA, meta)
    text = "\n".join(findings(copy)[1])
    assert f"{own}.parquet: SHA-256 of {raw}" in text
    assert f"SHA-256 of {table}" in text
    for name in ("alloys", "ranking"):
        assert f"{name}.parquet: SHA-256 of {metrics}" in text


def test_a_model_with_one_changed_byte_is_found(copy):
    path = copy / "models" / DATASET / "cryingan" / "seed0" / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(bytes(content))
    (line,) = findings(copy)[1]
    assert line == f"{path}: expected the SHA-256 in its header, found damaged content"


def test_results_of_another_run_in_the_place_of_its_own_are_named(copy):
    metrics = copy / "metrics" / DATASET
    shutil.copy(metrics / "held_out" / "seed0.parquet", metrics / "cryingan" / "seed0.parquet")
    generated = copy / "generated" / DATASET
    shutil.copytree(
        generated / "held_out" / "seed0", generated / "random_decoration" / "seed0",
        dirs_exist_ok=True,
    )  # fmt: skip
    text = "\n".join(findings(copy)[1])
    assert "cryingan/seed0.parquet: model: expected ['cryingan'], found ['held_out']" in text
    assert "random_decoration/seed0/fates.parquet: structures: expected 12" in text


def test_files_of_another_dataset_are_named(copy):
    folder = copy / "datasets" / DATASET
    write_card(alloy_spec("alloy_1500K_wide"), folder / "card.json")
    others = [atoms.copy() for atoms in random_decoration(alloy_spec(), 4, seed=1)]
    for atoms in others:
        atoms.symbols[:] = "Fe"
    write_structures(others, folder / "val.extxyz")
    text = "\n".join(findings(copy)[1])
    assert f"card.json: name: expected {DATASET}, found alloy_1500K_wide" in text
    assert (
        "val.extxyz: structures of another composition than the card: expected 0, found 4" in text
    )


def test_runs_that_the_configuration_lacks_and_left_overs_of_copies_are_named(copy):
    shutil.copytree(copy / "metrics" / DATASET / "cryingan", copy / "metrics" / DATASET / "foreign")
    (copy / "tables" / ".ranking.csv.Ab3dEf").write_text("half")
    text = "\n".join(findings(copy)[1])
    assert "foreign/seed0.parquet: expected runs of config.yaml only, found one of none" in text
    assert ".ranking.csv.Ab3dEf: expected only finished files" in text


def test_cleaned_structures_are_those_that_were_accepted(copy):
    own = copy / "generated" / DATASET / "cryingan" / "seed0"
    blocks = (own / "clean.extxyz").read_text().split("\n32\n")
    (own / "clean.extxyz").write_text("\n32\n".join([*blocks[:-1], blocks[1]]))
    features = read_table(own / "features.parquet")
    relaxed = "\n32\n".join(blocks[:-1]) + "\n"
    (own / "relaxed.extxyz").write_text(relaxed)
    text = "\n".join(findings(copy)[1])
    assert "clean.extxyz: structures are the accepted: expected True, found False" in text
    n = len(features)
    assert f"relaxed.extxyz: structures: expected {n}, found {n - 1}" in text


def test_forms_of_a_table_that_disagree_are_named(copy):
    path = copy / "tables" / "alloys.csv"
    table = pd.read_csv(path)
    table["mean"] = table["mean"] + 1.0
    table.to_csv(path, index=False)
    page = copy / "tables" / "ranking.html"
    page.write_text(re.sub(r"<tr class.*?</tr>", "", page.read_text(), count=1, flags=re.DOTALL))
    text = "\n".join(findings(copy)[1])
    assert "alloys.csv: mean as in the Parquet table: expected True, found False" in text
    assert "ranking.md: rows of ranking.html" in text


def test_the_figures_it_expects_are_those_of_the_rules():
    for kind, names in FIGURES.items():
        rules = (ROOT / KINDS[kind].rules).read_text()
        if not names:
            assert f"plot_{kind}" not in rules
            continue
        (rule,) = re.findall(
            rf"^(?:use rule \w+ as |rule )plot_{kind}(?: with)?:\n(.*?)(?=^(?:use )?rule |\Z)",
            rules, re.M | re.S,
        )  # fmt: skip
        found = re.findall(r'(\w+)=report\(\s+"<results>/figures/\{dataset\}/(\w+)\.svg"', rule)
        assert sorted(found) == sorted(zip(names, names, strict=True))
        assert set(names) == {*KINDS[kind].pictures, "structures", "training"}


def test_numbers_of_the_fixture_are_finite(whole):
    metrics = read_table(whole / "metrics" / DATASET / "cryingan" / "seed0.parquet")
    assert np.isfinite(metrics["value"]).sum() > 5


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_a_drawing_with_one_changed_byte_is_not_whole(tmp_path, ending):
    figure = Figure(figsize=(2, 2))
    figure.subplots().plot([0, 1], [2.5, 3.5])
    path = tmp_path / f"rdf.{ending}"
    save_figure(figure, path)
    assert damage(path) is None
    content = path.read_bytes()
    half = content.index(b"5", len(content) // 2)  # a digit of a coordinate, or a byte of pixels
    changed = content[:half] + b"6" + content[half + 1 :]
    for spoiled in (changed, content[:-20], content[:half]):
        path.write_bytes(spoiled)
        assert damage(path).startswith("expected ")


def test_a_drawing_of_others_is_whole_without_a_signature(tmp_path):
    (tmp_path / "rdf.svg").write_text("<svg><g/></svg>\n")
    assert damage(tmp_path / "rdf.svg") is None
