"""Entries of Snakemake's report: each result has a row of its own."""

import ast
import re
import subprocess
from pathlib import Path

import yaml

from tests.commands import TINY, command

ROOT = Path(__file__).parents[2]
RULE = re.compile(r"^(?:use rule \w+ as|rule) ", re.MULTILINE)


def declared():
    """Rule, constraint of its wildcards, category and labels of every `report(...)`."""
    entries = []
    for path in [ROOT / "Snakefile", *sorted(ROOT.rglob("rules/*.smk"))]:
        for block in RULE.split(path.read_text())[1:]:
            constraints = dict(
                re.findall(r"^        (\w+)=(.*(?:alternatives|join).*),$", block, re.M)
            )
            for call in re.findall(r"report\((.*?)\n        \)", block, flags=re.DOTALL):
                arguments = {k.arg: k.value for k in ast.parse(f"f({call})").body[0].value.keywords}
                assert {"category", "labels"} <= set(arguments), block.split(":")[0]
                labels = ast.literal_eval(arguments["labels"])
                known = {
                    key: constraints.get(key, key)
                    for key in ("dataset", "model", "potential", "table")
                }
                shown = {name: text.format(**known) for name, text in labels.items()}
                entries.append((arguments["category"].value, tuple(sorted(shown.items()))))
    return entries


def test_no_two_results_of_a_category_share_their_labels():
    entries = declared()
    assert len(entries) > 20
    assert len(set(entries)) == len(entries)


def test_the_categories_are_numbered_through():
    numbers = sorted({category for category, _ in declared()})
    assert [int(name.split()[0]) for name in numbers] == list(range(1, len(numbers) + 1))


def test_all_labels_of_a_category_have_the_same_columns():
    columns = {}
    for category, labels in declared():
        columns.setdefault(category, set()).add(tuple(name for name, _ in labels))
    assert all(len(found) == 1 for found in columns.values()), columns


def test_the_first_run_of_every_model_is_pictured(tmp_path):
    models = ["mine", "cryingan"]
    overlay = tmp_path / "mine.yaml"
    overlay.write_text(
        yaml.safe_dump(
            {
                "models": {"mine": {"kind": "file", "path": str(overlay)}},
                "runs": [{"datasets": ["alloy_300K_wide"], "models": models, "seeds": [0, 1]}],
            }
        )
    )
    *words, _, _ = command("all", "-n", directory=tmp_path, configs=(TINY, overlay))
    plan = subprocess.run(words, capture_output=True, text=True).stdout  # told without a profile
    job = plan[plan.index("rule plot_alloy:") :].split("output:")[0]
    pictured = re.findall(r"generated/alloy_300K_wide/(\w+)/seed(\d)/clean.extxyz", job)
    assert pictured == [(model, "0") for model in models]
