"""The cluster expansion of Fe-Ni-Cr: monomers and pairs of seven shells (Su et al. 2024)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from dismai.base.atomic import write_atomically
from dismai.base.errors import InputError
from dismai.base.text import read_yaml
from dismai.geometry.fcc import MULTIPLICITY

SPECIES = ("Cr", "Fe", "Ni")
PAIRS = ("Cr-Cr", "Cr-Fe", "Cr-Ni", "Fe-Fe", "Fe-Ni", "Ni-Ni")
N_SHELLS = 7
PAIR_INDEX = np.array([[0, 1, 2], [1, 3, 4], [2, 4, 5]])
"""Index into PAIRS of two species indices."""


def cluster_names() -> list[str]:
    """Names of the 45 cluster columns: three monomers, then six pairs of each shell."""
    monomers = [f"0NN_{species}" for species in SPECIES]
    dimers = [f"{shell}NN_{pair}" for shell in range(1, N_SHELLS + 1) for pair in PAIRS]
    return monomers + dimers


CLUSTER_MULTIPLICITY = np.concatenate([np.ones(3), np.repeat(MULTIPLICITY, len(PAIRS))])
"""Clusters per site of each of the 45 columns: count = multiplicity x probability."""


@dataclass(frozen=True)
class ClusterExpansion:
    """Formation energy per atom, E = constant + sum eci * n, with n clusters per atom (eV/atom).

    monomers: ECI of each species, eV, (3,).  dimers: ECI of each shell and pair, eV, (7, 6).
    """

    a_A: float
    constant: float
    monomers: np.ndarray
    dimers: np.ndarray

    @property
    def ecis(self) -> np.ndarray:
        """The 45 ECIs in the order of `cluster_names`, eV."""
        return np.concatenate([self.monomers, self.dimers.ravel()])

    @property
    def pair_energies(self) -> np.ndarray:
        """Energy of one pair by shell and species of its two ends, eV, (7, 3, 3)."""
        return self.dimers[:, PAIR_INDEX]

    def energy(self, counts: np.ndarray) -> np.ndarray:
        """Formation energy, eV/atom, of cluster counts per atom, (..., 45)."""
        return self.constant + counts @ self.ecis


def check_composition(
    composition: Mapping[str, int], supercell: tuple[int, int, int], least: int = 0
) -> None:
    """InputError if a species is unknown or missing or the counts do not fill the sites.

    least: smallest number of atoms of a species.
    """
    n_sites = 4 * supercell[0] * supercell[1] * supercell[2]
    counts = list(composition.values())
    if sorted(composition) != sorted(SPECIES):
        raise InputError(
            f"composition: expected the species {', '.join(SPECIES)}, "
            f"found {', '.join(composition) or 'none'}"
        )
    if min(counts) < least or sum(counts) != n_sites:
        kind = "positive counts" if least > 0 else "counts"
        raise InputError(
            f"composition: expected {kind} that sum to {n_sites} sites, "
            f"found {' + '.join(map(str, counts))} = {sum(counts)}"
        )


def read_cluster_expansion(path: Path) -> ClusterExpansion:
    """Read ECIs from YAML.

    Raises InputError naming the first entry that is missing, not a finite number, or unknown.
    """
    data = read_yaml(path, "a file of ECIs")
    if not isinstance(data, dict):
        raise InputError(f"{path}: expected a mapping, found {type(data).__name__}")
    dimers = _section(path, data, "dimers", [f"{shell}NN" for shell in range(1, N_SHELLS + 1)])
    pairs = [
        _numbers(path, f"dimers.{shell}.eci", entry.get("eci") if isinstance(entry, dict) else None)
        for shell, entry in dimers.items()
    ]
    lattice = data.get("lattice")
    a_A = _number(path, "lattice.a_A", lattice.get("a_A") if isinstance(lattice, dict) else None)
    return ClusterExpansion(
        a_A=a_A,
        constant=_number(path, "constant", data.get("constant")),
        monomers=_numbers(path, "monomers", data.get("monomers"), SPECIES),
        dimers=np.array(pairs),
    )


def write_cluster_expansion(expansion: ClusterExpansion, path: Path, provenance: str) -> None:
    """Write what `read_cluster_expansion` reads, numbers to their last digit."""
    dimers = {
        f"{shell}NN": {"eci": dict(zip(PAIRS, map(float, row), strict=True))}
        for shell, row in enumerate(expansion.dimers, start=1)
    }
    data = {
        "provenance": provenance,
        "units": "eV/atom per cluster per atom",
        "lattice": {"a_A": float(expansion.a_A)},
        "constant": float(expansion.constant),
        "monomers": dict(zip(SPECIES, map(float, expansion.monomers), strict=True)),
        "dimers": dimers,
    }
    write_atomically(path, yaml.safe_dump(data, sort_keys=False))


def _section(path: Path, data: dict, key: str, names: list[str]) -> dict:
    section = data.get(key)
    if not isinstance(section, dict):
        found = "nothing" if section is None else type(section).__name__
        raise InputError(f"{path}: {key}: expected a mapping, found {found}")
    for name in names:
        if name not in section:
            found = ", ".join(map(str, section)) or "nothing"
            raise InputError(f"{path}: {key}: expected an entry {name!r}, found {found}")
    for name in section:
        if name not in names:
            expected = ", ".join(names)
            raise InputError(f"{path}: {key}: expected only {expected}, found {name!r}")
    return {name: section[name] for name in names}


def _numbers(path: Path, key: str, value: object, names: tuple[str, ...] = PAIRS) -> np.ndarray:
    section = _section(path, {key: value}, key, list(names))
    return np.array([_number(path, f"{key}.{name}", section[name]) for name in names])


def _number(path: Path, key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        found = "nothing" if value is None else repr(value)
        raise InputError(f"{path}: {key}: expected a finite number (eV), found {found}")
    return float(value)
