"""Seconds of CHGNet per force call and per relaxed interface, by the number of atoms.

    python benchmarks/interface_relaxation.py [--steps N] [--out FILE.csv]

A full relaxation to 0.05 eV/Å takes hundreds of steps; the start of one is run, and the force
calls of a whole one are counted on the tiny cell with --whole. Times are those of the processor, on
one thread, so that other work on the machine does not count.
"""

import argparse
import time

import pandas as pd
import torch

from dismai.datasets.interface import random_interface
from dismai.potentials import load
from dismai.potentials.relax import relax_one

SMALL = {"lco_layers": 2, "lsc_layers": 3}
TINY = {
    **SMALL,
    "region_formula_units": 1,
    "match": {"max_area_A2": 75, "length_tolerance": 0.15, "angle_tolerance": 0.16},
}
CELLS = {"tiny": TINY, "small": SMALL, "paper": {}}


class Counted:
    """Counts the force calls of a calculator."""

    def __init__(self, calculator):
        self.n_calls = 0
        calculate = calculator.calculate

        def counting(*arguments, **named):
            self.n_calls += 1
            return calculate(*arguments, **named)

        calculator.calculate = counting


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=5, help="steps of each relaxation")
    parser.add_argument("--whole", action="store_true", help="the tiny cell to 0.05 eV/Å, too")
    parser.add_argument("--out", help="also write the table as CSV")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    calculator = load({"kind": "chgnet"})
    counted = Counted(calculator)
    cases = [(name, settings, arguments.steps) for name, settings in CELLS.items()]
    if arguments.whole:
        cases.append(("tiny", TINY, 1000))
    rows = []
    for name, settings, steps in cases:
        atoms = random_interface(0, **settings)
        counted.n_calls, start = 0, time.process_time()
        end = relax_one(atoms, calculator, 0.05, steps)
        seconds = time.process_time() - start
        rows.append(
            {
                "cell": name,
                "n_atoms": len(atoms),
                "steps": end.steps,
                "force_calls": counted.n_calls,
                "cpu_seconds": round(seconds, 2),
                "cpu_seconds_per_call": round(seconds / counted.n_calls, 3),
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
