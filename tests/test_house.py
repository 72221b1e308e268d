"""The plan of the package: few rooms, no circles, nothing too long to read."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "dismai"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGER_FUNCTIONS = {
    "evaluate": "most of it is the list of its options, as typer reads them",
    "sample": "one Monte Carlo protocol, told in its order",
    "_metropolis": "a kernel: numba inlines nothing across a call with this many arrays",
    "weigh_all": "a kernel: the published weights, step by step",
    "run_training": "half of it is the list of what Lightning is told",
}
"""Functions over 60 lines, and why."""


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("dismai", cache_dir=None)


def test_rooms_are_few_and_modules_do_not_lie_about():
    rooms = [path for path in PACKAGE.iterdir() if (path / "__init__.py").exists()]
    flat = [path for path in PACKAGE.glob("*.py") if path.name != "__init__.py"]
    assert len(rooms) <= 16
    assert len(flat) <= 2


def test_no_room_is_in_a_circle_of_imports(graph):
    arrows: dict[str, set[str]] = {}
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            ends = [name.split(".")[1] for name in (importer, imported) if "." in name]
            if len(ends) == 2 and ends[0] != ends[1]:
                arrows.setdefault(ends[0], set()).add(ends[1])
    assert len(arrows) > 10
    TopologicalSorter(arrows).prepare()  # CycleError names the circle


def test_no_module_is_in_a_circle_of_imports(graph):
    arrows = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    TopologicalSorter(arrows).prepare()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_says_what_it_is_for_and_is_not_too_long(path):
    text = path.read_text()
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "a first line that says what the module is for"
    assert text.count("\n") <= 400
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name not in LONGER_FUNCTIONS:
            assert node.end_lineno - node.lineno + 1 <= 60, node.name


@pytest.mark.parametrize("path", sorted((ROOT / "rules").glob("*.smk")), ids=lambda path: path.name)
def test_a_rule_file_is_not_too_long(path):
    assert path.read_text().count("\n") <= 200


@pytest.mark.parametrize(
    "path",
    sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"]),
    ids=lambda path: path.name,
)
def test_prose_is_wrapped_at_100_columns(path):
    """Tables, code, headings and what has no space to break at are left out."""
    code = False
    for number, line in enumerate(path.read_text().split("\n"), start=1):
        if line.strip().startswith("```"):
            code = not code
        elif not (code or re.match(r"\s*[|#!<]|    ", line)) and len(line) > 100:
            assert " " not in line[:100].strip(), f"{path.name}:{number}"


def test_no_test_module_imports_another():
    """What several need lies in tests/makers.py, tests/commands.py or beside them."""
    imports = re.compile(r"^\s*from tests\.((?:\w+\.)*test_\w+) import", re.MULTILINE)
    for path in (ROOT / "tests").rglob("*.py"):
        own = ".".join(path.relative_to(ROOT / "tests").with_suffix("").parts)
        assert set(imports.findall(path.read_text())) <= {own}, path.name  # a process of its own
