"""Atomic planes of the two crystals, and slabs of them on a common in-plane cell.

LCO(110): neutral planes of LiCoO2, a/2 apart. LSC(100): planes Li3Sc (+6 per b x c cell) and Cl6
(-6) in turn, a sin(beta)/4 apart. Half of the Cl of one surface is moved to the other, so that
both are half filled and the slab has no dipole (Tasker type 2b).
"""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import Path

import numpy as np
from ase import Atoms

from dismai.base.card import formula
from dismai.base.errors import InputError
from dismai.files.structures import read_structures

PLANE_TOLERANCE = 0.1
"""Largest distance of an atom from its plane, as a fraction of the stacking height."""


@dataclass(frozen=True)
class Surface:
    """A surface of a crystal, in fractional coordinates of its conventional cell.

    in_plane: vectors of the primitive surface cell.  stacking: a lattice vector to the next
    equivalent plane.  composition: atoms in the cell that the three vectors span.  n_planes:
    planes in it, equally spaced from height 0.
    """

    name: str
    in_plane: tuple[tuple[float, float, float], ...]
    stacking: tuple[float, float, float]
    composition: tuple[tuple[str, int], ...]
    n_planes: int


LCO_110 = Surface(
    "LiCoO2(110)",
    ((1, -1, 0), (-1 / 3, 1 / 3, 1 / 3)),
    (1, 0, 0),
    (("Li", 1), ("Co", 1), ("O", 2)),
    1,
)
LSC_100 = Surface(
    "Li3ScCl6(100)",
    ((0, 1, 0), (0, 0, 1)),
    (0.5, 0.5, 0),
    (("Li", 3), ("Sc", 1), ("Cl", 6)),
    2,
)


@dataclass(frozen=True)
class Plane:
    """Atoms of one plane per surface cell.

    symbols: (n,).  in_plane: coordinates in units of the in-plane vectors, (n, 2).  heights: Å
    along the normal, (n,).
    """

    symbols: np.ndarray
    in_plane: np.ndarray
    heights: np.ndarray

    def subset(self, indices: np.ndarray) -> "Plane":
        return Plane(self.symbols[indices], self.in_plane[indices], self.heights[indices])


@dataclass(frozen=True)
class Crystal:
    """A crystal in a cell of two in-plane vectors and a stacking vector.

    cell: these vectors as rows, Å, (3, 3).  symbols: (n,).  fractional: coordinates in this cell,
    (n, 3), the third within `PLANE_TOLERANCE` of a plane.  n_planes: planes in the cell.
    """

    cell: np.ndarray
    symbols: np.ndarray
    fractional: np.ndarray
    n_planes: int

    @property
    def normal(self) -> np.ndarray:
        """Unit normal on the side of the stacking vector, (3,)."""
        normal = np.cross(self.cell[0], self.cell[1])
        return np.sign(normal @ self.cell[2]) * normal / np.linalg.norm(normal)

    @property
    def spacing(self) -> float:
        """Distance of neighbouring planes, Å."""
        return float(self.cell[2] @ self.normal) / self.n_planes

    @property
    def surface_vectors(self) -> np.ndarray:
        """The in-plane vectors in two dimensions, Å, (2, 2); the first along x."""
        first, second = self.cell[0], self.cell[1]
        length = np.linalg.norm(first)
        along = first @ second / length
        return np.array([[length, 0], [along, np.sqrt(second @ second - along**2)]])

    def plane(self, k: int) -> Plane:
        """Plane k, any integer; atoms keep their place when looked at along the normal."""
        stacked, index = divmod(k, self.n_planes)
        nominal = index / self.n_planes
        inside = np.flatnonzero(np.abs(self.fractional[:, 2] - nominal) < PLANE_TOLERANCE)
        positions = (self.fractional[inside] + [0, 0, stacked]) @ self.cell
        heights = positions @ self.normal
        flat = positions - heights[:, None] * self.normal
        in_plane = np.linalg.lstsq(self.cell[:2].T, flat.T, rcond=None)[0].T
        return Plane(self.symbols[inside], in_plane, heights)


@lru_cache
def read_crystal(path: Path, surface: Surface) -> Crystal:
    """A crystal from a file of its conventional cell; InputError if it is not the one expected."""
    try:
        structures = read_structures(path)
    except InputError as error:
        found = str(error).rpartition("found ")[2]
        raise InputError(f"{path}: expected a crystal structure, found {found}") from None
    if len(structures) != 1:
        raise InputError(f"{path}: expected one crystal structure, found {len(structures)}")
    bulk = structures[0]
    basis = np.array([*surface.in_plane, surface.stacking], dtype=float)
    every = bulk.get_scaled_positions() @ np.linalg.inv(basis)
    # Centred lattices hold each atom of the small cell several times; wrap near 1 to near 0.
    every -= np.floor(every + PLANE_TOLERANCE / 2)
    apart = every[:, None] - every[None]
    same = (np.abs(apart - np.rint(apart)) < 1e-3).all(axis=-1)
    first = np.flatnonzero(same.argmax(axis=1) == np.arange(len(bulk)))
    symbols = np.array(bulk.get_chemical_symbols())[first]
    crystal = Crystal(basis @ bulk.cell.array, symbols, every[first], surface.n_planes)
    planes = [crystal.plane(k).symbols for k in range(surface.n_planes)]
    found = Counter(np.concatenate(planes).tolist())
    if found != Counter(dict(surface.composition)) or len(first) != sum(found.values()):
        wanted = dict(surface.composition)
        expected, present = formula(wanted, wanted), formula(found, wanted)
        raise InputError(
            f"{path}: expected the cell of {surface.name} with {expected} on {surface.n_planes} "
            f"planes, found {len(first)} atoms, of which on planes: {present or 'none'}"
        )
    return crystal


