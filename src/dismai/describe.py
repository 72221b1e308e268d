"""What a file of structures is: composition, cell, density, distances, coordination."""

from collections import Counter
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.neighborlist import natural_cutoffs, neighbor_list

from dismai.errors import StructureError
from dismai.io import read_frames
from dismai.metrics.silicon import AMU_PER_A3_IN_G_PER_CM3, BOND_CUTOFF_A, summarize

BOND_FACTOR = 1.2
"""Two atoms are bonded within this factor times the sum of their covalent radii."""


def describe_file(path: Path, max_structures: int = 100) -> str:
    """Lines that describe the structures of a file.

    Distances and coordination are averaged over at most `max_structures` structures, equally
    spaced in the file. Raises InputError if nothing can be read.
    """
    frames = read_frames(path)
    good = [frame for frame in frames if not isinstance(frame, StructureError)]
    lines = [f"{path}: {len(good)} structures"]
    if len(good) < len(frames):
        first = next(frame for frame in frames if isinstance(frame, StructureError))
        lines.append(f"  unreadable    {len(frames) - len(good)}, the first: {first}")
    formulas = Counter(_formula(atoms) for atoms in good)
    for formula, count in formulas.most_common(3):
        lines.append(f"  composition   {formula}  ({count} structures)")
    if len(formulas) > 3:
        lines.append(f"                and {len(formulas) - 3} other compositions")
    edges = np.array([atoms.cell.lengths() for atoms in good])
    angles = np.array([atoms.cell.angles() for atoms in good])
    lines.append(f"  cell          {_spread(edges)} Å, {_spread(angles)} degrees")
    periodic = {"".join("FT"[bool(flag)] for flag in atoms.pbc) for atoms in good}
    lines.append(f"  periodic      {', '.join(sorted(periodic))}")
    solid = [atoms for atoms in good if abs(np.linalg.det(atoms.cell.array)) > 1e-6]
    if solid:
        density = [atoms.get_masses().sum() / atoms.get_volume() for atoms in solid]
        number = [len(atoms) / atoms.get_volume() for atoms in solid]
        lines.append(
            f"  density       {AMU_PER_A3_IN_G_PER_CM3 * np.mean(density):.4g} g/cm3, "
            f"{np.mean(number):.4g} atoms/Å3"
        )
    step = max(1, len(solid) // max_structures)
    lines += _neighbors(solid[::step])
    if solid and all(set(atoms.symbols) == {"Si"} for atoms in good):
        lines += _silicon(solid[::step])
    return "\n".join(lines)


def _neighbors(structures: list[Atoms]) -> list[str]:
    nearest, coordination = [], Counter()
    for atoms in structures:
        if not np.isfinite(atoms.positions).all():
            continue
        cutoffs = natural_cutoffs(atoms, mult=BOND_FACTOR)
        i, d = neighbor_list("id", atoms, cutoffs)
        nearest.append(d.min() if len(d) else np.inf)
        coordination.update(np.bincount(i, minlength=len(atoms)).tolist())
    if not nearest:
        return []
    total = sum(coordination.values())
    shares = ", ".join(
        f"{number}: {100 * coordination[number] / total:.1f} %" for number in sorted(coordination)
    )
    return [
        f"  nearest pair  {min(nearest):.3f} Å at least, {np.median(nearest):.3f} Å in the median",
        f"  coordination  {shares}  (bonds within {BOND_FACTOR} x covalent radii)",
    ]


def _silicon(structures: list[Atoms]) -> list[str]:
    """Lines on the network of silicon, means over structures that have a geometry."""
    summaries = []
    for atoms in structures:
        try:
            summaries.append(summarize(atoms))
        except StructureError:
            continue
    if not summaries:
        return []

    def mean(name: str) -> float:
        return float(np.mean([getattr(summary, name) for summary in summaries]))

    return [
        f"  silicon       {mean('four_fold_percent'):.2f} % four-fold within {BOND_CUTOFF_A} Å, "
        f"bond {mean('bond_A'):.3f} +- {mean('bond_spread_A'):.3f} Å",
        f"  bond angle    {mean('angle_degrees'):.2f} degrees in the mean, "
        f"spread {mean('angle_spread_degrees'):.1f} degrees",
        f"  first peak    of g(r) at {mean('first_peak_A'):.2f} Å",
    ]


def _formula(atoms: Atoms) -> str:
    counts = Counter(atoms.get_chemical_symbols())
    return " ".join(f"{symbol}{count}" for symbol, count in sorted(counts.items()))


def _spread(rows: np.ndarray) -> str:
    low, high = rows.min(axis=0), rows.max(axis=0)
    parts = [
        f"{a:.4g}" if np.isclose(a, b, rtol=1e-4) else f"{a:.4g}..{b:.4g}"
        for a, b in zip(low, high, strict=True)
    ]
    return " x ".join(parts)
