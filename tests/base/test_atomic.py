"""Files are whole or not there: the writer, and that every writer of the project is this one."""

import ast
import os

import pytest

from dismai.base.atomic import replacing, write_atomically
from dismai.base.errors import InputError
from tests.conftest import ROOT

WRITERS = {"write_text", "write_bytes", "to_csv", "to_parquet", "savez", "savez_compressed"}
TEMPORARY = {"temporary", "stream", "copy"}
"""Names, in this project, of paths and streams that are moved into place or thrown away."""
DOCUMENTS = {"metrics/entries.py", "pipeline/api_docs.py", "pipeline/config_docs.py"}
"""Write pages of the source tree, not results."""


@pytest.mark.parametrize("content", ["Å\n", b"\x00\xff"])
def test_a_file_is_written_as_it_is_and_nothing_else(tmp_path, content):
    path = tmp_path / "new" / "file.txt"
    for _ in range(2):
        write_atomically(path, content)
        assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("kind", ["folder", "pipe", "link to a pipe"])
def test_a_folder_or_a_pipe_is_no_place_of_a_file(tmp_path, kind):
    place = tmp_path / "there"
    place.mkdir() if kind == "folder" else os.mkfifo(place)
    if kind.startswith("link"):
        place = tmp_path / "link"
        place.symlink_to("there")
    with pytest.raises(InputError, match=f"{place.name}: expected a file or none yet, found a "):
        write_atomically(place, "text")
    assert place.is_dir() or place.is_fifo()


def test_a_writer_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "file.svg"
    path.write_text("old")

    def write():
        with replacing(path) as temporary:
            assert temporary.suffix == ".svg"
            temporary.write_text("half")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def modules():
    package = ROOT / "src" / "dismai"
    own = [
        path for path in package.rglob("*.py") if str(path.relative_to(package)) not in DOCUMENTS
    ]
    return [*own, *(ROOT / "workflow" / "scripts").glob("*.py")]


def direct_writes(path):
    """Calls that may write a final path; without one, `to_csv` gives a text."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in WRITERS:
            by_path = node.func.attr.startswith("write_")
            target = [node.func.value] if by_path else node.args[:1]
            if target and ast.unparse(target[0]) not in TEMPORARY:
                yield f"{path.name}:{node.lineno}: {ast.unparse(node)[:60]}"


def test_every_writer_of_results_is_the_atomic_one():
    assert [call for path in modules() for call in direct_writes(path)] == []


def test_no_module_looks_for_a_folder_above_an_output():
    found = [
        f"{path.name}: {line.strip()}"
        for path in modules()
        for line in path.read_text().splitlines()
        if ".parents[" in line and "__file__" not in line
    ]
    assert found == []
