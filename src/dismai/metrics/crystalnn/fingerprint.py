"""CrystalNN fingerprints: likelihoods of coordination numbers times order parameters.

For coordination numbers 1 to 24: the likelihood P, then P times each order parameter; 61 numbers.
A preset may append the share of some elements among the neighbours of each coordination number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from ase import Atoms

from dismai.base.errors import InputError
from dismai.base.kernels import njit
from dismai.geometry.voronoi import Tessellation, tessellate
from dismai.metrics.crystalnn.elements import site_table
from dismai.metrics.crystalnn.motif_table import (
    FAMILY,
    LABELS,
    MAX_NUMBER,
    OFFSETS,
    PARAMETERS,
    motif_values,
)
from dismai.metrics.crystalnn.order_parameters import MAX_NEIGHBORS, fill_angles
from dismai.metrics.crystalnn.weights import CATION_ANION, DEFAULT, Settings, bonds, likelihoods


@dataclass(frozen=True)
class Preset:
    """What is described, and how.

    settings: of CrystalNN.  centers: elements whose atoms get a fingerprint; None: all atoms.
    ligands: elements whose share among the neighbours is appended.  oxidation_states: by symbol.
    """

    settings: Settings = DEFAULT
    centers: tuple[str, ...] | None = None
    ligands: tuple[str, ...] = ()
    oxidation_states: Mapping[str, float] | None = None


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "amorphous_si": Preset(),
        "interface": Preset(
            CATION_ANION,
            centers=("Li", "Co", "Sc"),
            ligands=("Cl", "O"),
            oxidation_states=MappingProxyType({"Li": 1, "Sc": 3, "Co": 3, "Cl": -1, "O": -2}),
        ),
    }
)


def get_preset(preset: str | Preset) -> Preset:
    """A preset by its name; a Preset passes through."""
    if isinstance(preset, Preset):
        return preset
    if preset not in PRESETS:
        raise InputError(f"preset: expected one of {', '.join(PRESETS)}, found {preset!r}")
    return PRESETS[preset]


def feature_names(preset: str | Preset = "amorphous_si") -> list[str]:
    """Labels of the columns of `fingerprints`."""
    ligands = get_preset(preset).ligands
    shares = [
        f"{element} fraction coord num {c}" for c in range(1, MAX_NUMBER + 1) for element in ligands
    ]
    return LABELS + shares


def sites(atoms: Atoms, preset: str | Preset = "amorphous_si") -> np.ndarray:
    """Indices of the atoms that get a fingerprint, in the order of the structure."""
    centers = get_preset(preset).centers
    if centers is None:
        return np.arange(len(atoms))
    return np.flatnonzero(np.isin(atoms.symbols, centers))


def fingerprints(
    atoms: Atoms, preset: str | Preset = "amorphous_si", cells: Tessellation | None = None
) -> np.ndarray:
    """Fingerprints of `sites(atoms, preset)`, dimensionless, (n_sites, n_features).

    cells: Voronoi cells of these sites, where they are known already.
    """
    chosen = get_preset(preset)
    if cells is None:
        cells = tessellate(atoms, sites(atoms, chosen), chosen.settings.search_radius)
    table = site_table(atoms, chosen.oxidation_states)
    ranked = bonds(cells, table, chosen.settings)
    kind = np.zeros(len(atoms), np.int64)  # 1 + position among the ligands
    for position, element in enumerate(chosen.ligands):
        kind[atoms.symbols == element] = position + 1
    return fingerprint_all(
        ranked.start,
        ranked.face,
        ranked.weight,
        cells.vector,
        cells.distance,
        kind[cells.neighbor],
        len(chosen.ligands),
        OFFSETS,
        FAMILY,
        PARAMETERS,
    )


@njit(cache=True, nogil=True)
def fingerprint_all(
    start, face, weight, vector, distance, kind, n_kinds, offsets, family, parameters
):
    """Fingerprints of all sites from their ranked faces; kind[face]: 1 + position of the ligand."""
    n_sites = len(start) - 1
    length = offsets[-1]
    out = np.zeros((n_sites, length + MAX_NUMBER * n_kinds))
    longest = 1
    for s in range(n_sites):
        longest = max(longest, start[s + 1] - start[s])
    number, chance = np.empty(longest, np.int64), np.empty(longest)
    unit = np.empty((MAX_NEIGHBORS, 3))
    theta = np.zeros((MAX_NEIGHBORS, MAX_NEIGHBORS))
    phi = np.zeros((MAX_NEIGHBORS, MAX_NEIGHBORS, MAX_NEIGHBORS))
    off = np.zeros((MAX_NEIGHBORS, MAX_NEIGHBORS), np.bool_)
    axis = np.zeros((MAX_NEIGHBORS, MAX_NEIGHBORS, 3))
    near = np.zeros((MAX_NEIGHBORS, MAX_NEIGHBORS))
    for s in range(n_sites):
        first, last = start[s], start[s + 1]
        n_numbers, _ = likelihoods(weight, first, last, number, chance)
        with_angles = 0
        for t in range(n_numbers):
            if number[t] <= 8 or number[t] == 12:
                with_angles = number[t]
        for a in range(min(MAX_NEIGHBORS, last - first)):
            f = face[first + a]
            for x in range(3):
                unit[a, x] = vector[f, x] / distance[f]
        fill_angles(with_angles, unit, theta, phi, off, axis)
        for t in range(n_numbers):
            n = number[t]
            if n > MAX_NUMBER:
                break
            at = offsets[n - 1]
            motif_values(
                n, at + 1, offsets[n], family, parameters, unit, theta, phi, off, near, out[s]
            )
            out[s, at] = 1.0
            for p in range(at, offsets[n]):
                out[s, p] *= chance[t]
            if n_kinds > 0 and chance[t] != 0.0:
                for a in range(n):
                    which = kind[face[first + a]]
                    if which > 0:
                        out[s, length + (n - 1) * n_kinds + which - 1] += 1.0 / n
    return out
