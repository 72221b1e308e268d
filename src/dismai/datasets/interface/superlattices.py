"""All superlattices of a plane lattice up to an area, and the pairs of two lattices that fit.

A superlattice of n cells has one matrix [[a, b], [0, d]], a d = n, 0 <= b < d, in Hermite normal
form; there are as many as the sum of the divisors of n. Two of them are compared by their reduced
bases: shortest vectors first, at an acute angle, as ZUR and McGILL 1984, J. Appl. Phys. 55, 378.
"""

import numpy as np

LARGEST_SINE_RATIO = 2 / np.sqrt(3.0)
"""Of reduced bases, whose angles are 60 to 90 degrees."""
ROUNDS = 64


def hermite_normal_forms(most_cells: int) -> np.ndarray:
    """Matrices of all superlattices of 1 to most_cells cells, (n, 2, 2), integers."""
    found = [
        [[a, b], [0, n // a]]
        for n in range(1, most_cells + 1)
        for a in range(1, n + 1)
        if n % a == 0
        for b in range(n // a)
    ]
    return np.array(found, dtype=np.int64).reshape(-1, 2, 2)


def reduced(matrices: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Matrices of the reduced bases of the same superlattices, (n, 2, 2), integers.

    matrices: in units of the rows of basis, (n, 2, 2).  basis: Å, (2, 2). Lagrange and Gauss.
    """
    matrices = matrices.copy()
    for _ in range(ROUNDS):
        vectors = matrices @ basis
        squares = (vectors**2).sum(axis=2)
        swap = squares[:, 0] > squares[:, 1] * (1 + 1e-12)
        matrices[swap] = matrices[swap][:, ::-1]
        vectors[swap] = vectors[swap][:, ::-1]
        overlap = (vectors[:, 0] * vectors[:, 1]).sum(axis=1) / (vectors[:, 0] ** 2).sum(axis=1)
        steps = np.where(np.abs(overlap) > 0.5 + 1e-9, np.rint(overlap), 0).astype(np.int64)
        if not steps.any() and not swap.any():
            break
        matrices[:, 1] -= steps[:, None] * matrices[:, 0]
    obtuse = overlap < -1e-12
    matrices[obtuse, 1] *= -1
    return matrices


def best_pairs(
    substrate: np.ndarray,
    film: np.ndarray,
    max_area_A2: float,
    length_tolerance: float,
    angle_tolerance: float,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Reduced bases that fit with the smallest mean length mismatch, and of those the smallest.

    Several where the lattices have symmetry; none if no pair is within the tolerances.

    Args:
        substrate: in-plane vectors, Å, (2, 2).
        film: the same.
        max_area_A2: of the superlattice of the substrate.
        length_tolerance: film over substrate, less one.
        angle_tolerance: the same of the angle.
    """
    most = max_area_A2 * LARGEST_SINE_RATIO * (1 + length_tolerance) ** 2
    ours, theirs = (
        _superlattices(basis, area) for basis, area in ((substrate, max_area_A2), (film, most))
    )
    (vectors, lengths, angles), (others, other_lengths, other_angles) = ours, theirs
    best, found = (np.inf, np.inf), []
    for one, length, angle in zip(vectors, lengths, angles, strict=True):
        off = np.abs(other_lengths / length - 1)
        fits = (off <= length_tolerance).all(axis=1)
        fits &= np.abs(other_angles / angle - 1) <= angle_tolerance
        for k in np.flatnonzero(fits):
            key = round(float(off[k].mean()), 9), round(abs(float(np.linalg.det(one))), 6)
            if key < best:
                best, found = key, []
            if key == best:
                found.append((one, others[k]))
    return found


def _superlattices(basis: np.ndarray, max_area: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Reduced vectors, Å, (n, 2, 2), their lengths, (n, 2), and angles, degrees, (n,)."""
    n_cells = int(np.floor(max_area / abs(np.linalg.det(basis)) * (1 + 1e-12)))
    vectors = reduced(hermite_normal_forms(n_cells), basis) @ basis
    lengths = np.linalg.norm(vectors, axis=2)
    cosines = (vectors[:, 0] * vectors[:, 1]).sum(axis=1) / lengths.prod(axis=1)
    return vectors, lengths, np.degrees(np.arccos(np.clip(cosines, -1, 1)))
