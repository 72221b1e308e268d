"""The example package of the documentation: installed, trained, drawn from and scored."""

import os
import subprocess

import pandas as pd
import pytest

from tests.commands import EXAMPLE, TINY, command, installed_example
from tests.conftest import ROOT

RUN = """
run: tiny
models: {toy: {architecture: toy, params: {width_A: 0.02}}}
runs: [{datasets: [alloy_300K_wide], models: [toy], seeds: [0]}]
"""
METRICS = "results/tiny/metrics/alloy_300K_wide/toy/seed0.parquet"


@pytest.fixture
def installed(tmp_path):
    return installed_example(tmp_path)


def test_the_example_trains_and_is_scored_beside_the_others(installed, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{installed}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    (tmp_path / "mine.yaml").write_text(RUN)
    words = command(METRICS, directory=tmp_path, configs=(TINY, tmp_path / "mine.yaml"))
    result = subprocess.run(words, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    metrics = pd.read_parquet(tmp_path / METRICS)
    assert (metrics["model"] == "toy").all()
    assert metrics["n_accepted"].iloc[0] == metrics["n_generated"].iloc[0]
    folder = tmp_path / "results/tiny/models/alloy_300K_wide/toy/seed0"
    assert "width_A: 0.02" in (folder / "hparams.yaml").read_text()
    history = pd.read_csv(folder / "history.csv")
    assert list(history.columns) == ["step", "mean_square_A2"]


def test_the_documentation_shows_the_example_as_it_is():
    page = (ROOT / "docs" / "bring_your_own.md").read_text()
    for file in ("toy_model.py", "pyproject.toml"):
        text = (EXAMPLE / file).read_text()
        shown = "\n".join(f"    {line}" if line else "" for line in text.splitlines())
        assert shown in page, f"{file} is not shown as it is"
    assert (EXAMPLE / "toy_model.py").read_text().count("\n") < 50
