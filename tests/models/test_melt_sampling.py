"""Networks and sampling of Melt: symmetry, exact numbers, repair, cells of any size."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from dismai.base.seeds import seed_for
from dismai.models.batches import Streams
from dismai.models.melt.facts import Facts
from dismai.models.melt.graph import neighbours
from dismai.models.melt.hparams import Hparams
from dismai.models.melt.module import NamerModule, Surroundings
from dismai.models.melt.naming import groups, name_places
from dismai.models.melt.network import Networks
from dismai.models.melt.noise import scaled_score
from dismai.models.melt.sampler import anneal, doubled_atoms, place_levels, repair, wrap

SMALL = Hparams(
    hidden=32,
    channels=4,
    namer_hidden=32,
    namer_channels=4,
    namer_layers=2,
    neighbours=14,
    most_neighbours=40,
    namer_neighbours=14,
    levels=30,
    correctors=3,
)
CELL = 6.0 * torch.eye(3)


def some_facts(shared=0, cutoff=2.9, edge=6.0):
    q = 2 * np.pi / edge * torch.tensor([[1.0, 1, 1], [2, 0, 0], [0, 2, 0], [2, 2, 0]])
    return Facts(2.0, 1.8, cutoff, cutoff, 2.0, q, q[:shared], torch.eye(3)[None])


def networks(shared=0, n_species=2, **settings):
    """With random weights everywhere: those that begin at zero would hide what is wrong."""
    random = torch.Generator().manual_seed(0)
    h = SMALL.model_copy(update=settings)
    found = Networks(n_species, some_facts(shared), h, random)
    for parameter in found.parameters():
        torch.nn.init.normal_(parameter, std=0.3, generator=random)
    return found.eval()


def atoms(n_batch=2, n_atoms=24, seed=0):
    random = torch.Generator().manual_seed(seed)
    return torch.rand(n_batch, n_atoms, 3, generator=random) @ CELL


def streams(n, name="streams"):
    return Streams((seed_for(0, name, i) for i in range(n)), torch.device("cpu"))


@torch.no_grad()
def outputs(found, x, cell, species, n_repeats=1):
    """Of the mover and the namer, side by side, (B, N, 3 + n_species)."""
    eps = found.mover(x, cell, species, torch.full((len(x),), 0.4))
    index, _, distances = neighbours(x, cell, found.namer.cutoff, SMALL.most_neighbours)
    left = torch.tensor([[3.0, 5.0]]).expand(len(x), -1) * n_repeats
    return torch.cat([eps, found.namer(x, found.namer.edges(index, distances), species, left)], 2)


@pytest.mark.parametrize("shared", [0, 3])
def test_relabelling_atoms_relabels_the_output(shared):
    found, x = networks(shared), atoms()
    species = torch.randint(3, x.shape[:2], generator=torch.Generator().manual_seed(1))
    order = torch.randperm(x.shape[1], generator=torch.Generator().manual_seed(2))
    out = outputs(found, x, CELL, species)
    moved = outputs(found, x[:, order], CELL, species[:, order])
    assert out.std() > 0.1
    assert_allclose(moved, out[:, order], atol=2e-5)


@pytest.mark.parametrize("shared", [0, 3])
def test_a_repeated_structure_has_the_output_of_its_cell(shared):
    found, x = networks(shared), atoms(1)
    species = torch.randint(3, x.shape[:2], generator=torch.Generator().manual_seed(1))
    corners = torch.cartesian_prod(*[torch.arange(2.0)] * 3) @ CELL
    large = (corners[:, None] + x).flatten(0, 1)[None]
    out = outputs(found, x, CELL, species)
    again = outputs(found, large, 2 * CELL, species.repeat(1, 8), n_repeats=8)
    assert_allclose(again, out.repeat(1, 8, 1), atol=2e-5)


def test_the_score_and_the_names_do_not_depend_on_the_origin_where_nothing_is_shared():
    found, x = networks(), atoms()
    species = torch.full(x.shape[:2], 2)
    shifted = x + torch.tensor([1.3, -0.4, 7.0])
    out = outputs(found, x, CELL, species)
    assert_allclose(outputs(found, shifted, CELL, species), out, atol=2e-5)
    assert_allclose(out[..., :3].mean(1), 0, atol=1e-5)  # nor is it moved as a whole
    found = networks(shared=3)
    apart = outputs(found, shifted, CELL, species) - outputs(found, x, CELL, species)
    assert apart.abs().max() > 0.1


@pytest.mark.parametrize("shared", [0, 3])
def test_half_precision_leaves_positions_as_they_are(shared):
    """Phases of bfloat16 would be off by a tenth and more of a turn; scores differ by 1 %."""
    found, x = networks(shared), atoms() + 60.0
    species = torch.randint(3, x.shape[:2], generator=torch.Generator().manual_seed(1))
    out = outputs(found, x, CELL, species)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = outputs(found, x, CELL, species)
    assert half.dtype == torch.float32
    assert 0 < (half - out)[..., :3].std() / out[..., :3].std() < 0.05
    assert 0 < (half - out).std() / out.std() < 0.5  # logits of large random weights cancel


def test_counts_are_exact_whatever_the_network_prefers():
    found, x = networks(), atoms(3)
    with torch.no_grad():
        found.namer.head.bias[:] = torch.tensor([9.0, -9.0])
    names = name_places(found.namer, x, CELL, torch.tensor([5, 19]), streams(3), 40)
    assert [torch.bincount(row).tolist() for row in names] == [[5, 19]] * 3
    assert not torch.equal(names[0], names[1])


def test_places_named_together_do_not_see_each_other():
    x, cutoff = torch.rand(1, 300, 3) * 20, 3.0
    index, _, distances = neighbours(x, 20 * torch.eye(3), cutoff, 60)
    order = torch.randperm(300)
    found = groups(order, index[0], distances[0] < cutoff)
    assert sorted(i for group in found for i in group) == list(range(300))
    assert len(found) < 75
    assert [len(group) for group in found[:16]] == [1] * 16
    for group in found:
        together = (x[0, group][:, None] - x[0, group]).abs()
        apart = torch.minimum(together, 20 - together).norm(dim=-1)
        assert (apart + 20 * torch.eye(len(group))).min() >= cutoff


def checkerboard(n=4, edge=1.5):
    sites = torch.cartesian_prod(*[torch.arange(n)] * 3)
    return sites.float() * edge, sites.sum(1) % 2, n * edge * torch.eye(3)


def test_a_namer_learns_a_checkerboard_and_draws_it():
    """Both of its colourings, each about every second time."""
    x, colour, cell = checkerboard()
    facts = some_facts(cutoff=2.4)
    order = colour.argsort(stable=True)
    namer = Networks(2, facts, SMALL, torch.Generator().manual_seed(0)).namer
    module = NamerModule(namer, colour[order], facts, SMALL, seed=0)
    data = Surroundings(x[order][None].expand(8, -1, -1), cell, facts.namer_cutoff, 40)
    optimizer = module.configure_optimizers()
    for step in range(150):
        losses = module.losses(data[list(range(8))], torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        losses["loss"].backward()
        optimizer.step()
    with torch.no_grad():
        drawn = name_places(
            namer, x.expand(8, -1, -1), cell, torch.tensor([32, 32]), streams(8), 40
        )
    right = (drawn == colour).float().mean(1)
    assert torch.maximum(right, 1 - right).mean() > 0.92  # 0.57 by chance
    assert 0.1 < right.mean() < 0.9


class Sites:
    """The score of atoms that lie on sites each by itself, whoever lies on them already."""

    unknown = 1

    def __init__(self, sites):
        self.sites = sites

    def __call__(self, x, cell, species, sigma):
        s = sigma[:, None, None]
        apart = x[:, :, None] - self.sites
        apart = apart - cell.diagonal() * (apart / cell.diagonal()).round()
        weight = torch.softmax(-0.5 * apart.square().sum(-1) / s**2, dim=-1)
        return -(weight[..., None] * apart).sum(2) / s


def test_atoms_find_sites_and_repair_gives_every_atom_its_own():
    """Without repair a third of the sites of independent atoms stays empty."""
    sites, _, cell = checkerboard()
    h = SMALL.model_copy(update={"repairs": 20})
    mover, levels = Sites(sites), place_levels(SMALL, 1.5, 1.5, 0.02)
    species, chance = torch.zeros(4, 64, dtype=torch.long), streams(4)
    x = chance.uniform(64, 3) @ cell
    x = anneal(mover, x, cell, species, levels, chance, h.corrector)
    assert (filled(x, sites, cell) < 0.8).all()
    again = [level for level in levels if level[0] < 0.2]
    x = repair(mover, x, cell, species, again, chance, h, too_close=0.7)
    assert not doubled_atoms(x, cell, 0.7).any()
    assert (filled(x, sites, cell) == 1).all()


def filled(x, sites, cell):
    apart = x[:, :, None] - sites
    apart = apart - cell.diagonal() * (apart / cell.diagonal()).round()
    return (apart.norm(dim=-1) < 0.2).any(1).float().mean(1)


def test_a_structure_without_doubled_atoms_is_not_touched_by_repair():
    sites, _, cell = checkerboard()
    x = sites.expand(2, -1, -1).clone()
    x[1, 5] = x[1, 9] + 0.1
    species = torch.zeros(2, 64, dtype=torch.long)
    arguments = (cell, species, [(0.1, 1)], streams(2), SMALL, 0.7)
    mended = repair(Sites(sites), x, *arguments)
    assert torch.equal(mended[0], x[0])
    assert (filled(mended, sites, cell) == 1).all()


def test_annealing_with_a_perfect_score_draws_a_normal_distribution_on_the_torus():
    """About one point, with a standard deviation of 0.5 Å that the score knows."""
    cell, width = 5.0 * torch.eye(3), 0.5

    class Normal:
        def __call__(self, x, cell, species, sigma):
            total = (sigma**2 + width**2).sqrt()
            return scaled_score(x - 2.5, cell, total) * (sigma / total)[:, None, None]

    levels = place_levels(SMALL, 2.0, 3.0, 0.02)
    chance = streams(1)
    x = chance.uniform(4000, 3) @ cell
    x = anneal(Normal(), x, cell, torch.zeros(1, 4000), levels, chance, 0.3)
    assert_allclose(x.mean((0, 1)), 2.5, atol=0.05)
    assert_allclose(x.std(1)[0], width, rtol=0.08)
    assert_allclose(wrap(x + 10.0, cell), x, atol=1e-4)
