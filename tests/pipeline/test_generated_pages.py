"""The commands that write the generated pages: wrong words are one line, and no file."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["dismai.pipeline.config_docs", "dismai.metrics.entries"])
@pytest.mark.parametrize("words", [["--help"], [], ["page.md", "schema.json"]])
def test_wrong_arguments_of_a_generator_are_one_line_and_write_nothing(module, words, tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", module, *words], cwd=tmp_path, capture_output=True, text=True
    )
    assert result.returncode == 1
    assert result.stderr.startswith(f"usage: python -m {module} ")
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
