"""The Python of the docs: the reference is that of the code, notebooks and snippets run."""

import json
import re
import subprocess
import sys

import pytest

from dismai.pipeline.api_docs import PUBLIC, documented
from tests.conftest import ROOT
from tests.makers import diamonds

CRYSTALNN = ROOT / "docs" / "crystalnn.md"
PAGE = ROOT / "docs" / "python.md"
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


def test_the_reference_is_that_of_the_code():
    text = PAGE.read_text()
    assert documented(text) == text, "make schema"
    headings = re.findall(r"^### (\S+)$", text, re.MULTILINE)
    assert headings == [f"{module}.{name}" for module, names in PUBLIC.items() for name in names]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_holds_no_output(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cells = json.loads(path.read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert len(code) >= 3
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    names: dict = {}
    for cell in code:
        exec(compile("".join(cell["source"]), path.name, "exec"), names)
    if path.stem == "score_structures":
        of_right, of_wrong = (
            names[name].table.loc["d_cluster", "value"] for name in ("right", "wrong")
        )
        assert of_right < 0.5 * of_wrong
    else:
        assert 2.4 < names["features"].cutoff_A_ < 3.5
        assert names["places"].shape == (12, 2)


def test_the_snippets_of_the_page_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"structures": diamonds(4)}
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(block, names)
    assert (tmp_path / "scored" / "report.html").exists()
    assert names["places"].shape == (4, 2)


def test_the_drop_in_runs_as_its_page_says_and_imports_little():
    (block,) = re.findall(r"^```python\n(.*?)^```", CRYSTALNN.read_text(), re.MULTILINE | re.DOTALL)
    names: dict = {}
    exec(block, names)
    assert len(names["index"]) == 6
    code = (
        "import sys; from dismai.metrics import crystalnn; "
        "print({'pandas', 'sklearn', 'pymatgen', 'pydantic', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
