"""What each metric sees in interfaces of 264 atoms: the degradation study before any relaxation.

    python benchmarks/interface_degradation.py OUT [--train 150] [--damaged 40]

Random interfaces of the published geometry, as they were put together: `snakemake
study_degradation` does the same on a built dataset, whose relaxation takes a cluster.
"""

import argparse
import time
from pathlib import Path

from interface_learning import SEED, card

from dismai.datasets.interface.build import random_interfaces
from dismai.datasets.interface.settings import InterfaceGeometry
from dismai.datasets.options import Options
from dismai.evaluation.degradation import responses, sensitivity
from dismai.report.degradation import plot_sensitivity
from dismai.report.figures import save_figure

SIGNS = {True: {True: "+", False: "−"}, False: {True: "·", False: "·"}}


def main() -> None:
    """Run the study, print its table of signs, write table and figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--train", type=int, default=150, help="training structures")
    parser.add_argument("--damaged", type=int, default=40, help="structures that are damaged")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    geometry = InterfaceGeometry()
    n = args.train + 2 * args.damaged  # the other held-out half is what memorisation compares with
    structures = random_interfaces(geometry, n, SEED, "degradation", "interface")
    spec = card(structures, args.train)
    start = time.process_time()
    table = responses(structures[: args.train], structures[args.train :], spec, Options(), SEED)
    print(f"{len(table)} values in {time.process_time() - start:.0f} s of processor time")
    answers = sensitivity(table)
    answers["sign"] = [SIGNS[row.sees][row.spearman > 0] for row in answers.itertuples()]
    signs = answers.pivot(index="metric", columns="damage", values="sign")
    order = (answers["metric"].unique(), answers["damage"].unique())
    print(signs.reindex(index=order[0], columns=order[1]).to_markdown())
    table.to_csv(args.out / "responses.csv", index=False)
    answers.to_csv(args.out / "sensitivity.csv", index=False)
    save_figure(plot_sensitivity({"interface": answers}), args.out / "degradation.svg")


if __name__ == "__main__":
    main()
