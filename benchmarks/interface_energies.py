"""The spread of interface energies of random interfaces, and what each rule of the zero keeps.

    python benchmarks/interface_energies.py --state FOLDER [--n 40] [--minutes 3] [--cell paper]
        [--potential FOLDER] [--fmax F] [--optimizer NAME] [--out FILE.csv]
    python benchmarks/interface_energies.py --shipped

Interfaces are relaxed one after another until all are done or the time is up. Finished ones stay
in the folder of the state, so that the next call goes on behind them: many short calls make one
distribution. By it one sees what a zero above the lowest structure would keep (docs/datasets.md).
Nothing is relaxed for the set that ships: it holds the energies of the lowest of its pool.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

from dismai.datasets.interface import random_interface
from dismai.evaluation.reference import load_shipped
from dismai.metrics.clusters import published_expansion
from dismai.metrics.interface import (
    fitted_reference_energy,
    interface_area,
    interface_energy,
    reference_energy_of_share,
)
from dismai.potentials import check_entry
from dismai.potentials.resumable import Relaxer
from dismai.potentials.settings import RelaxationSettings

SMALL = {"lco_layers": 2, "lsc_layers": 3}
TINY = {
    **SMALL,
    "region_formula_units": 1,
    "match": {"max_area_A2": 75, "length_tolerance": 0.15, "angle_tolerance": 0.16},
}
CELLS = {"tiny": TINY, "small": SMALL, "paper": {}}
SHARE, WINDOW_J_PER_M2 = 0.48, 0.4


def relaxed(arguments: argparse.Namespace) -> tuple[pd.DataFrame, int, float]:
    """One row a structure that reached its minimum; atoms of each; area of the cell, Å^2."""
    entry = {"kind": "chgnet"}
    if arguments.potential:
        entry = {"kind": "m3gnet", "folder": str(arguments.potential)}
    settings = RelaxationSettings(
        optimizer=arguments.optimizer, fmax_eV_per_A=arguments.fmax, max_steps=1000
    )
    relaxer = Relaxer(check_entry(entry), settings, arguments.state)
    start, rows = time.monotonic(), []
    try:
        for seed in range(arguments.n):
            if rows and time.monotonic() - start > 60 * arguments.minutes:
                print(f"time is up after {seed} of {arguments.n}; call again to go on")
                break
            atoms = random_interface(seed, **CELLS[arguments.cell])
            end = relaxer.relax(atoms)
            rows.append(
                {
                    "seed": seed,
                    "status": end.status,
                    "steps": end.steps,
                    "energy_eV_per_atom": end.energy_eV / len(atoms),
                }
            )
    finally:
        relaxer.close()
    return pd.DataFrame(rows), len(atoms), interface_area(atoms)


def shipped() -> tuple[np.ndarray, int, float, int]:
    """Energies per atom, eV, of the set that ships; atoms; area, Å^2; minima that it is from."""
    reference = load_shipped("interface", published_expansion())
    both = pd.concat([reference.train, reference.held_out])
    told = reference.spec.statistics
    area = float(np.linalg.norm(np.cross(*reference.spec.cell[:2])))
    pool = told["n_tried"] - told["n_not_relaxed"]
    return both["energy_eV_per_atom"].to_numpy(), reference.spec.n_atoms, area, pool


def summary(energy: np.ndarray, n_atoms: int, area: float, pool: int) -> list[str]:
    """What the minima say: energies per atom, eV, (n_structures,); area in Å^2.

    Those of a pool that are not among them lie above them all.
    """
    energy = np.append(np.sort(energy), np.full(pool - len(energy), np.inf))
    shared, without = (reference_energy_of_share(energy[k:], SHARE) for k in (0, 1))
    gamma = interface_energy(n_atoms * energy, n_atoms, area, shared)
    known = gamma[np.isfinite(gamma)]
    kept = []
    for k in (0, 1):
        above = fitted_reference_energy(energy[k:], n_atoms, area, WINDOW_J_PER_M2)
        kept.append(100 * np.mean(energy[k:] <= above))
    unit = interface_energy(n_atoms, n_atoms, area, 0.0)
    return [
        f"{len(known)} of {pool} minima of {n_atoms} atoms, {unit:.1f} J/m² per eV/atom",
        f"standard deviation {known.std():.3f} J/m², from {known[0]:.3f} to {known[-1]:.3f}",
        f"the lowest lies {gamma[1] - gamma[0]:.3f} J/m² below the next, "
        f"{np.median(gamma) - gamma[0]:.3f} below the median",
        f"zero above {SHARE:.0%}: {shared:.6f} eV/atom; without the lowest structure it moves by "
        f"{unit * (without - shared):.3f} J/m²",
        f"zero {WINDOW_J_PER_M2} J/m² above the lowest: {kept[0]:.0f} % lie below; without the "
        f"lowest structure {kept[1]:.0f} %",
    ]


def main() -> None:
    """Relax what the time allows, print table and summary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shipped", action="store_true", help="the set that ships")
    parser.add_argument("--state", type=Path, help="where finished ones are kept")
    parser.add_argument("--n", type=int, default=40, help="random interfaces")
    parser.add_argument("--minutes", type=float, default=3.0, help="no new one starts after them")
    parser.add_argument("--cell", choices=CELLS, default="paper")
    parser.add_argument("--potential", type=Path, help="folder of an M3GNet; CHGNet by default")
    parser.add_argument("--fmax", type=float, default=0.05, help="eV/Å")
    parser.add_argument("--optimizer", default="lbfgs", choices=["scipy_cg", "fire", "lbfgs"])
    parser.add_argument("--out", help="also write the table as CSV")
    arguments = parser.parse_args()
    if arguments.shipped:
        print("\n".join(summary(*shipped())))
        return
    if arguments.state is None:
        parser.error("expected --state or --shipped")
    table, n_atoms, area = relaxed(arguments)
    print(table.to_string(index=False))
    energy = table.loc[table["status"] == "ok", "energy_eV_per_atom"].to_numpy()
    if len(energy) > 1:
        print("\n".join(summary(energy, n_atoms, area, len(energy))))
    if arguments.out:
        table.to_csv(arguments.out, index=False)


if __name__ == "__main__":
    main()
