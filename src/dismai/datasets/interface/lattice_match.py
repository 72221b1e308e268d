"""The common in-plane cell of two surfaces: the search of Zur and McGill (1984).

`exact` goes through all pairs of superlattices; MPInterfaces and pymatgen's ZSLGenerator do not and
can miss matches or take worse ones.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dismai.base.errors import InputError
from dismai.datasets.interface.mpinterfaces import matching_vectors
from dismai.datasets.interface.settings import LatticeMatch
from dismai.datasets.interface.superlattices import LARGEST_SINE_RATIO, best_pairs


@dataclass(frozen=True)
class Match:
    """Superlattices of substrate and film that fit on each other.

    substrate_matrix, film_matrix: in units of the in-plane vectors, (2, 2), integers.
    substrate_vectors, film_vectors: Å, (2, 2), before any strain.
    """

    substrate_matrix: np.ndarray
    film_matrix: np.ndarray
    substrate_vectors: np.ndarray
    film_vectors: np.ndarray

    @property
    def n_substrate(self) -> int:
        """Surface cells of the substrate."""
        return round(abs(np.linalg.det(self.substrate_matrix)))

    @property
    def n_film(self) -> int:
        """Surface cells of the film."""
        return round(abs(np.linalg.det(self.film_matrix)))

    @property
    def cell(self) -> np.ndarray:
        """The common cell, that of the substrate: rows (a, 0), (b cos g, b sin g), Å, (2, 2)."""
        (a, b), gamma = _lengths(self.substrate_vectors), np.radians(_angle(self.substrate_vectors))
        return np.array([[a, 0.0], [b * np.cos(gamma), b * np.sin(gamma)]])

    @property
    def length_mismatch(self) -> np.ndarray:
        """Film over substrate length of each vector, less one, (2,)."""
        return _lengths(self.film_vectors) / _lengths(self.substrate_vectors) - 1

    @property
    def angle_mismatch(self) -> float:
        """Film over substrate angle, less one."""
        return _angle(self.film_vectors) / _angle(self.substrate_vectors) - 1

    def stretches(self) -> np.ndarray:
        """Principal stretches of the film laid on the common cell, descending, (2,)."""
        return np.linalg.svd(np.linalg.solve(self.film_vectors, self.substrate_vectors))[1]

    def report(self) -> dict[str, float | list]:
        """Numbers that describe the match, names with units."""
        a, b = _lengths(self.substrate_vectors)
        return {
            "lco_cells": self.n_substrate,
            "lsc_cells": self.n_film,
            "lco_matrix": self.substrate_matrix.tolist(),
            "lsc_matrix": self.film_matrix.tolist(),
            "a_A": float(a),
            "b_A": float(b),
            "gamma_degrees": _angle(self.substrate_vectors),
            "area_A2": _area(self.substrate_vectors),
            "length_mismatch_percent": (100 * self.length_mismatch).tolist(),
            "mean_mismatch_percent": 100 * float(np.abs(self.length_mismatch).mean()),
            "angle_mismatch_percent": 100 * self.angle_mismatch,
            "lsc_principal_stretches": self.stretches().tolist(),
            "lsc_area_change_percent": 100
            * (_area(self.substrate_vectors) / _area(self.film_vectors) - 1),
        }


def find_match(substrate: np.ndarray, film: np.ndarray, settings: LatticeMatch) -> Match:
    """The match of smallest mean length mismatch within the tolerances, of equal ones the smallest.

    substrate, film: in-plane vectors, Å, (2, 2).  The engine `exact` finds it always. Of matches
    that differ by a mirror or by the direction of vectors the same one is taken, whatever code
    searched. InputError without any.
    """
    key = (substrate.tobytes(), film.tobytes())
    return _find(*key, settings)


@lru_cache
def _find(substrate_bytes: bytes, film_bytes: bytes, settings: LatticeMatch) -> Match:
    substrate = np.frombuffer(substrate_bytes).reshape(2, 2)
    film = np.frombuffer(film_bytes).reshape(2, 2)
    pairs = {"exact": _exact, "mpinterfaces": _mpinterfaces, "zsl": _zsl}[settings.engine]
    matches = [
        canonical_match(_integers(first, substrate), _integers(second, film), substrate, film)
        for first, second in pairs(substrate, film, settings)
    ]
    within = [match for match in matches if _is_within(match, settings)]
    if not within:
        raise InputError(
            f"lattice match: expected one of at most {settings.max_area_A2:g} Å², lengths within "
            f"{settings.length_tolerance:g} and angles within {settings.angle_tolerance:g}, "
            "found none"
        )
    return min(within, key=_mismatch)


def _exact(substrate: np.ndarray, film: np.ndarray, settings: LatticeMatch):
    """The best pairs of superlattice vectors, equal by symmetry."""
    return best_pairs(
        substrate, film, settings.max_area_A2, settings.length_tolerance, settings.angle_tolerance
    )


def _mpinterfaces(substrate: np.ndarray, film: np.ndarray, settings: LatticeMatch):
    """At most one pair of superlattice vectors; its tolerance of the angle is in degrees."""
    degrees = 90.0 * settings.angle_tolerance  # of reduced cells no angle is larger
    found = matching_vectors(
        substrate, film, settings.max_area_A2, settings.length_tolerance, degrees
    )
    return [] if found is None else [found]


def _zsl(substrate: np.ndarray, film: np.ndarray, settings: LatticeMatch):
    """All pairs of superlattice vectors that pymatgen's ZSLGenerator finds."""
    from pymatgen.analysis.interfaces.zsl import ZSLGenerator

    generator = ZSLGenerator(
        max_area=settings.max_area_A2,
        max_area_ratio_tol=LARGEST_SINE_RATIO * (1 + settings.length_tolerance) ** 2 - 1,
        max_length_tol=settings.length_tolerance,
        max_angle_tol=settings.angle_tolerance,
    )
    flat = [np.c_[vectors, np.zeros(2)] for vectors in (film, substrate)]
    for match in generator(*flat):
        yield (
            np.array(match.substrate_sl_vectors)[:, :2],
            np.array(match.film_sl_vectors)[:, :2],
        )


