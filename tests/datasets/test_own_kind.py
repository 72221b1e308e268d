"""A kind of somebody else: one package beside ours, found through its entry point."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from dismai.base.atomic import sha256
from dismai.files.structures import read_structures, read_table
from tests.commands import TINY, command
from tests.conftest import ROOT

TOY = Path(__file__).parent / "toy_kind"
DRAW = """
from pathlib import Path
from brass.functions import card, draw
from dismai.base.card import write_card
from dismai.files.structures import write_structures
train, val = draw(12, 1), draw(12, 2)
write_structures(train, Path("train.extxyz"))
write_structures(val, Path("val.extxyz"))
write_card(card(train, val, "brass"), Path("card.json"))
write_structures(draw(12, 3), Path("like.extxyz"))
write_structures(draw(12, 4, disorder=1.0), Path("unlike.extxyz"))
"""
STUDY = """
from pathlib import Path
from dismai.base.card import read_card
from dismai.datasets.options import Options
from dismai.evaluation.degradation import SEES, responses, sensitivity
from dismai.files.structures import read_structures
train, val = (read_structures(Path(f"{name}.extxyz")) for name in ("train", "val"))
table = responses(train, val, read_card(Path("card.json")), Options(), 0)
answers = sensitivity(table).set_index(["metric", "damage"])["spearman"]
assert {"d_order", "coverage"} <= set(SEES["brass"]) <= set(table["metric"])
for damage, sign in SEES["brass"]["d_order"].items():
    assert sign * answers["d_order", damage] >= 0.9, (damage, answers["d_order", damage])
