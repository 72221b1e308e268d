"""What a file of structures is: composition, cell, density, distances, coordination."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ase import Atoms
from ase.neighborlist import natural_cutoffs

from dismai.base.card import formula
from dismai.base.errors import StructureError
from dismai.files.structures import read_set
from dismai.geometry.cells import check_cell, check_finite
from dismai.geometry.grid import bonds, check_radius, make_grid
from dismai.metrics.silicon import AMU_PER_A3_IN_G_PER_CM3, BOND_CUTOFF_A, describe_cell

BOND_FACTOR = 1.2
"""Two atoms are bonded within this factor times the sum of their covalent radii."""
MOST_PAIRS = 10_000_000
"""Of neighbours in a structure; beyond it the structure is no solid but a point."""
MOST_BONDS = 100
"""Of an atom whose bond angles are listed: there are as many as its pairs of bonds."""


def describe_file(path: Path, max_structures: int = 100) -> str:
    """Lines that describe the structures of a file.

    Distances and coordination are averaged over at most `max_structures` structures, equally
    spaced in the file. Cells that `evaluate` refuses are named and left out. Raises InputError if
    nothing can be read.
    """
    found = read_set(path)
    frames = found.frames
    good = [frame for frame in frames if isinstance(frame, Atoms)]
    lines = [f"{path}: {len(good)} structures"]
    lines += [f"  {note[0].lower()}{note[1:-1]}" for note in found.notes]
    unreadable = {k: frame for k, frame in enumerate(frames) if isinstance(frame, StructureError)}
    lines += _first_of("unreadable  ", unreadable)
    formulas = Counter(formula(atoms.symbols.formula.count()) for atoms in good)
    for text, count in formulas.most_common(3):
        lines.append(f"  composition   {text}  ({count} structures)")
    if len(formulas) > 3:
        lines.append(f"                and {len(formulas) - 3} other compositions")
    lines += _first_of("not finite  ", _refused(check_finite, frames))
    lines += _first_of("unusual cell", _refused(check_cell, frames))
    sound = [frame for frame in good if _passes(check_finite, frame) and _passes(check_cell, frame)]
    lines += _cells(sound)
    periodic = {"".join("FT"[bool(flag)] for flag in atoms.pbc) for atoms in good}
    lines.append(f"  periodic      {', '.join(sorted(periodic))}")
    step = max(1, len(sound) // max_structures)
    some = sound[::step]
    found_bonds = [_bonds(atoms) for atoms in some]
    lines += _neighbors(found_bonds)
    if sound and all(set(atoms.symbols) == {"Si"} for atoms in sound):
        pairs = zip(some, found_bonds, strict=True)
        lines += _silicon([a for a, own in pairs if own and own.number.max() <= MOST_BONDS])
    return "\n".join(lines)


def _passes(check: Callable[[Atoms], None], atoms: Atoms) -> bool:
    try:
        check(atoms)
    except StructureError:
        return False
    return True


def _refused(
    check: Callable[[Atoms], None], frames: Sequence[Atoms | StructureError]
) -> dict[int, StructureError]:
    """Why a check refuses structures, by their number; each is refused for one reason only."""
    errors = {}
    for number, atoms in enumerate(frames):
        if isinstance(atoms, StructureError) or (
            check is not check_finite and not _passes(check_finite, atoms)
        ):
            continue
        try:
            check(atoms)
        except StructureError as error:
            errors[number] = error
    return errors


def _first_of(heading: str, errors: Mapping[int, StructureError]) -> list[str]:
    if not errors:
        return []
    number, error = next(iter(errors.items()))
    return [f"  {heading}  {len(errors)}, the first: structure {number}: {error}"]


def _cells(structures: list[Atoms]) -> list[str]:
    """Lines on cells and densities."""
    if not structures:
        return []
    edges = np.array([atoms.cell.lengths() for atoms in structures])
    angles = np.array([atoms.cell.angles() for atoms in structures])
    density = [atoms.get_masses().sum() / atoms.get_volume() for atoms in structures]
    number = [len(atoms) / atoms.get_volume() for atoms in structures]
    return [
        f"  cell          {_spread(edges)} Å, {_spread(angles)} degrees",
        f"  density       {AMU_PER_A3_IN_G_PER_CM3 * np.mean(density):.4g} g/cm3, "
        f"{np.mean(number):.4g} atoms/Å3",
    ]


class Bonds(NamedTuple):
    """Shortest bond of a structure, Å, infinite without any, and bonds of every atom, (n,)."""

    shortest: float
    number: np.ndarray


def _bonds(atoms: Atoms) -> Bonds | None:
    """The bonds of a structure; None where it has too many to be a solid."""
    radii = np.array(natural_cutoffs(atoms, mult=BOND_FACTOR))
    most = MOST_PAIRS // len(atoms)
    try:
        grid = make_grid(atoms)
        check_radius(grid, 2 * max(radii), most)
    except StructureError:
        return None
    found = Bonds(*bonds(grid, radii, max(most, MOST_BONDS)))
    return None if found.shortest < 0 else found


def _neighbors(found: list[Bonds | None]) -> list[str]:
    """Lines on the nearest pairs and the coordination of structures."""
    known = [own for own in found if own is not None]
    n_dense = len(found) - len(known)
    dense = [f"  too dense     {n_dense}, for neighbours"] if n_dense else []
    if not known:
        return dense
    nearest = [own.shortest for own in known]
    coordination = Counter(number for own in known for number in own.number.tolist())
    total = sum(coordination.values())
    shares = ", ".join(
        f"{number}: {100 * coordination[number] / total:.1f} %" for number in sorted(coordination)
    )
    return [
        *dense,
        f"  nearest pair  {min(nearest):.3f} Å at least, {np.median(nearest):.3f} Å in the median",
        f"  coordination  {shares}  (bonds within {BOND_FACTOR} x covalent radii)",
    ]


def _silicon(structures: list[Atoms]) -> list[str]:
    """Lines on the network of silicon, means over structures that have a geometry."""
    summaries = []
    for atoms in structures:
        try:
            summaries.append(describe_cell(atoms))
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


def _spread(rows: np.ndarray) -> str:
    low, high = rows.min(axis=0), rows.max(axis=0)
    parts = [
        f"{a:.4g}" if np.isclose(a, b, rtol=1e-4) else f"{a:.4g}..{b:.4g}"
        for a, b in zip(low, high, strict=True)
    ]
    return " x ".join(parts)