def canonical_match(
    substrate_matrix: np.ndarray, film_matrix: np.ndarray, substrate: np.ndarray, film: np.ndarray
) -> Match:
    """The same match with the shorter substrate vector first, at an acute angle, signs settled.

    Of each matrix and its negative the one whose second row starts positive; of the two mirrored
    settings of a rectangular film the one that is larger in dictionary order. Which setting the
    authors took is unknown.
    """
    order = np.argsort(np.round(_lengths(substrate_matrix @ substrate), 6), kind="stable")
    substrate_matrix, film_matrix = substrate_matrix[order], film_matrix[order]
    if np.prod(substrate_matrix @ substrate, axis=0).sum() < 0:
        substrate_matrix, film_matrix = (m * [[1], [-1]] for m in (substrate_matrix, film_matrix))
    substrate_matrix, film_matrix = _positive(substrate_matrix), _positive(film_matrix)
    if abs(film[0] @ film[1]) < 1e-6:
        mirrored = _positive(film_matrix * [1, -1])
        film_matrix = max(film_matrix, mirrored, key=lambda matrix: matrix.tolist())
    return Match(substrate_matrix, film_matrix, substrate_matrix @ substrate, film_matrix @ film)


def _positive(matrix: np.ndarray) -> np.ndarray:
    """The matrix or its negative: the first number of the second row that is not 0 is positive."""
    second = matrix[1]
    return matrix * np.sign(second[np.flatnonzero(second)[0]])


def _is_within(match: Match, settings: LatticeMatch) -> bool:
    return (
        _area(match.substrate_vectors) <= settings.max_area_A2
        and (np.abs(match.length_mismatch) <= settings.length_tolerance).all()
        and abs(match.angle_mismatch) <= settings.angle_tolerance
    )


def _mismatch(match: Match) -> tuple:
    """Mean mismatch, area, and what settles which of the matches that are equal by symmetry."""
    mean = float(np.abs(match.length_mismatch).mean())
    matrices = match.substrate_matrix.tolist(), match.film_matrix.tolist()
    return round(mean, 9), round(_area(match.substrate_vectors), 6), matrices


def _integers(vectors: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Vectors, (2, 2), in units of a basis, rounded."""
    return np.rint(vectors @ np.linalg.inv(basis)).astype(int)


def _lengths(vectors: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vectors, axis=1)


def _angle(vectors: np.ndarray) -> float:
    """Angle between two vectors, degrees."""
    return float(np.degrees(np.arccos(vectors[0] @ vectors[1] / np.prod(_lengths(vectors)))))


def _area(vectors: np.ndarray) -> float:
    return float(abs(np.linalg.det(vectors)))