def lco_planes(crystal: Crystal, n_layers: int) -> list[Plane]:
    """Planes of LiCoO2 from bottom to top."""
    return [crystal.plane(k) for k in range(n_layers)]


def lsc_planes(crystal: Crystal, n_layers: int, charges: dict[str, int]) -> list[Plane]:
    """Planes of Li3ScCl6 from bottom to top, the outer ones with half of their Cl (Tasker 2b).

    The Cl that stay are those of lowest electrostatic energy of the bare slab in vacuum, among
    the choices that are periodic in b x c and related by inversion, so that no dipole is left.
    """
    planes = [crystal.plane(k) for k in range(-1, n_layers - 1)]
    bottom, top = planes[0], planes[-1]
    centre = _inversion_centre(planes)
    partner = _partners(bottom, top, centre)
    choices = [np.array(kept) for kept in combinations(range(6), 3)]
    energies = _electrostatic_energies(crystal, planes, charges, choices, partner)
    best = choices[int(np.argmin(np.round(energies, 6)))]  # the first of equal ones
    return [bottom.subset(best), *planes[1:-1], top.subset(np.sort(partner[best]))]


def _inversion_centre(planes: list[Plane]) -> np.ndarray:
    """In-plane coordinates of a centre of inversion of the slab, (2,).

    In the plane of Sc that is the Sc of the lowest cation plane, and halfway to the one above.
    """
    scandium = [plane.in_plane[plane.symbols == "Sc"][0] for plane in planes[1:-1:2]]
    return (scandium[0] + scandium[-1]) / 2


def _partners(bottom: Plane, top: Plane, centre: np.ndarray) -> np.ndarray:
    """Index of the atom of the top plane on which inversion lays each atom of the bottom one."""
    apart = (2 * centre - bottom.in_plane)[:, None] - top.in_plane[None]
    distance = np.abs(apart - np.rint(apart)).sum(axis=-1)
    if distance.min(axis=1).max() > 1e-2:
        raise InputError("Li3ScCl6: expected a crystal with inversion at Sc, found none")
    return distance.argmin(axis=1)


def _electrostatic_energies(
    crystal: Crystal,
    planes: list[Plane],
    charges: dict[str, int],
    choices: list[np.ndarray],
    partner: np.ndarray,
) -> np.ndarray:
    """Ewald energies of the slab with each choice of Cl at the bottom, eV, (n_choices,)."""
    from pymatgen.analysis.ewald import EwaldSummation
    from pymatgen.core import Lattice, Structure

    height = (len(planes) - 1) * crystal.spacing + 15.0
    cell = np.zeros((3, 3))
    cell[:2, :2], cell[2, 2] = crystal.surface_vectors, height
    symbols = np.concatenate([plane.symbols for plane in planes])
    coordinates = np.vstack([np.c_[p.in_plane, p.heights / height] for p in planes])
    slab = Structure(Lattice(cell), symbols, coordinates)
    slab.add_oxidation_state_by_element({s: charges[s] for s in ("Li", "Sc", "Cl")})
    pairs = EwaldSummation(slab, compute_forces=False).total_energy_matrix
    n_top = len(symbols) - 6
    inner = np.arange(6, n_top)
    energies = []
    for kept in choices:
        chosen = np.concatenate([kept, inner, n_top + partner[kept]])
        energies.append(pairs[np.ix_(chosen, chosen)].sum())
    return np.array(energies)


def supercell(planes: list[Plane], matrix: np.ndarray, cell: np.ndarray) -> list[Atoms]:
    """Planes repeated on an in-plane superlattice and laid on a common cell.

    Args:
        planes: from bottom to top, heights ascending.
        matrix: superlattice vectors in units of the in-plane vectors, (2, 2), integers.
        cell: in-plane vectors of the common cell, Å, (2, 2); the slab is strained to it.

    Returns:
        One `Atoms` per plane, the lowest at height 0, without a third vector.
    """
    n_cells = round(abs(np.linalg.det(matrix)))
    reach = int(np.abs(matrix).sum())
    grid = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 2, indexing="ij"), -1)
    inverse = np.linalg.inv(matrix)
    points = grid.reshape(-1, 2) @ inverse
    points = grid.reshape(-1, 2)[((points > -1e-9) & (points < 1 - 1e-9)).all(axis=1)]
    if len(points) != n_cells:
        raise InputError(f"supercell: expected {n_cells} cells inside, found {len(points)}")
    lowest = min(plane.heights.min() for plane in planes)
    slabs = []
    for plane in planes:
        fractional = (plane.in_plane[:, None] + points[None]).reshape(-1, 2) @ inverse
        fractional = np.round(fractional, 9) % 1.0  # (n_atoms * n_cells, 2)
        positions = np.c_[fractional @ cell, np.repeat(plane.heights - lowest, n_cells)]
        slabs.append(Atoms(np.repeat(plane.symbols, n_cells).tolist(), positions=positions))
    return slabs
