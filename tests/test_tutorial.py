"""The tutorial, run as a reader runs it: what it says is printed is printed."""

import re
import shlex

import pytest
from typer.testing import CliRunner

from dismai.cli import app
from tests.conftest import ROOT

BLOCK = re.compile(r"^```(sh|python|text)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks():
    """Blocks of the page in their order: language and text."""
    return BLOCK.findall((ROOT / "docs" / "tutorial.md").read_text())


def words(line):
    return " ".join(line.split())


def check(expected, output):
    """Every line of a block in its order, blanks aside; `...` stands for anything."""
    parts = [words(part) for part in expected.split("...")]
    pattern = r".*".join(re.escape(part).replace(r"\n", " ") for part in parts)
    assert re.search(pattern.strip(), words(output), re.DOTALL), f"{expected}\n---\n{output}"


def test_lines_that_are_left_out_may_be_any_and_others_may_not():
    check("a\n...\nc  d ...", "a\nb\nc d\n")
    with pytest.raises(AssertionError):
        check("a\n...\nc e", "a\nb\nc d\n")


def test_the_tutorial_prints_what_it_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    output, n_checked = "", 0
    for language, text in blocks():
        if language == "text":
            check(text, output)
            output, n_checked = "", n_checked + 1
        elif language == "python":
            exec(compile(text, "tutorial", "exec"), {})
            output += capsys.readouterr().out
        else:
            for line in text.splitlines():
                program, *arguments = shlex.split(line)
                assert program == "dismai"
                result = CliRunner().invoke(app, arguments)
                assert result.exit_code == 0, result.output
                output += result.output
    assert n_checked == sum(language == "text" for language, _ in blocks()) >= 6
    assert (tmp_path / "random" / "report.html").is_file()
