import itertools

import ase.neighborlist
import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st

from dismai.postprocess import move_apart

SEEDS = st.integers(0, 2**32 - 1)
some = settings(max_examples=25)


def chain(*x, edge=10.0):
    return Atoms(f"H{len(x)}", [(v, 5, 5) for v in x], cell=[edge] * 3, pbc=True)


def slow_pass(positions, cell):
    """One pass of the published procedure by plain loops; the number of pairs it found."""
    images = np.array(list(itertools.product((-1, 0, 1), repeat=3))) @ cell
    pairs = []
    for i, j in itertools.combinations(range(len(positions)), 2):
        d = positions[j] - positions[i]
        d -= np.rint(d @ np.linalg.inv(cell)) @ cell
        if np.linalg.norm(images + d, axis=1).min() <= 1.5:
            pairs.append((i, j))
    for i, j in pairs:
        v = positions[j] - positions[i]
        positions[j] = positions[i] + v * 1.6 / np.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2])
    return len(pairs)


@some
@given(SEEDS)
def test_positions_are_those_of_plain_loops_to_the_last_bit(seed):
    rng = np.random.default_rng(seed)
    atoms = Atoms("H12", rng.random((12, 3)) * 5, cell=5 * np.eye(3), pbc=True)
    expected, n_passes = atoms.positions.copy(), 1
    while n_passes < 100 and slow_pass(expected, atoms.cell.array) > 0:
        n_passes += 1
    found, status = move_apart(atoms)
    if status == "ok":
        np.testing.assert_array_equal(found.positions, expected)
        assert found.info["n_passes"] == n_passes
    else:
        assert n_passes == 100


@some
@given(SEEDS)
def test_no_pair_is_close_afterwards(seed):
    rng = np.random.default_rng(seed)
    cell = 9 * np.eye(3) + rng.normal(0, 1, (3, 3))
    atoms = Atoms("H25", rng.normal(0, 1, (25, 3)) @ cell, cell=cell, pbc=True)
    found, status = move_apart(atoms)
    if status != "ok":
        assert found.info["n_passes"] == 100
        return
    assert not len(ase.neighborlist.neighbor_list("i", found, 1.5 - 1e-6))


def test_a_chain_is_stretched_from_its_first_atom():
    found, status = move_apart(chain(1, 2, 3))
    assert status == "ok"
    np.testing.assert_allclose(found.positions[:, 0], [1.0, 2.6, 4.2], rtol=1e-15)
    assert found.info == {"n_close_pairs": 2, "n_passes": 2}


def test_a_pair_across_the_boundary_jumps_to_the_other_side():
    found, status = move_apart(chain(0.1, 9.9))
    assert status == "ok"
    np.testing.assert_allclose(found.positions[:, 0], [0.1, 1.7], rtol=1e-14)


def test_the_result_depends_on_the_order_of_the_atoms():
    found, _ = move_apart(chain(2, 1))
    np.testing.assert_allclose(found.positions[:, 0], [2.0, 0.4], rtol=1e-14)


def test_distant_atoms_stay_as_they_are():
    atoms = chain(-3, 1, 14.5)
    atoms.set_velocities(np.ones((3, 3)))
    found, status = move_apart(atoms)
    assert status == "ok"
    assert set(found.arrays) == {"numbers", "positions"}
    np.testing.assert_array_equal(found.positions, atoms.positions)
    assert found.info == {"n_close_pairs": 0, "n_passes": 1}


def test_the_limit_is_inclusive():
    assert move_apart(chain(1, 2.5))[0].info["n_close_pairs"] == 1
    assert move_apart(chain(1, 2.5 + 1e-7))[0].info["n_close_pairs"] == 0


def test_a_pass_that_finds_none_is_needed():
    assert move_apart(chain(1, 2, 3), max_iterations=1)[1] != "ok"
    assert move_apart(chain(1, 2, 3), max_iterations=2)[1] == "ok"


@pytest.mark.parametrize(
    ("atoms", "reason"),
    [
        (chain(1, 1), "atoms 0 and 1"),
        (chain(1, np.nan), "finite"),
        (chain(1, 6, edge=1.0), "atom 0: expected its images 1.5 Å apart"),
        (Atoms("H9", np.random.default_rng(0).random((9, 3)) * 2, cell=[2] * 3), "100 passes"),
    ],
)
def test_what_cannot_be_separated_is_not_accepted(atoms, reason):
    found, status = move_apart(atoms)
    assert reason in status
    assert len(found) == len(atoms)
