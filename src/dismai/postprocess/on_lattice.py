"""Keeping the atoms of a generated alloy that sit on lattice sites (three published variants).

`none` compares with the lattice as it is, `translate` shifts the lattice onto the atoms, `rotate`
finds the crystal's own axes first; shift and axes are those of all atoms, not, as published, of
one, whose displacement all sites would share. A generated cell of other size is rescaled into the
ideal box through fractional coordinates.
"""

from itertools import product
from typing import Literal

import numpy as np
from ase import Atoms

from dismai.base.card import FccLattice
from dismai.base.errors import InputError, StructureError
from dismai.base.kernels import njit
from dismai.geometry.axes import (
    MATCH_RADIUS_A,
    box_positions,
    crystal_axes,
    fitted_axes,
    nearest_within,
    upright,
)
from dismai.geometry.cluster_expansion import SPECIES
from dismai.geometry.fcc import fractional_sites
from dismai.geometry.lattice_fit import fit_lattice

Alignment = Literal["none", "translate", "rotate"]
ANCHOR_RADIUS_A = 5.0
ANCHOR_FRACTION = 1e-6
REMOVED_SHARE = 50 / 256
"""A structure with more than floor(50/256 n_sites) atoms off the lattice is rejected."""
EDGE_TOLERANCE = 0.05
ANGLE_TOLERANCE_DEGREES = 5.0


def max_removed(n_sites: int) -> int:
    """Largest number of removed atoms of an accepted structure: 50 of 256, 6 of 32."""
    return int(np.floor(REMOVED_SHARE * n_sites))


def check_cell(atoms: Atoms, lattice: FccLattice) -> None:
    """StructureError if an edge is off by more than 5 % or an angle by more than 5 degrees."""
    edges = np.abs(atoms.cell.lengths() / lattice.box - 1)
    if not edges.max() <= EDGE_TOLERANCE:
        raise StructureError(
            f"cell: expected edges within 5 % of {_row(lattice.box)} Å, "
            f"found {_row(atoms.cell.lengths())}"
        )
    if not np.abs(atoms.cell.angles() - 90).max() <= ANGLE_TOLERANCE_DEGREES:
        raise StructureError(
            f"cell: expected angles within 5 degrees of 90, found {_row(atoms.cell.angles())}"
        )


def on_axes(atoms: Atoms, lattice: FccLattice) -> Atoms:
    """The structure in the cell, of all that hold the same crystal, that is the lattice's box.

    StructureError if none is, to 5 % and 5 degrees.
    """
    atoms = upright(atoms)
    lengths = atoms.cell.lengths()
    if not _fits(atoms, lattice):  # edges in another order
        order = np.empty(3, dtype=int)
        order[np.argsort(lattice.box, kind="stable")] = np.argsort(lengths, kind="stable")
        permuted = atoms.copy()
        permuted.set_cell(atoms.cell.array[order])
        atoms = permuted if _fits(permuted, lattice) else atoms
    check_cell(atoms, lattice)
    return atoms


def _fits(atoms: Atoms, lattice: FccLattice) -> bool:
    return bool(np.abs(atoms.cell.lengths() / lattice.box - 1).max() <= EDGE_TOLERANCE)


def _row(values: np.ndarray) -> str:
    return " ".join(f"{value:.4g}" for value in values)


@njit(cache=True)
def _match_sites(positions, sites, box, radius):
    """Atom closest to each site within the radius, or -1, (n_sites,)."""
    matches = np.empty(len(sites), np.int64)
    for k in range(len(sites)):
        matches[k] = nearest_within(sites[k], positions, box, radius)
    return matches


def _match_rigid(positions, sites, box, radius):
    """Sites that found an atom, at their ideal positions, and the atoms they found."""
    matches = _match_sites(positions, sites, box, radius)
    found = matches >= 0
    return sites[found], matches[found]


def _translated_sites(positions, lattice):
    """All sites, shifted onto the atoms: as all of them say, else the one nearest the origin."""
    box = lattice.box
    fit = fit_lattice(positions, box, lattice.a_A, turned=False)
    if fit is not None:
        return fit.positions(fit.all_sites()) % box
    anchor = nearest_within(ANCHOR_FRACTION * box, positions, box, ANCHOR_RADIUS_A)
    if anchor < 0:
        raise StructureError(f"expected an atom within {ANCHOR_RADIUS_A} Å of the origin")
    shift = positions[anchor] / box - ANCHOR_FRACTION
    return ((fractional_sites(lattice.supercell) + shift) % 1.0) * box


def _turned_lattice(positions, lattice):
    """Sites and axes of a crystal in any orientation, from all its atoms.

    A crystal that does not fit into its box has axes of its own, found as published from one atom
    and then fitted to all, and is cut off at the faces.
    """
    fit = fit_lattice(positions, lattice.box, lattice.a_A)
    if fit is not None:
        return fit.positions(fit.all_sites()) % lattice.box, fit.axes()
    axes, pivot = crystal_axes(positions, lattice.box, lattice.a_A)
    axes = fitted_axes(positions, lattice.box, axes, lattice.a_A)
    return _rotated_sites(positions, lattice, axes, pivot), axes


