"""Neighbours and noise of Melt against slow sums, and what it finds in a training set."""

import ase.neighborlist
import numpy as np
import pytest
import torch
from ase import Atoms
from numpy.testing import assert_allclose

from dismai.models.melt import facts as melt_facts
from dismai.models.melt import graph
from dismai.models.melt.facts import facts_of, lattice_operations
from dismai.models.melt.graph import neighbours
from dismai.models.melt.hparams import Hparams
from dismai.models.melt.noise import scaled_score
from tests.makers import diamonds, ordered_alloys, permuted_alloys, slabs

CELLS = {
    "cube, longer than twice the cutoff": np.diag([9.0, 9.0, 9.0]),
    "cube, longer than the cutoff": np.diag([5.0, 5.0, 5.0]),
    "thin": np.diag([2.5, 6.0, 11.0]),
    "skewed": np.array([[6.0, 0.0, 0.0], [2.4, 5.0, 0.0], [-1.0, 2.0, 7.0]]),
}
CUTOFF = 4.1


def positions(structures):
    return torch.tensor(np.array([a.positions for a in structures]), dtype=torch.float32)


def facts(structures, **settings):
    symbols = structures[0].get_chemical_symbols()
    kinds = list(dict.fromkeys(symbols))
    species = torch.tensor([kinds.index(symbol) for symbol in symbols])
    cell = torch.tensor(structures[0].cell.array, dtype=torch.float32)
    return facts_of(positions(structures), species, cell, Hparams(**settings))


@pytest.mark.parametrize("most_dense", [0, 256], ids=["by boxes", "all pairs"])
@pytest.mark.parametrize("name", CELLS)
def test_neighbours_agree_with_the_neighbour_list_of_ase(name, most_dense, monkeypatch):
    monkeypatch.setattr(graph, "MOST_DENSE", most_dense)
    cell = CELLS[name]
    x = np.random.default_rng(0).normal(scale=9, size=(2, 13, 3))  # not wrapped
    index, vectors, distances = neighbours(torch.tensor(x), torch.tensor(cell), CUTOFF, most=1000)
    for b in range(2):
        atoms = Atoms("H13", x[b], cell=cell, pbc=True)
        first, second, apart = ase.neighborlist.neighbor_list("ijD", atoms, CUTOFF)
        found = []
        for i, row in enumerate(distances[b] < CUTOFF):
            for k in row.nonzero()[:, 0].tolist():
                found.append((i, int(index[b, i, k]), *vectors[b, i, k].tolist()))
        expected = np.column_stack([first, second, apart])
        order = [np.lexsort(np.round(np.array(a), 6).T[::-1]) for a in (found, expected)]
        assert_allclose(np.array(found)[order[0]], expected[order[1]], atol=1e-6)


def test_of_too_many_neighbours_the_nearest_count():
    x, cell = torch.rand(1, 40, 3) * 6, 6 * torch.eye(3)
    _, _, every = neighbours(x, cell, 4.0, 1000)
    _, _, some = neighbours(x, cell, 4.0, 9)
    assert_allclose(some.sort().values, every.sort().values[..., :9])


@pytest.mark.parametrize("sigma", [0.1, 0.8, 1.2, 3.0, 9.0])
@pytest.mark.parametrize("name", CELLS)
def test_the_score_is_the_derivative_of_a_sum_over_many_images(name, sigma):
    cell = torch.tensor(CELLS[name])
    delta = torch.randn(1, 9, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    delta = (sigma * delta).requires_grad_()
    reach = torch.arange(-18, 19, dtype=torch.float64)
    images = torch.cartesian_prod(reach, reach, reach)
    f = delta @ torch.linalg.inv(cell)
    images = (images - f.detach()[..., None, :].round()) @ cell  # around every atom
    squares = (delta[..., None, :] + images).square().sum(-1)
    torch.logsumexp(-0.5 * squares / sigma**2, dim=-1).sum().backward()
    expected = sigma * delta.grad
    found = scaled_score(delta.detach(), cell, torch.full((1,), sigma, dtype=torch.float64))
    assert_allclose(found, expected, atol=0.004)


def test_a_cube_has_48_operations_and_a_box_8():
    assert len(lattice_operations(torch.eye(3) * 7.2)) == 48
    operations = lattice_operations(torch.diag(torch.tensor([5.0, 6.0, 7.0])))
    assert len(operations) == 8
    assert_allclose(operations @ operations.mT, torch.eye(3).expand(8, 3, 3), atol=1e-6)


def test_what_is_found_in_a_lattice():
    found = facts(permuted_alloys(60))
    assert found.nearest == pytest.approx(3.6 / 2**0.5, abs=1e-4)
    assert found.closest == pytest.approx(found.nearest, abs=1e-4)
    assert len(found.operations) == 48  # the origin is a site
    lengths = np.sort(found.shared.norm(dim=1).numpy()) * 3.6 / (2 * np.pi)
    assert_allclose(lengths[:7], [3**0.5] * 4 + [2] * 3, atol=1e-4)  # (111) and (200)


def test_where_nothing_is_shared_no_wave_is_and_every_operation_is_kept():
    random = np.random.default_rng(0)
    structures = diamonds(60)
    for atoms in structures:
        atoms.positions += random.random(3) * 10.86
    found = facts(structures)
    assert len(found.shared) == 0
    assert len(found.operations) == 48


def test_operations_that_turn_the_shared_density_are_left_out():
    structures = slabs(20)
    found = facts(structures)
    assert len(found.shared) > 50
    assert len(found.operations) < len(
        lattice_operations(torch.tensor(structures[0].cell.array, dtype=torch.float32))
    )
    layered = facts(ordered_alloys(20))  # layers of one element along z
    assert len(layered.operations) == 8


def test_large_cells_are_looked_at_in_parts_and_at_their_longest_waves(monkeypatch):
    """All phases of a cell of 4096 random atoms at once would take 22 GB."""
    structures = slabs(12)
    whole = facts(structures)
    monkeypatch.setattr(melt_facts, "ATOMS_AT_ONCE", 7)
    parts = facts(structures)
    assert_allclose(parts.sigma_max, whole.sigma_max, rtol=1e-4)
    assert len(parts.shared) == len(whole.shared)
    monkeypatch.setattr(melt_facts, "MOST_WAVES", 60)
    some = facts(structures)
    assert len(some.shared) < 61 < len(whole.shared)
    assert some.waves.norm(dim=1).max() < whole.waves.norm(dim=1).max()


def test_the_highest_noise_reaches_across_what_the_set_shares():
    """Slabs with a vacuum need noise as wide as the vacuum, a crystal does not."""
    assert facts(slabs(20)).sigma_max > 4.0
    assert facts(permuted_alloys(20)).sigma_max < 2.5
