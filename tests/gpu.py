"""What is asked for a GPU: the profile of clusters, and the rows of docs/cluster.md."""

import re

import yaml

from tests.conftest import ROOT

PROFILE = ROOT / "profiles" / "slurm" / "config.yaml"
ROW = {
    row.split(" | ")[0].strip("| "): row.split(" | ")[1]
    for row in (ROOT / "docs" / "cluster.md").read_text().splitlines()
    if row.startswith("| ") and " | " in row
}
"""Tables of the page on clusters, first column to second."""
SNAKEFILE = """
rule train_model:
    output: "weights"
    resources: gpu=1, mem_mb=100, runtime=1
    shell: "touch {output}"
"""


def documented(row):
    """The YAML that a row of the page gives, as a mapping."""
    (text,) = [
        one for one in re.findall(r"`([^`]+)`", ROW[row]) if re.match(r"gpu_model:|\{slurm", one)
    ]
    return yaml.safe_load(text)