"""
DOCUMENTS = """
from dismai.datasets.settings import DATASET_KINDS
from dismai.metrics.entries import documentation as metrics
from dismai.models import paper_spec
from dismai.pipeline.config import load
from dismai.pipeline.config_docs import documentation, schema
from dismai.report.tables import HEADINGS
assert DATASET_KINDS[-1] == "brass"
assert "## datasets.NAME (kind: brass)" in documentation()
assert "Cells of beta brass" in schema()
assert "| d_order | other | distance of neighbours by element |" in metrics()
assert HEADINGS["brass"] == {"d_order": "d_order", "percent_failed": "failed (%)"}
assert paper_spec("brass").n_atoms == 16
import sys
load(sys.argv[1], "brass.yaml")
"""
RUN = {
    "run": "toy",
    "n_generated": 12,
    "datasets": {"brass": {"kind": "brass", "n_structures": 24}},
    "runs": [{"datasets": ["brass"], "models": [], "seeds": [0]}],
}


@pytest.fixture
def call(tmp_path):
    """Run a command in a folder, with the toy package installed as an editable one is."""
    package = tmp_path / "package"
    shutil.copytree(TOY, package, ignore=shutil.ignore_patterns("__pycache__"))
    build = [sys.executable, "-c", "import setuptools; setuptools.setup()", "egg_info"]
    subprocess.run(build, cwd=package, check=True, capture_output=True)
    work = tmp_path / "work"
    work.mkdir()
    path = f"{package}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"

    def run(*words, code=0):
        result = subprocess.run(
            [sys.executable, *map(str, words)],
            cwd=work,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
        )
        assert result.returncode == code, result.stdout + result.stderr
        return result.stdout + result.stderr

    run.folder = work
    run("-c", DRAW)
    return run


def test_sets_of_an_own_kind_are_scored_ranked_and_have_a_page(call):
    evaluate = ("-m", "dismai.cli", "evaluate")
    for name in ("like", "unlike"):
        given = ("--dataset", "brass", "--reference", "train.extxyz", "--jobs", "1")
        said = call(*evaluate, f"{name}.extxyz", *given, "--out", name)
        assert "d_order" in said
        assert "Brass is scored as it is." in said
    table = read_table(call.folder / "like" / "metrics.parquet").set_index("metric")
    assert {"d_order", "percent_failed", "mmd", "memorisation"} == set(table.index) & {
        *("d_order", "percent_failed", "mmd", "memorisation")
    }
    page = (call.folder / "like" / "report.html").read_text()
    assert "distance of neighbours by element" in page
    assert page.count("<figure>") == 3  # one is of structures
    assert "Neighbours by element: eight in all." in page
    ranked = call("-m", "dismai.cli", "compare", "like", "unlike")
    assert ranked.startswith("brass: d_order")
    assert "brass" in call("-m", "dismai.cli", "datasets")
    said = call(*evaluate, "like.extxyz", "--dataset", "brass", "--reference", "train.extxyz",
                "--relax", "sw", code=2)  # fmt: skip
    assert "found brass; brass is scored as it is" in said


def test_its_metrics_see_what_they_claim(call):
    call("-c", STUDY)


def test_its_settings_and_metrics_are_documented_and_checked(call):
    (call.folder / "brass.yaml").write_text(yaml.safe_dump(RUN))
    call("-c", DOCUMENTS, ROOT / "config" / "config.yaml")
    wrong = {**RUN, "datasets": {"brass": {"kind": "brass", "n_structure": 24}}}
    (call.folder / "brass.yaml").write_text(yaml.safe_dump(wrong))
    said = call("-m", "snakemake", "-n", "--snakefile", ROOT / "Snakefile", "--configfile",
                ROOT / "config" / "config.yaml", "brass.yaml", code=2)  # fmt: skip
    assert "datasets.brass.n_structure: expected one of the keys" in said


def test_the_workflow_builds_and_scores_its_dataset(call):
    (call.folder / "brass.yaml").write_text(yaml.safe_dump(RUN))
    targets = ("results/toy/tables/brass.parquet", "results/toy/tables/ranking.parquet",
               "results/toy/figures/brass/order.svg")  # fmt: skip
    words = command(*targets, directory=call.folder, configs=(TINY, call.folder / "brass.yaml"))
    call(*words[1:])
    table = read_table(call.folder / "results/toy/tables/brass.parquet")
    assert set(table["model"]) == {"held_out", "gaussian_displacement", "ordered"}
    means = table[table["metric"] == "d_order"].set_index("model")["mean"]
    assert means["held_out"] < means["ordered"]
    for name in ("order", "structures", "training"):
        assert (call.folder / f"results/toy/figures/brass/{name}.svg").stat().st_size > 0


def test_a_ready_made_set_of_it_keeps_its_split_and_is_checked(call):
    source = {
        part: {"path": f"{part}.extxyz", "sha256": sha256(call.folder / f"{part}.extxyz")}
        for part in ("train", "val")
    }
    run = {**RUN, "datasets": {"brass": {**RUN["datasets"]["brass"], "source": source}}}
    (call.folder / "brass.yaml").write_text(yaml.safe_dump(run))
    metrics = "results/toy/metrics/brass/held_out/seed0.parquet"
    words = command(metrics, directory=call.folder, configs=(TINY, call.folder / "brass.yaml"))
    call(*words[1:])
    made = call.folder / "results/toy/datasets/brass"
    for part in ("train", "val"):
        given = read_structures(call.folder / f"{part}.extxyz")
        for a, b in zip(read_structures(made / f"{part}.extxyz"), given, strict=True):
            assert a.get_chemical_symbols() == b.get_chemical_symbols()
            assert abs(a.positions - b.positions).max() < 1e-7
    assert not (call.folder / "results/toy/logs/build_brass").exists()
    run["datasets"]["brass"]["n_structures"] = 20
    (call.folder / "brass.yaml").write_text(yaml.safe_dump(run))
    said = call(*words[1:], code=1)
    assert "train.extxyz: expected 10 structures, found 12" in said


def test_the_pages_show_the_toy_as_it_is():
    kind, metric = ((ROOT / "docs" / f"add_a_{name}.md").read_text() for name in ("kind", "metric"))
    assert max(page.count("\n") for page in (kind, metric)) <= 40
    assert all(str(path.relative_to(TOY)) in kind for path in TOY.glob("brass/[a-z]*.*"))
    shown = re.findall("^       +(.*)$", metric, re.M)
    entry = (TOY / "brass" / "kind.py").read_text().split("metrics=(\n")[1].splitlines()
    assert shown[:7] == [line.strip() for line in entry[:7]]
    registered = re.findall("^       (.*)$", kind, re.M)[:2]
    assert "\n".join(registered) in (TOY / "pyproject.toml").read_text()


def test_nothing_of_ours_knows_it():
    ours = [*(ROOT / "src").rglob("*.py"), *(ROOT / "rules").glob("*.smk"), ROOT / "Snakefile"]
    assert not [path for path in ours if "brass" in path.read_text().lower()]
