import itertools

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st

from dismai.base.errors import InputError, StructureError
from dismai.metrics.structure_factor import first_peak, structure_factor
from tests.makers import random_cell

SEEDS = st.integers(0, 2**32 - 1)
some = settings(max_examples=10)


@some
@given(SEEDS)
def test_s_of_q_is_the_plain_sum_over_reciprocal_vectors(seed):
    atoms = random_cell(np.random.default_rng(seed), 11)
    q, s = structure_factor(atoms, 3.0, 0.25)
    numbers = np.array(list(itertools.product(range(-9, 10), repeat=3)))
    vectors = numbers @ (2 * np.pi * np.linalg.inv(atoms.cell.array).T)
    lengths = np.linalg.norm(vectors, axis=1)
    vectors = vectors[(lengths > 0) & (lengths < 3)]
    intensity = np.abs(np.exp(1j * vectors @ atoms.positions.T).sum(axis=1)) ** 2 / 11
    k = (np.linalg.norm(vectors, axis=1) / 0.25).astype(int)
    counts = np.bincount(k, minlength=12)
    expected = np.full(12, np.nan)
    expected[counts > 0] = (np.bincount(k, intensity, 12) / np.maximum(counts, 1))[counts > 0]
    np.testing.assert_allclose(s, expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(q, 0.125 + 0.25 * np.arange(12))


@some
@given(SEEDS)
def test_s_of_q_does_not_change_with_the_frame(seed):
    rng = np.random.default_rng(seed)
    atoms = random_cell(rng, 9)
    expected = structure_factor(atoms, 4.0)[1]
    moved = atoms[rng.permutation(9)]
    moved.positions += rng.normal(0, 30, 3)
    np.testing.assert_allclose(structure_factor(moved, 4.0)[1], expected, rtol=1e-8, atol=1e-10)


def test_a_crystal_has_bragg_peaks():
    atoms = bulk("Cu", a=3.6, cubic=True).repeat(3)
    q, s = structure_factor(atoms, 4.0, 0.05)
    bragg = 2 * np.pi / 3.6 * np.sqrt([3, 4])  # (111) and (200)
    lit = np.flatnonzero(np.nan_to_num(s) > 1e-9)
    np.testing.assert_allclose(q[lit], bragg, atol=0.025)
    # the bin holds other vectors of the supercell too: 8 of 24 + 8 of length^2 27
    np.testing.assert_allclose(s[lit[0]], 108 * 8 / 32)


def test_atoms_without_order_scatter_alone():
    rng = np.random.default_rng(1)
    curves = [
        structure_factor(Atoms("Si50", rng.random((50, 3)) * 10, cell=[10] * 3, pbc=True), 6.0)[1]
        for _ in range(20)
    ]
    mean = np.mean(curves, axis=0)[20:]
    np.testing.assert_allclose(mean[np.isfinite(mean)].mean(), 1.0, atol=0.02)


def test_the_peak_is_between_the_bins():
    q = np.arange(0.05, 8, 0.1)
    s = 1 - 0.5 * (q - 2.013) ** 2
    s[:4] = np.nan
    peak = first_peak(q, s)
    np.testing.assert_allclose(peak, (2.013, 1.0, 2 * np.pi / 2.013), rtol=1e-9)
    with pytest.raises(InputError, match="bins"):
        first_peak(q, s, 1.0, 1.1)


def test_the_peak_of_rattled_silicon_is_the_first_bragg_peak():
    atoms = bulk("Si", a=5.43, cubic=True).repeat(3)
    atoms.rattle(0.1, seed=0)
    np.testing.assert_allclose(first_peak(*structure_factor(atoms)).position, 2.004, atol=0.05)


def test_a_huge_cell_is_refused():
    with pytest.raises(StructureError, match="too many"):
        structure_factor(Atoms("Si", cell=[5000] * 3, pbc=True))
    with pytest.raises(InputError, match="multiple"):
        structure_factor(bulk("Si"), 1.0, 0.3)
