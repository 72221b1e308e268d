"""Difference of two sets of structures by a SOAP kernel.

Smooth overlap of atomic positions (Bartok et al., Phys. Rev. B 87, 184115 (2013)), by dscribe. A
structure is the mean of the power spectra of its atoms, normalised; two structures compare by
k(p, q) = (p . q)^zeta, which is 1 for structures with equal mean environments.
"""

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from dismai.errors import InputError

R_CUT_A = 5.0
N_MAX = 4
L_MAX = 4
SIGMA_A = 0.5
ZETA = 4


def soap_vectors(structures: Sequence[Atoms], species: Sequence[str]) -> np.ndarray:
    """Mean SOAP power spectra of structures, unit length, (n_structures, n_features).

    Environments reach 5 Å, atoms are Gaussians of 0.5 Å; species fixes the order of the features.

    Raises:
        InputError: no structure, or a species that is not listed.
    """
    from dscribe.descriptors import SOAP  # seconds to import

    if len(structures) == 0:
        raise InputError("SOAP: expected at least one structure, found none")
    found = {symbol for atoms in structures for symbol in atoms.get_chemical_symbols()}
    if not found <= set(species):
        raise InputError(f"SOAP: expected only {sorted(set(species))}, found {sorted(found)}")
    descriptor = SOAP(
        species=list(species),
        r_cut=R_CUT_A,
        n_max=N_MAX,
        l_max=L_MAX,
        sigma=SIGMA_A,
        periodic=True,
        average="outer",
    )
    vectors = np.array([descriptor.create(atoms) for atoms in structures])
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def soap_mmd(generated: np.ndarray, reference: np.ndarray, zeta: float = ZETA) -> float:
    """Unbiased squared maximum mean discrepancy of two sets with the SOAP kernel, dimensionless.

    GRETTON 2012, J. Mach. Learn. Res. 13, 723, Eq. 3. Two samples of one distribution scatter
    about 0, to both sides; 2 is the most two sets can differ.

    Args:
        generated: unit vectors of `soap_vectors`, (n_generated, n_features).
        reference: the same of training structures, (n_reference, n_features).
        zeta: power of the kernel; a larger one looks more closely.
    """
    for name, vectors in (("generated", generated), ("reference", reference)):
        if len(vectors) < 2:
            raise InputError(f"SOAP: expected two {name} structures or more, found {len(vectors)}")
    return float(
        _mean_off_diagonal((generated @ generated.T) ** zeta)
        + _mean_off_diagonal((reference @ reference.T) ** zeta)
        - 2 * ((generated @ reference.T) ** zeta).mean()
    )


def _mean_off_diagonal(kernel: np.ndarray) -> float:
    n = len(kernel)
    return (kernel.sum() - np.trace(kernel)) / (n * (n - 1))
