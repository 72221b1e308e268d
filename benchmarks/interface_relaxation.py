"""Seconds per force call and per relaxed interface, by the number of atoms: CHGNet or an M3GNet.

    python benchmarks/interface_relaxation.py [--cells tiny small paper] [--steps N] [--fmax F]
        [--potential FOLDER | --untrained] [--optimizer NAME] [--out FILE.csv]

A few steps of each cell tell the seconds per call; with `--steps 1000` relaxations run to the end,
and the calls to each force on the way are printed when it is reached. Times are those of the
processor, on one thread, so that other work on the machine does not count.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from ase.calculators.calculator import Calculator

from dismai.datasets.interface import random_interface
from dismai.datasets.interface.settings import INTERFACE_ELEMENTS
from dismai.potentials import load
from dismai.potentials.m3gnet.network import build
from dismai.potentials.m3gnet.network import calculator as calculator_of
from dismai.potentials.m3gnet.settings import M3gnet
from dismai.potentials.relax import relax_structure

SMALL = {"lco_layers": 2, "lsc_layers": 3}
TINY = {
    **SMALL,
    "region_formula_units": 1,
    "match": {"max_area_A2": 75, "length_tolerance": 0.15, "angle_tolerance": 0.16},
}
CELLS = {"tiny": TINY, "small": SMALL, "paper": {}}
MILESTONES_EV_PER_A = (1.0, 0.5, 0.2, 0.15, 0.1, 0.05)


class Watched:
    """Counts the force calls of a calculator, and tells when the forces first are below a mark."""

    def __init__(self, calculator: Calculator, name: str):
        self.name, self.n_calls, self.start = name, 0, time.process_time()
        self.marks = list(MILESTONES_EV_PER_A)
        self.calculator, self.calculate = calculator, calculator.calculate
        calculator.calculate = self._watch

    def _watch(self, *arguments, **named):
        self.calculate(*arguments, **named)
        self.n_calls += 1
        fmax = np.linalg.norm(self.calculator.results["forces"], axis=1).max()
        while self.marks and fmax < self.marks[0]:
            mark = self.marks.pop(0)
            print(f"{self.name}: {self.n_calls} calls to {mark} eV/Å, {self.seconds:.0f} s")

    @property
    def seconds(self) -> float:
        """Of the processor, since the start."""
        return time.process_time() - self.start

    def stop(self) -> None:
        """Gives the calculator back as it was."""
        self.calculator.calculate = self.calculate


def untrained() -> Calculator:
    """An M3GNet of default sizes with random weights: a call takes as long as one of a trained."""
    potential = build(INTERFACE_ELEMENTS, M3gnet(), np.zeros(len(INTERFACE_ELEMENTS)), 1.0, seed=0)
    return calculator_of(potential)


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=list(CELLS))
    parser.add_argument("--steps", type=int, default=5, help="most steps of each relaxation")
    parser.add_argument("--fmax", type=float, default=0.05, help="eV/Å")
    parser.add_argument("--potential", type=Path, help="folder of an M3GNet; CHGNet by default")
    parser.add_argument(
        "--untrained", action="store_true", help="an M3GNet of default sizes, for its time only"
    )
    parser.add_argument("--optimizer", default="scipy_cg", choices=["scipy_cg", "fire", "lbfgs"])
    parser.add_argument("--seed", type=int, default=0, help="of the random interface")
    parser.add_argument("--out", help="also write the table as CSV")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    entry = {"kind": "chgnet"}
    if arguments.untrained:
        entry = {"kind": "m3gnet"}
    elif arguments.potential:
        entry = {"kind": "m3gnet", "folder": str(arguments.potential)}
    calculator = untrained() if arguments.untrained else load(entry)
    rows = []
    for name in arguments.cells:
        atoms = random_interface(arguments.seed, **CELLS[name])
        watched = Watched(calculator, f"{entry['kind']}, {len(atoms)} atoms")
        end = relax_structure(
            atoms, calculator, arguments.fmax, arguments.steps, arguments.optimizer
        )
        seconds = watched.seconds
        watched.stop()
        rows.append(
            {
                "potential": entry["kind"],
                "n_atoms": len(atoms),
                "optimizer": arguments.optimizer,
                "steps": end.steps,
                "force_calls": watched.n_calls,
                "cpu_seconds": round(seconds, 2),
                "cpu_seconds_per_call": round(seconds / watched.n_calls, 4),
                "fmax_eV_per_A": round(end.fmax_eV_per_A, 3),
                "status": end.status,
            }
        )
    table = pd.DataFrame(rows)
    print(table.to_string(index=False))
    if arguments.out:
        table.to_csv(arguments.out, index=False)


if __name__ == "__main__":
    main()
