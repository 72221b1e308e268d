"""Metrics of the interface: its energy, and distances between mean fingerprints per cation.

    gamma = (E - N e_0) / A,    e_0 = -4.78 eV/atom

e_0 belongs to the published cell of 264 atoms with energies of VASP. It lies 0.4 J/m^2 above the
lowest structure there, and 48 % of random interfaces lie below. For other cells and energies
`reference_energy_of_share` and `fitted_reference_energy` give another one by either fact: the
former by all structures, the latter by a single one. There is one interface in the cell: the other
surfaces face vacuum.
"""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from ase import Atoms

from dismai.base.errors import StructureError
from dismai.metrics.statistics import euclidean

REFERENCE_ENERGY = -4.78  # eV/atom
N_ATOMS = 264
AREA = 12.46997 * 17.19967 * np.sin(np.radians(75.6674))  # Å^2
J_PER_M2 = 16.02176634  # of 1 eV/Å^2
CATIONS: Mapping[str, int] = {"Li": 72, "Co": 36, "Sc": 12}  # of the published cell


def interface_area(atoms: Atoms) -> float:
    """Area of the cell along its first two vectors, Å^2."""
    return float(np.linalg.norm(np.cross(atoms.cell[0], atoms.cell[1])))


def interface_energy(
    energy: float,
    n_atoms: int = N_ATOMS,
    area: float = AREA,
    reference_energy: float = REFERENCE_ENERGY,
) -> float:
    """Normalised interface energy, J/m^2, of a total energy, eV (Dismai-Bench paper, Eq. 6).

    area in Å^2, reference_energy in eV/atom. The published constants hold for the cell of 264
    atoms and energies of VASP; for another cell take its own number of atoms and `interface_area`.
    """
    return (energy - n_atoms * reference_energy) / area * J_PER_M2


def reference_energy_of_share(energy_per_atom: np.ndarray, share: float) -> float:
    """Reference energy, eV/atom, below which a share of relaxed random interfaces lies.

    It stands half-way between the last structure of the share, rounded up to whole structures, and
    the next one. No outlier moves it.

    energy_per_atom: of relaxed random interfaces, eV, (n_structures,).
    """
    energies = np.sort(energy_per_atom)
    n_low = n_in_share(len(energies), share)
    return float(energies[n_low - 1 : n_low + 1].mean())


def n_in_share(n_structures: int, share: float) -> int:
    """Whole structures of a share, rounded up."""
    return int(np.ceil(round(share * n_structures, 9)))


def fitted_reference_energy(
    energy_per_atom: np.ndarray, n_atoms: int, area: float, above_lowest: float = 0.4
) -> float:
    """Reference energy, eV/atom, that lies above_lowest, J/m^2, above the lowest structure.

    energy_per_atom: of relaxed random interfaces, eV, (n_structures,).  area in Å^2.
    """
    return float(np.min(energy_per_atom) + above_lowest / J_PER_M2 * area / n_atoms)


def check_composition(atoms: Atoms, expected: Mapping[str, int]) -> None:
    """Refuse a structure with other numbers of the expected elements, as StructureError."""
    found = Counter(atoms.get_chemical_symbols())
    wrong = {s: found[s] for s, n in expected.items() if found[s] != n}
    if wrong:
        text = ", ".join(f"{expected[s]} {s}, found {n}" for s, n in wrong.items())
        raise StructureError(f"expected {text}")


def cation_means(
    fingerprints: np.ndarray, symbols: np.ndarray, cations: Mapping[str, int] = CATIONS
) -> np.ndarray:
    """Mean fingerprint of each cation of one structure, (n_cations, n_features).

    fingerprints: (n_sites, n_features).  symbols: elements of these sites, (n_sites,).
    """
    symbols = np.asarray(symbols)
    for element, n in cations.items():
        if (symbols == element).sum() != n:
            raise StructureError(f"expected {n} {element}, found {(symbols == element).sum()}")
    return np.array([fingerprints[symbols == element].mean(axis=0) for element in cations])


def cation_distances(
    generated: np.ndarray, training: np.ndarray, cations: Mapping[str, int] = CATIONS
) -> dict[str, float]:
    """Distances d_s per cation, and d_all, the distance of the means over all cations.

    generated, training: mean fingerprint of each cation over a set, (n_cations, n_features).
    d_all = || sum_s n_s (F_s - F_s') / sum_s n_s ||: differences of cations can cancel.
    """
    out = {
        f"d_{element}": euclidean(generated[k], training[k]) for k, element in enumerate(cations)
    }
    share = np.array(list(cations.values())) / sum(cations.values())
    out["d_all"] = euclidean(share @ generated, share @ training)
    return out


def cations_of_region(atoms: Atoms, region: Mapping[str, int]) -> dict[str, np.ndarray]:
    """Indices of the Li and the Sc of the disordered region of any structure of a set.

    Models know no region, and the order of atoms of an element means nothing to some. So they are
    told by height, from the free surface of LiCoO2 on: Li of LiCoO2 come first, as many as there
    are Co; then as many as the region has, of Li and of Sc; then those of Li3ScCl6.

    region: atoms of the region by element, as on the card.

    Raises:
        StructureError: fewer atoms than LiCoO2 and the region have.
    """
    heights = heights_above_substrate(atoms)
    symbols = np.array(atoms.get_chemical_symbols())
    below = {"Li": int((symbols == "Co").sum()), "Sc": 0}
    found = {}
    for element, n_below in below.items():
        own = np.flatnonzero(symbols == element)
        ranked = own[np.argsort(heights[own], kind="stable")]
        found[element] = np.sort(ranked[n_below : n_below + region[element]])
        if len(found[element]) < region[element]:
            wanted = n_below + region[element]
            raise StructureError(f"expected at least {wanted} {element}, found {len(own)}")
    return found


def heights_above_substrate(atoms: Atoms) -> np.ndarray:
    """Height of every atom from the free surface of LiCoO2 into the interface, Å, (n_atoms,).

    The vacuum is the widest layer without atoms; LiCoO2 is on the side that Co are nearer to.
    """
    normal = np.cross(atoms.cell[0], atoms.cell[1])
    period = abs(atoms.cell.array[2] @ normal) / np.linalg.norm(normal)
    place = atoms.cell.scaled_positions(atoms.positions)[:, 2] % 1.0
    ordered = np.sort(place)
    gaps = np.diff(np.append(ordered, ordered[0] + 1.0))
    first = ordered[(np.argmax(gaps) + 1) % len(ordered)]
    heights = (place - first) % 1.0
    if not (atoms.symbols == "Co").any():
        raise StructureError("expected Co, found none")
    if heights[atoms.symbols == "Co"].mean() > heights.mean():
        heights = heights.max() - heights
    return period * heights
