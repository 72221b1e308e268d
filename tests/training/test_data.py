"""Batches follow from (seed, epoch); coordinates end up in [0, 1)."""

import numpy as np
from ase import Atoms

from dismai.base.card import DatasetSpec
from dismai.files.structures import hash_structures
from dismai.training.data import EpochBatches, fractional_coordinates

SPEC = DatasetSpec(
    name="amorphous_si",
    kind="amorphous_si",
    composition={"Si": 2},
    cell_A=((4.0, 0.0, 0.0), (1.0, 5.0, 0.0), (0.0, 0.5, 6.0)),
)


def structure(x):
    return Atoms("Si2", positions=np.array(x) @ SPEC.cell, cell=SPEC.cell, pbc=True)


def test_every_item_once_an_epoch_in_another_order():
    sampler = EpochBatches(20, 8, seed=1)
    orders = []
    for epoch in (0, 1, 0):
        sampler.set_epoch(epoch)
        batches = list(sampler)
        assert [len(batch) for batch in batches] == [8, 8, 4]
        assert len(sampler) == 3
        orders.append(sum(batches, []))
        assert sorted(orders[-1]) == list(range(20))
    assert orders[0] == orders[2] != orders[1]


def test_coordinates_are_wrapped_and_the_upper_face_is_the_lower_one():
    x = fractional_coordinates([structure([[1.25, -0.25, 0.5], [-1e-12, 1 - 1e-9, 3.0]])], SPEC)
    np.testing.assert_allclose(x, [[[0.25, 0.75, 0.5], [0, 0, 0]]], atol=1e-8)
    assert x.min() >= 0
    assert x.max() < 1


def test_the_hash_sees_every_coordinate_and_the_order():
    a, b = structure([[0, 0, 0], [0.5, 0.5, 0.5]]), structure([[0, 0, 0], [0.5, 0.5, 0.4]])
    hashes = {hash_structures(s) for s in ([a, b], [b, a], [a], [a, a])}
    assert len(hashes) == 4
    assert hash_structures([a, b]) == hash_structures([a.copy(), b.copy()])


def test_the_hash_sees_the_space_group_that_is_stated_and_nothing_where_there_is_none():
    """A picture of a crystal shows it: another one is another training set."""
    plain, *stated = (structure([[0, 0, 0], [0.5, 0.5, 0.5]]) for _ in range(3))
    for atoms, group in zip(stated, (225, 1), strict=True):
        atoms.info["space_group"] = group
    assert len({hash_structures([one]) for one in (plain, *stated)}) == 3
    assert hash_structures([plain]).startswith("7f91a47a4b4a")  # as before groups were seen
