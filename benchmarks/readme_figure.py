"""Draw the figure of the README from the results of `make demo`: short-range order of one alloy.

python benchmarks/readme_figure.py results/demo docs/figures/sro.png
"""

import sys
from pathlib import Path

from dismai.files.structures import read_table
from dismai.report.figures import plot_sro, save_figure
from dismai.report.run_files import RunFiles

DATASET = "alloy_300K_narrow"


def main(folder: str, out: str) -> None:
    """Draw the sets of a folder of results into a file."""
    run = RunFiles(Path(folder))
    reference = read_table(run.folder / "datasets" / DATASET / "features.parquet")
    sets = {
        one.model: read_table(one.folder / "features.parquet")
        for one in run.sets
        if (one.dataset, one.seed) == (DATASET, 0)
    }
    save_figure(plot_sro(reference, sets, run.models), Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
