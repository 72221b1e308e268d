"""Relax blocks of the large cell in a fitted GAP, beside the potential of its labels.

    python benchmarks/silicon_gap.py results/paper/potentials/gap_si/train90/gap.xml

Twenty unrelaxed blocks of 64 atoms, atoms that are too close moved apart to 1.5 Å as in generated
structures, to 0.05 eV/Å in both potentials.
"""

import argparse
from pathlib import Path

import pandas as pd

from dismai.base.resources import resource
from dismai.datasets.amorphous_si.blocks import slice_blocks
from dismai.datasets.amorphous_si.build import four_fold
from dismai.datasets.amorphous_si.bulk import read_bulk
from dismai.postprocess import move_apart
from dismai.potentials import load
from dismai.potentials.relax import relax


def main() -> None:
    """Print how many blocks each potential relaxes, and where they end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("potential", type=Path, help="XML file of the GAP")
    parser.add_argument("--n-blocks", type=int, default=20)
    arguments = parser.parse_args()
    large = read_bulk(resource("asi_100k.npz"))
    cuts = slice_blocks(large, 64, arguments.n_blocks, seed=1)
    blocks = [move_apart(atoms)[0] for atoms in cuts]
    labels = load({"kind": "sw"})
    rows = []
    for entry in ({"kind": "gap", "file": str(arguments.potential)}, {"kind": "sw"}):
        relaxed, table = relax(blocks, load(entry, ["Si"]))
        ok = table["status"] == "ok"
        again = [labels.get_potential_energy(atoms) / 64 for atoms in relaxed]
        rows.append(
            {
                "potential": entry["kind"],
                "relaxed": f"{ok.sum()} of {len(ok)}",
                "largest_force_eV_per_A": table["fmax_eV_per_A"].max(),
                "steps": table["steps"].mean(),
                "four_fold_percent": sum(map(four_fold, relaxed)) / len(relaxed),
                "energy_eV_per_atom": table["energy_eV"].mean() / 64,
                "in_the_labels": sum(again) / len(again),
            }
        )
    print(pd.DataFrame(rows).to_string(index=False, float_format="%.4g"))


if __name__ == "__main__":
    main()
