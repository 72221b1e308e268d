"""The common cell of two surfaces is the best one there is."""

from itertools import product

import numpy as np
import pytest

from dismai.base.errors import InputError
from dismai.datasets.interface import mpinterfaces
from dismai.datasets.interface.lattice_match import find_match
from dismai.datasets.interface.settings import LatticeMatch
from dismai.datasets.interface.superlattices import hermite_normal_forms, reduced

LIMITS = LatticeMatch(max_area_A2=60, length_tolerance=0.05, angle_tolerance=0.08)


def lattice(rng):
    a, b = rng.uniform(2.5, 4.5, 2)
    gamma = np.radians(rng.uniform(60, 120))
    return np.array([[a, 0.0], [b * np.cos(gamma), b * np.sin(gamma)]])


def superlattices(basis, max_area):
    """Reduced vectors of every superlattice, by trying all pairs of short lattice vectors."""
    cell = abs(np.linalg.det(basis))
    reach = range(-12, 13)
    points = np.array([p for p in product(reach, reach) if p > (0, 0)])
    vectors = points @ basis
    squares = (vectors**2).sum(axis=1)
    # a reduced cell has |a| |b| sin >= |a| |b| sqrt(3) / 2
    dots = vectors @ vectors.T
    areas = np.abs(np.outer(vectors[:, 0], vectors[:, 1]) - np.outer(vectors[:, 1], vectors[:, 0]))
    i, j = np.nonzero(
        (squares[:, None] <= squares[None] * (1 + 1e-12))
        & (2 * np.abs(dots) <= squares[:, None] * (1 + 1e-9))
        & (areas <= max_area * (1 + 1e-9))
        & (areas > cell / 2)
    )
    lengths = np.sqrt(np.stack([squares[i], squares[j]], axis=1))
    angles = np.degrees(np.arccos(np.abs(dots[i, j]) / lengths.prod(axis=1)))
    return lengths, angles, areas[i, j]


def judged(substrate, film, limits):
    """Smallest mean length mismatch, and the smallest area that has it; None without a match."""
    ours, angles, areas = superlattices(substrate, limits.max_area_A2)
    theirs, other_angles, _ = superlattices(film, 2 * limits.max_area_A2)
    off = np.abs(theirs[None] / ours[:, None] - 1)
    fits = (off <= limits.length_tolerance).all(axis=2)
    fits &= np.abs(other_angles[None] / angles[:, None] - 1) <= limits.angle_tolerance
    if not fits.any():
        return None
    mean = np.where(fits, off.mean(axis=2), np.inf)
    best = mean.min()
    return best, areas[(mean <= best + 1e-9).any(axis=1)].min()


@pytest.mark.parametrize("seed", range(40))
def test_the_default_finds_the_best_match_of_any_two_lattices(seed):
    rng = np.random.default_rng(seed)
    substrate, film = lattice(rng), lattice(rng)
    expected = judged(substrate, film, LIMITS)
    if expected is None:
        with pytest.raises(InputError, match="found none"):
            find_match(substrate, film, LIMITS)
        return
    match = find_match(substrate, film, LIMITS)
    mismatch, area = expected
    report = match.report()
    assert np.abs(match.length_mismatch).mean() == pytest.approx(mismatch, abs=1e-9)
    assert report["area_A2"] == pytest.approx(area, abs=1e-6)


def test_squares_of_nearly_one_size_match_cell_on_cell():
    limits = LIMITS.model_copy(update={"max_area_A2": 100})
    match = find_match(3.05 * np.eye(2), 3.0 * np.eye(2), limits)
    assert (match.n_substrate, match.n_film) == (1, 1)


def test_the_default_needs_no_mpinterfaces(monkeypatch):
    def missing():
        raise AssertionError("MPInterfaces was asked for")

    monkeypatch.setattr(mpinterfaces, "transformations", missing)
    assert LatticeMatch().engine == "exact"
    find_match(3.07 * np.eye(2), 3.0 * np.eye(2), LIMITS)


def test_there_are_as_many_superlattices_as_the_divisors_add_up_to():
    for n in (1, 6, 12):
        matrices = hermite_normal_forms(n)
        determinants = np.rint(np.linalg.det(matrices))
        assert (determinants == n).sum() == sum(d for d in range(1, n + 1) if n % d == 0)


def test_reduced_bases_are_shortest_and_acute():
    basis = lattice(np.random.default_rng(1))
    matrices = hermite_normal_forms(12)
    vectors = reduced(matrices, basis) @ basis
    dots = (vectors[:, 0] * vectors[:, 1]).sum(axis=1)
    squares = (vectors**2).sum(axis=2)
    np.testing.assert_allclose(
        np.abs(np.linalg.det(vectors)), np.abs(np.linalg.det(matrices @ basis))
    )
    assert (squares[:, 0] <= squares[:, 1] * (1 + 1e-9)).all()
    assert (dots >= -1e-9).all()
    assert (2 * dots <= squares[:, 0] * (1 + 1e-8)).all()