def _rotated_sites(positions, lattice, axes, pivot):
    """Sites of the rotated, shifted lattice inside the box, Å; their number need not be n_sites."""
    box = lattice.box
    ideal = fractional_sites(lattice.supercell)
    repeats = np.array(list(product((-1, 0, 1), repeat=3)))
    # Centred on a lattice site: the rotation leaves that site in place.
    points = (ideal[None] + repeats[:, None]).reshape(-1, 3)
    centre = np.array([n // 2 for n in lattice.supercell]) / np.array(lattice.supercell)
    centred = (points - centre) * box @ axes / box
    # Half-open box; the slack keeps faces on one side in spite of rounding.
    inside = np.all((centred > -0.5 + 1e-9) & (centred <= 0.5 + 1e-9), axis=1)
    sites = ((centred[inside] + 0.5) % 1.0) * box
    nearest = nearest_within(positions[pivot], sites, box, ANCHOR_RADIUS_A)
    if nearest < 0:
        raise StructureError(f"expected a lattice site within {ANCHOR_RADIUS_A} Å of the pivot")
    sites = sites + positions[pivot] - sites[nearest]
    # The pivot itself may be displaced: the mean of all atoms near a site settles the shift.
    away = positions[:, None] - sites[None]
    away -= box * np.rint(away / box)
    closest = (away**2).sum(axis=-1).argmin(axis=1)
    away = away[np.arange(len(away)), closest]
    away = away[(away**2).sum(axis=1) <= MATCH_RADIUS_A**2]
    return (sites + away.mean(axis=0)) % box


@njit(cache=True)
def _grow_kept(positions, sites, box, axes, spacing, radius):
    """Indices of kept atoms, in the order in which they are kept."""
    n = len(positions)
    kept = np.empty(n, np.int64)
    where = np.empty((n, 3))
    n_kept = 0
    pending = np.empty(n, np.int64)
    n_pending = 0
    for i in range(n):
        if nearest_within(positions[i], sites, box, radius) < 0:
            pending[n_pending] = i
            n_pending += 1
        elif nearest_within(positions[i], where[:n_kept], box, radius) < 0:
            kept[n_kept] = i
            where[n_kept] = positions[i]
            n_kept += 1
    # Rescue lattices of slightly smaller spacing: an atom one lattice step from a kept one.
    grew = True
    while grew:
        grew = False
        for k in range(n_pending - 1, -1, -1):
            i = pending[k]
            if i < 0:
                continue
            if nearest_within(positions[i], where[:n_kept], box, radius) >= 0:
                pending[k] = -1
                continue
            for direction in range(6):
                step = spacing * axes[direction // 2]
                if direction % 2:
                    step = -step
                if nearest_within(positions[i] + step, where[:n_kept], box, radius) >= 0:
                    kept[n_kept] = i
                    where[n_kept] = positions[i]
                    n_kept += 1
                    pending[k] = -1
                    grew = True
                    break
    return kept[:n_kept]


def keep_on_lattice(
    atoms: Atoms,
    reference: FccLattice | Atoms,
    align: Alignment = "none",
    radius: float = MATCH_RADIUS_A,
    reject: bool = True,
) -> tuple[Atoms, int, str]:
    """Keep one atom per lattice site; remove the others.

    Args:
        atoms: a generated structure.
        reference: the ideal lattice, or a perfect crystal of it.
        align: `none` and `translate` keep the atom closest to each site and put it there;
            `rotate` keeps the first atom in the file near each site, where it is.
        radius: largest distance of an atom from its site, Å.
        reject: apply the rule that more than floor(50/256 n_sites) removed atoms fail.

    Returns:
        The kept atoms in the ideal box, sorted Cr, Fe, Ni; n_removed = n_sites - kept; and
        "ok" or why the structure fails. With `none` and `translate`, n_removed counts vacancies.
    """
    lattice = reference if isinstance(reference, FccLattice) else lattice_of(reference)
    box = lattice.box
    n_sites = lattice.n_sites
    try:
        atoms = on_axes(atoms, lattice)
        if not np.isfinite(atoms.positions).all():
            raise StructureError("expected finite coordinates, found NaN or infinity")
        positions = box_positions(atoms, box)
        if align == "rotate":
            sites, axes = _turned_lattice(positions, lattice)
            kept = _grow_kept(positions, sites, box, axes, lattice.a_A, radius)
            new_positions = positions[kept]
        else:
            if align == "none":
                sites = fractional_sites(lattice.supercell) * box
            else:
                sites = _translated_sites(positions, lattice)
            new_positions, kept = _match_rigid(positions, sites, box, radius)
        if len(kept) == 0:
            raise StructureError("expected atoms on lattice sites, found none")
    except StructureError as error:
        return Atoms(cell=lattice.cell, pbc=True), n_sites, str(error)
    n_removed = n_sites - len(kept)
    symbols = np.array(atoms.get_chemical_symbols())[kept]
    order = np.argsort([_rank(symbol) for symbol in symbols], kind="stable")
    cleaned = Atoms(
        list(symbols[order]),
        positions=new_positions[order],
        cell=lattice.cell,
        pbc=True,
    )
    status = "ok"
    if reject and n_removed > max_removed(n_sites):
        status = (
            f"off lattice: expected at most {max_removed(n_sites)} of {n_sites} atoms removed, "
            f"found {n_removed}"
        )
    return cleaned, n_removed, status


def _rank(symbol: str) -> int:
    return SPECIES.index(symbol) if symbol in SPECIES else len(SPECIES)


def lattice_of(crystal: Atoms) -> FccLattice:
    """The fcc lattice of a perfect crystal; InputError if the atoms do not fill one."""
    edges = crystal.cell.lengths()
    a_A = float((4 * crystal.get_volume() / len(crystal)) ** (1 / 3))
    cells = np.rint(edges / a_A).astype(int)
    if 4 * np.prod(cells) != len(crystal) or not np.allclose(edges, a_A * cells, rtol=1e-3):
        raise InputError(
            f"reference lattice: expected a perfect fcc crystal, found {len(crystal)} atoms in a "
            f"cell of {_row(edges)} Å"
        )
    return FccLattice(a_A=a_A, supercell=tuple(int(n) for n in cells))
