"""Blocks of amorphous silicon: size, place, repair, split."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from dismai.base.errors import InputError
from dismai.base.resources import resource
from dismai.datasets.amorphous_si import blocks as amorphous_si
from dismai.datasets.amorphous_si.blocks import leaked_share, members, plan, repair, slice_blocks
from dismai.datasets.amorphous_si.bulk import read_bulk


@pytest.fixture(scope="module")
def large():
    return read_bulk(resource("asi_100k.npz"))


@pytest.fixture(scope="module")
def crystal():
    atoms = bulk("Si", cubic=True).repeat(5)  # 1000 atoms
    atoms.rattle(0.05, seed=1)
    atoms.wrap()
    return atoms


def parts(blocks):
    train = [block for block in blocks if not block.info["held_out"]]
    val = [block for block in blocks if block.info["held_out"]]
    return train, val


def test_blocks_have_the_papers_size_and_the_density_of_the_large_cell(large):
    blocks = slice_blocks(large, n_blocks=20, seed=1)
    assert len(blocks) == 20
    for block in blocks:
        assert len(block) == 256
        ratio = block.cell.lengths() / large.cell.lengths()
        np.testing.assert_allclose(ratio, 0.1367981, rtol=1e-6)
        assert len(block) / block.get_volume() == pytest.approx(len(large) / large.get_volume())
    train, val = parts(blocks)
    assert (len(train), len(val)) == (16, 4)


def test_all_but_the_repaired_atoms_lie_where_they_lie_in_the_large_cell(large):
    for block in slice_blocks(large, n_blocks=6, seed=2):
        added = block.info["n_added"]
        kept = block.positions[: len(block) - added]
        shifted = kept + block.info["origin"] @ large.cell.array
        scaled = shifted @ np.linalg.inv(large.cell.array)
        scaled -= np.floor(scaled)
        bulk_scaled = large.get_scaled_positions()
        for place in scaled:
            apart = bulk_scaled - place
            apart -= np.rint(apart)
            assert np.abs(apart).max(axis=1).min() < 1e-9


def test_a_block_across_the_boundary_of_the_large_cell_is_whole(crystal):
    # A block of an eighth of the cell that is shifted by half of it, across the boundary.
    scaled = crystal.get_scaled_positions()
    corner = np.array([0.8, 0.8, 0.8])
    inside, place = members(scaled, corner, 0.5)
    np.testing.assert_allclose((place + corner) % 1, scaled[inside] % 1, atol=1e-12)
    assert abs(len(inside) - 125) < 25
    assert place.min() >= 0
    assert place.max() < 0.5


def test_the_same_seed_gives_the_same_blocks_and_one_more_changes_no_other(crystal):
    first = slice_blocks(crystal, 64, 10, "random", seed=3)
    again = slice_blocks(crystal, 64, 10, "random", seed=3)
    other = slice_blocks(crystal, 64, 10, "random", seed=4)
    more = slice_blocks(crystal, 64, 10, "random", seed=3, spare_share=0.2)
    assert len(more) == 13  # at least one more of each part
    for a, b, c, d in zip(first, again, other, more, strict=False):
        np.testing.assert_array_equal(a.positions, b.positions)
        np.testing.assert_array_equal(a.positions, d.positions)
        assert np.abs(a.positions - c.positions).max() > 0.1


def test_more_candidates_leave_the_first_one_where_it_was(crystal):
    first = slice_blocks(crystal, 64, 3, "random", seed=3)
    more = slice_blocks(crystal, 64, 3, "random", seed=3, candidates=3)
    assert [cut.info["block"] for cut in more] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    for a, b in zip(first, more[::3], strict=True):
        np.testing.assert_array_equal(a.positions, b.positions)
        assert a.info["held_out"] == b.info["held_out"]
    assert np.abs(more[0].info["origin"] - more[1].info["origin"]).max() > 0.01


def test_blocks_of_a_spatial_split_share_no_atom(large):
    train, val = parts(slice_blocks(large, n_blocks=50, seed=1, candidates=3))
    assert leaked_share(large, 256, train, val) == 0


def test_a_random_split_leaks_most_atoms(large):
    # 240 blocks of 1/390 of the cell cover 1 - exp(-240/390) = 46 % of it.
    train, val = parts(slice_blocks(large, n_blocks=300, split="random", seed=1))
    assert leaked_share(large, 256, train, val) == pytest.approx(0.46, abs=0.05)


def test_corners_are_equally_dense_in_both_parts_of_a_spatial_split():
    where = plan(5000, 0.14, seed=1)
    heights = where.origins[:, 0, 2]
    train, val = heights[~where.held_out], heights[where.held_out]
    assert len(val) == 1000
    assert val.max() + 0.14 <= train.min() + 1e-12
    assert train.max() + 0.14 <= 1 + 1e-12
    assert np.ptp(train) / np.ptp(val) == pytest.approx(4, rel=0.02)


@pytest.mark.parametrize("wrong_by", [-7, -1, 0, 1, 9])
def test_the_repair_touches_only_atoms_near_the_faces(crystal, wrong_by):
    cell = 0.4 * crystal.cell.array
    _, place = members(crystal.get_scaled_positions(), np.array([0.1, 0.3, 0.2]), 0.4)
    scaled = place / 0.4
    repaired, added, removed = repair(
        scaled, cell, len(scaled) + wrong_by, np.random.default_rng(1)
    )
    assert (added, removed) == (max(0, wrong_by), max(0, -wrong_by))
    assert len(repaired) == len(scaled) + wrong_by
    old = {tuple(row) for row in scaled}
    new = {tuple(row) for row in repaired}
    depth = 2.0 / cell[0, 0]
    for row in old ^ new:
        assert min(np.min(row), 1 - np.max(row)) < depth
    if added:  # an added atom takes the room that there is
        apart = repaired[-1] - repaired[:-1]
        apart -= np.rint(apart)
        assert np.linalg.norm(apart @ cell, axis=1).min() > 1.0


def test_atoms_are_added_where_the_seam_is_empty_and_deleted_where_it_is_full():
    cell = np.diag([20.0, 20.0, 20.0])
    rng = np.random.default_rng(2)
    scaled = rng.random((400, 3))
    at_x = (scaled[:, 0] < 0.1) | (scaled[:, 0] > 0.9)
    corner = (scaled[:, 1] < 0.5) & (scaled[:, 2] < 0.5)
    hollow = scaled[~(at_x & corner)]
    repaired, _, _ = repair(hollow, cell, len(hollow) + 3, np.random.default_rng(3))
    for point in repaired[-3:]:
        assert min(point[0], 1 - point[0]) < 0.1
        assert max(point[1], point[2]) < 0.5
    extra = rng.random((60, 3)) * [0.05, 0.3, 0.3] + [0.0, 0.15, 0.15]
    full = np.vstack([scaled, extra])
    repaired, _, _ = repair(full, cell, len(full) - 5, np.random.default_rng(3))
    gone = {tuple(row) for row in full} - {tuple(row) for row in repaired}
    assert all(min(row[0], 1 - row[0]) < 0.1 and max(row[1:]) < 0.5 for row in gone)


def test_a_skewed_cell_is_repaired_with_its_true_images():
    cell = np.array([[10.0, 0, 0], [8.0, 6.0, 0], [0, 8.0, 6.0]])
    points = np.array([[0.5, 0.5, 0.5], [0.02, 0.97, 0.1]])
    scaled = np.array([[0.0, 0.0, 0.0]])
    images = np.array(list(np.ndindex(7, 7, 7))) - 3
    true = [np.linalg.norm((point - scaled + images) @ cell, axis=1).min() for point in points]
    chosen = amorphous_si._roomiest(points, scaled, cell)
    np.testing.assert_array_equal(chosen, points[np.argmax(true)])


@pytest.mark.parametrize(
    ("atoms", "settings", "message"),
    [
        (bulk("Si", cubic=True), {}, "smaller than the large cell of 8 atoms, found 256"),
        (bulk("Si", cubic=True), {"n_atoms": 8}, "smaller than the large cell of 8 .* found 8"),
        (bulk("Si", cubic=True), {"n_atoms": 0}, "found 0"),
        (Atoms("Si", cell=[3, 3, 3]), {"n_atoms": 1}, "expected at least 2 atoms, found 1"),
        (bulk("SiC", "zincblende", a=4.3, cubic=True), {"n_atoms": 4}, "one element, found C, Si"),
        (bulk("Si", cubic=True), {"n_atoms": 4}, "or split: random"),
    ],
)
def test_what_cannot_be_cut_is_one_line(atoms, settings, message):
    with pytest.raises(InputError, match=message) as error:
        slice_blocks(atoms, **settings)
    assert "\n" not in str(error.value)
