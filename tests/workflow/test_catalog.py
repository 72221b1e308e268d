"""The conventions of the Snakemake workflow catalog, and what a bare call plans."""

import os
import subprocess
import sys

import yaml

from tests.commands import TINY, planned, snakemake
from tests.conftest import ROOT


def test_a_bare_call_says_how_to_choose_and_plans_nothing(tmp_path):
    said = snakemake("-n", directory=tmp_path, configs=(), check=False)
    assert said.returncode == 2
    assert "dismai: expected --configfile or a target, found neither." in said.stderr
    assert "config/demo.yaml" in said.stderr
    assert "Job stats" not in said.stdout
    assert "Traceback" not in said.stderr


def test_the_smallest_configuration_lies_where_the_catalog_looks(tmp_path):
    config = ROOT / ".test" / "config" / "config.yaml"
    assert os.path.samefile(config, TINY)
    result = subprocess.run(
        [sys.executable, "-m", "snakemake", "-n", "--cores", "2", "--configfile", config]
        + ["--snakefile", ROOT / "Snakefile", "--directory", tmp_path],
        capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert planned(result.stdout)["all"] == 1


def test_the_catalog_is_told_how_the_workflow_is_deployed():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert {"mandatory-flags", "software-stack-deployment", "report"} == set(usage)
    assert usage["software-stack-deployment"]["conda"] is True
    readme = (ROOT / "config" / "README.md").read_text()
    for path in (ROOT / "config").glob("*.yaml"):
        assert f"`{path.name}`" in readme, path.name
