"""The site of the documentation: every page has its place, and the API is read from the source."""

import importlib.util
import inspect
import re
import subprocess

import pytest
import yaml

from dismai.metrics import sets
from tests.conftest import ROOT

MAKE = re.compile(r"\bmake ([a-z][a-z-]*)\b")


@pytest.fixture(scope="module")
def prepare():
    path = ROOT / "docs" / "site" / "prepare.py"
    spec = importlib.util.spec_from_file_location("prepare", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(prepare, tmp_path_factory):
    """The pages as the site takes them."""
    out = tmp_path_factory.mktemp("site") / "source"
    prepare.prepare(out)
    return out


def test_every_page_stands_once_in_the_menu(pages):
    listed = re.findall(r"^[\w/]+$", (pages / "index.md").read_text(), re.MULTILINE)
    found = {str(path.relative_to(pages).with_suffix("")) for path in pages.rglob("*.md")}
    assert sorted(listed) == sorted(found - {"index"})
    headings = re.findall(r":caption: (.+)", (pages / "index.md").read_text())
    assert headings == [
        "Start", "How to", "Understand", "Look up", "Experiments", "Source reference", "Project",
    ]  # fmt: skip


def test_the_first_page_is_plain_markdown_on_a_forge():
    text = (ROOT / "docs" / "index.md").read_text()
    assert "{" not in text
    assert "```" not in text


def test_the_api_has_every_public_function_with_its_signature_and_docstring(pages):
    page = (pages / "api" / "metrics.md").read_text()
    part = page.partition("## dismai.metrics.sets\n")[2].partition("\n## ")[0]
    functions = {
        name
        for name, one in inspect.getmembers(sets, inspect.isfunction)
        if one.__module__ == sets.__name__ and not name.startswith("_")
    }
    assert functions <= set(re.findall(r"^### (\w+)$", part, re.MULTILINE))
    own = part.partition("### coverage\n")[2].partition("### ")[0]
    assert "coverage(" in own
    assert inspect.getdoc(sets.coverage).split("\n")[0] in own


def test_sections_of_docstrings_are_lists(prepare):
    said = prepare.prose(
        "First *line*.\n\n    e = m c^2\n\nArgs:\n    a: what it is,\n        in two lines.\n"
        "    b: `x * y`.\n\nReturns:\n    A number < 1.\n"
    )
    assert said == (
        "First \\*line\\*.\n\n    e = m c^2\n\n*Args*\n\n"
        "- a: what it is, in two lines.\n- b: `x * y`.\n\n*Returns*\n\n- A number \\< 1.\n\n"
    )


def test_make_targets_of_pages_and_of_the_forge_exist():
    targets = subprocess.run(["make", "-qp"], cwd=ROOT, capture_output=True, text=True).stdout
    known = set(re.findall(r"^([a-z][a-z-]*):", targets, re.MULTILINE))
    assert {"install", "docs"} <= known
    texts = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / ".ci" / "run"]
    texts += (ROOT / ".github").rglob("*.yml")
    for path in texts:
        code = "\n".join(re.findall(r"^ *(?:- run: )?make .+|`make [^`]+`", path.read_text(), re.M))
        assert set(MAKE.findall(code)) <= known, path


def test_files_for_the_forge_are_whole():
    forge = ROOT / ".github"
    checks = yaml.safe_load((forge / "workflows" / "ci.yml").read_text())
    runs = [
        step["run"] for job in checks["jobs"].values() for step in job["steps"] if "run" in step
    ]
    own = (ROOT / ".ci" / "run").read_text()
    assert {run.split()[1] for run in runs} <= set(MAKE.findall(own))
    for path in (forge / "ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text())
        if path.name != "config.yml":
            assert {"name", "description", "body"} <= set(form)
            assert all("label" in part["attributes"] for part in form["body"])
