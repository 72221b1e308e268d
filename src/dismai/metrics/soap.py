"""Difference of two sets of structures by a SOAP kernel.

Smooth overlap of atomic positions (Bartok et al., Phys. Rev. B 87, 184115 (2013)), by dscribe. A
structure is the mean of the power spectra of its atoms, normalised; two structures compare by
k(p, q) = (p . q)^4, which is 1 for structures with equal mean environments.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols

from dismai.base.errors import InputError
from dismai.geometry.grid import make_grid
from dismai.metrics.pairs import Pairs, pairs_between

R_CUT_A = 5.0
N_MAX = 4
L_MAX = 4
SIGMA_A = 0.5


@lru_cache(maxsize=8)
def _descriptor(species: tuple[str, ...]):
    from dscribe.descriptors import SOAP  # seconds to import

    return SOAP(
        species=species,
        r_cut=R_CUT_A,
        n_max=N_MAX,
        l_max=L_MAX,
        sigma=SIGMA_A,
        periodic=True,
        average="outer",
        compression={"mode": "crossover"},
    )


def n_features(n_species: int) -> int:
    """Length of a SOAP vector: 50 numbers for each species.

    Power spectra of two species at once are left out: five species would need 1050 numbers, and
    who surrounds whom already shows in those of each species around every atom.
    """
    return n_species * N_MAX * (N_MAX + 1) // 2 * (L_MAX + 1)


def soap_vector(atoms: Atoms, species: Sequence[str]) -> np.ndarray:
    """Mean SOAP power spectrum of one structure, unit length, (n_features,).

    Environments reach 5 Å, atoms are Gaussians of 0.5 Å; species fixes the order of the features.

    Raises:
        InputError: a species that is not listed.
    """
    found = {chemical_symbols[number] for number in set(atoms.numbers.tolist())}
    if not found <= set(species):
        raise InputError(f"SOAP: expected only {sorted(set(species))}, found {sorted(found)}")
    whole = Atoms(numbers=atoms.numbers, positions=make_grid(atoms).xyz, cell=atoms.cell, pbc=True)
    vector = _descriptor(tuple(species)).create(whole)  # its images start from the cell
    return vector / np.linalg.norm(vector)


def soap_vectors(structures: Sequence[Atoms], species: Sequence[str]) -> np.ndarray:
    """`soap_vector` of every structure, (n_structures, n_features)."""
    if len(structures) == 0:
        raise InputError("SOAP: expected at least one structure, found none")
    return np.array([soap_vector(atoms, species) for atoms in structures])


def soap_kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Kernel of every structure of one set with every one of another, (n_a, n_b), at most 1.

    a, b: unit vectors of `soap_vectors`.
    """
    return np.square(np.square(a @ b.T))


def soap_mmd(generated: np.ndarray, reference: np.ndarray) -> float:
    """Unbiased squared maximum mean discrepancy of two sets with the SOAP kernel, dimensionless.

    GRETTON 2012, J. Mach. Learn. Res. 13, 723, Eq. 3. Two samples of one distribution scatter
    about 0, to both sides; 2 is the most two sets can differ.

    Args:
        generated: unit vectors of `soap_vectors`, (n_generated, n_features).
        reference: the same of training structures, (n_reference, n_features).
    """
    for name, vectors in (("generated", generated), ("reference", reference)):
        if len(vectors) < 2:
            raise InputError(f"SOAP: expected two {name} structures or more, found {len(vectors)}")
    between = pairs_between(generated, reference, matrix=soap_kernel).mean.mean()
    within = Pairs(generated, soap_kernel).mean() + Pairs(reference, soap_kernel).mean()
    return float(within - 2 * between)
