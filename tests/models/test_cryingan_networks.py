"""Facts about CryinGAN's networks: shapes, symmetry, parameter counts of the paper's settings."""

import pytest
import torch
from numpy.testing import assert_allclose

import dismai.models
from dismai.models.cryingan.networks import Critic, Generator, pool_species

COUNTS = (6, 20, 6)


def new_critic(pooling="average", harmonics=0):
    random = torch.Generator().manual_seed(1)
    return Critic(COUNTS, 3, harmonics, (32, 32, 16), (24, 12), 10, pooling, random)


@pytest.mark.parametrize("pooling", ["average", "max", "mix"])
def test_a_permutation_within_species_does_not_change_a_critic(pooling):
    random = torch.Generator().manual_seed(2)
    table = torch.rand(4, 1, 32, 3, generator=random)
    order = torch.cat(
        [torch.randperm(n, generator=random) + i for n, i in zip(COUNTS, (0, 6, 26), strict=True)]
    )
    critic = new_critic(pooling)
    assert (critic(table) - critic(table[:, :, order])).abs().max() < 1e-5


def test_a_permutation_across_species_changes_a_critic():
    random = torch.Generator().manual_seed(2)
    table = torch.rand(4, 1, 32, 3, generator=random)
    critic = new_critic().double()
    for layer in (*critic.rows, *critic.heads):
        layer.weight.data *= 3  # far from linear
    assert (critic(table.double()) - critic(table.double().roll(9, dims=2))).abs().max() > 1e-3


def test_plane_waves_make_a_critic_periodic():
    random = torch.Generator().manual_seed(2)
    table = torch.rand(4, 1, 32, 3, generator=random)
    whole = torch.randint(-1, 2, table.shape, generator=random)
    periodic, plain = new_critic(harmonics=3), new_critic()
    assert (periodic(table) - periodic(table + whole)).abs().max() < 1e-5
    assert (plain(table) - plain(table + whole)).abs().max() > 1e-3


def test_pooling_by_hand():
    x = torch.tensor([[[1.0], [3.0], [5.0]]])
    assert pool_species(x, (2, 1), "average").tolist() == [[[2.0], [5.0]]]
    assert pool_species(x, (2, 1), "max").tolist() == [[[3.0], [5.0]]]
    assert pool_species(x, (2, 1), "mix").tolist() == [[[2.0, 3.0], [5.0, 5.0]]]


def test_generator_returns_fractional_coordinates():
    random = torch.Generator().manual_seed(3)
    generator = Generator(32, 64, 16, (32, 32), random)
    x = generator(torch.randn(5, 64, generator=random))
    assert x.shape == (5, 1, 32, 3)
    assert x.min() > 0
    assert x.max() < 1


def test_batch_norm_has_the_eps_of_the_paper():
    norms = Generator(4, 8, 8, (8, 8), torch.Generator()).norms
    assert {(norm.eps, norm.momentum) for norm in norms} == {(0.8, 0.1)}


def test_weights_are_xavier_uniform_and_biases_zero():
    random = torch.Generator().manual_seed(4)
    critic = Critic(COUNTS, 3, 0, (512, 512, 256), (1000, 200), 10, "average", random)
    # The first layer stands for a convolution 1 -> 512 with three columns in its kernel.
    bounds = [(6 / (3 + 3 * 512)) ** 0.5, (6 / (512 + 512)) ** 0.5]
    for layer, bound in zip(critic.rows, bounds, strict=False):
        assert layer.weight.abs().max() < bound
        assert_allclose(layer.weight.std().item(), bound / 3**0.5, rtol=0.05)
        assert layer.bias.abs().max() == 0


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        ("interface", 2_560_257 + 1_879_242 + 1_880_778),
        ("alloy_300K_narrow", 2_493_697 + 1_367_242 + 1_368_778),
        ("alloy_1500K_wide", 2_493_697 + 1_367_242 + 1_368_778),
        ("amorphous_si", 2_493_697 + 855_242 + 856_778),
    ],
)
def test_parameter_count_at_paper_scale(dataset, expected):
    assert dismai.models.parameter_count("cryingan", dataset) == expected


def test_parameters_of_each_network_at_paper_scale():
    model = dismai.models.create("cryingan", dismai.models.paper_spec("interface"))
    networks = model.new_networks(seed=0)
    counts = {
        name: sum(p.numel() for p in network.parameters())
        for name, network in (("generator", networks.generator), *networks.critics.items())
    }
    assert counts == {"generator": 2_560_257, "coordinates": 1_879_242, "distances": 1_880_778}
