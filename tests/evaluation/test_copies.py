"""What counts as a copy of a training structure, and how many there may be."""

import numpy as np
import pytest
from ase import Atoms

from dismai.base.card import DatasetSpec, cell_rows
from dismai.datasets.baselines import random_decoration
from dismai.datasets.options import Options
from dismai.evaluation.copies import copies, fingerprints, most_copies
from tests.makers import alloy_spec

ALLOY = alloy_spec()
SILICON = DatasetSpec(
    name="amorphous_si",
    kind="amorphous_si",
    composition={"Si": 64},
    cell_A=cell_rows(11.1 * np.eye(3)),
)


def random_silicon(n, seed):
    rng = np.random.default_rng(seed)
    cell = SILICON.cell
    return [
        Atoms(SILICON.symbols, rng.random((SILICON.n_atoms, 3)) @ cell, cell=cell, pbc=True)
        for _ in range(n)
    ]


def found(generated, training, spec):
    rows = [fingerprints(part, spec, Options()) for part in (generated, training)]
    return copies(*rows, on_fcc=spec.kind == "alloy").tolist()


def test_a_moved_permuted_or_turned_copy_of_silicon_is_found():
    one, other = random_silicon(2, 1)
    moved, permuted, turned, near = (one.copy() for _ in range(4))
    moved.positions += [1.0, 2.0, 3.0]
    moved.wrap()
    permuted.positions = permuted.positions[::-1]
    turned.positions = turned.positions[:, [1, 2, 0]]
    near.positions[0] += 0.1
    assert found([moved, permuted, turned, near, other], [one], SILICON) == [True] * 3 + [False] * 2


def test_a_turned_decoration_is_a_copy_and_one_with_a_vacancy_is_none():
    one, other = random_decoration(ALLOY, 2, seed=3)
    turned, vacant = one.copy(), one.copy()
    turned.positions = one.positions[:, [2, 1, 0]] + 1.8
    turned.positions[:, 2] -= 1.8
    vacant.positions[0] = vacant.positions[31] + [0.1, 0, 0]
    assert found([one, turned, vacant, other], [one], ALLOY) == [True, True, False, False]


def test_what_has_no_fingerprint_is_no_copy():
    (one,) = random_silicon(1, 1)
    lost, others = one.copy(), one[:-1]
    lost.positions[0] = np.nan
    assert found([lost, others], [one], SILICON) == [False, False]


@pytest.mark.parametrize(
    ("n", "known", "held_out", "most"),
    [(50, 0, 100, 0), (50, 100, 100, 50), (0, 1, 2, 0), (9, 0, 0, 0)],
)
def test_as_many_copies_are_allowed_as_held_out_structures_explain(n, known, held_out, most):
    assert most_copies(n, known, held_out) == most


def test_the_limit_lies_above_the_share_of_held_out_structures():
    assert 10 < most_copies(50, 20, 100) < 20
