"""Facts about both adversarial models of crystals: parameters, shapes, norms, who learns when."""

import math
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from dismai.base.errors import InputError
from dismai.models import check_hparams, crystal_gan, crystal_wgan, paper_spec
from dismai.models import create as create_model
from dismai.models.adversarial import critic_loss
from dismai.models.crystal_gan import module as gan_module
from dismai.models.crystal_gan import networks as gan
from dismai.models.crystal_gan.hparams import Hparams as GANHparams
from dismai.models.crystal_wgan import module as wgan_module
from dismai.models.crystal_wgan import networks as wgan
from dismai.models.crystal_wgan.hparams import Hparams as WGANHparams
from dismai.models.crystals.layers import SINGULAR, Style, scaled
from tests.makers import common_crystals


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def networks_of(made, hparams, seed=0):
    return made.Networks(hparams, torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def published_gan():
    """Of the paper's width, without numbers: only shapes."""
    with torch.device("meta"):
        return networks_of(gan, GANHparams())


@pytest.fixture(scope="module")
def published_wgan():
    return networks_of(wgan, WGANHparams())


def test_parameters_at_paper_scale(published_gan, published_wgan):
    assert count(published_gan.discriminator) == 21_469_948
    assert count(published_gan.generator) == 10_462_041
    assert count(published_wgan.critic) == 508_113
    assert count(published_wgan.generator) == 1_060_129


def shapes_of(layers, x):
    """Shapes after every layer but the batch, and the last output."""
    shapes = []
    for layer in layers:
        x = layer(x)
        shapes.append(tuple(x.shape[1:]))
    return shapes, x


def test_shapes_of_the_plain_model(published_gan):
    d, g = published_gan.discriminator, published_gan.generator
    with torch.device("meta"):
        pictures, z = torch.empty(2, 4, 64, 64), torch.empty(2, 128)
        shapes, x = shapes_of(d.down, pictures.movedim(1, -1)[:, None])
        assert [shape[1] for shape in shapes] == [64, 62, 60, 58, 56, 50, 44, 38, 32]
        assert shapes[3:5] + shapes[-1:] == [(32, 58, 58, 4), (64, 56, 56, 4), (64, 32, 32, 4)]
        assert shapes_of(d.last_down, x)[0] == [(128, 6, 6, 3), (256, 3, 3, 1)]
        assert [shape for (shape,) in shapes_of(d.dense, pictures.flatten(1))[0]] == 4 * [1024]
        assert d(pictures).shape == (2, 1)
        x, sides = g.start(z).reshape(2, 1, 16, 16, 4), []
        for up in g.up:
            x = up(x)
            sides.append(tuple(x.shape[1:]))
        assert sides == [(128, 22, 22, 10), (64, 28, 28, 16), (64, 32, 32, 20), (32, 64, 64, 40)]
        widths = [[layer[0].out_features for layer in dense] for dense in g.dense]
        assert widths == [[484, 484], [784, 784, 784], [1024, 1024], [4096]]
        assert g.picture.map(x).shape == (2, 1, 64, 64, 4)


def test_shapes_of_the_wasserstein_model(published_wgan):
    with torch.no_grad():
        shapes, _ = shapes_of(published_wgan.critic.convolutions, torch.rand(1, 1, 64, 64, 4))
        assert [shape[0] for shape in shapes] == [16] * 6 + [32] * 3 + [64] * 2 + [128]
        assert [shape[1] for shape in shapes] == [64, 64, 62, 60, 58, 56, 50, 44, 38, 32, 6, 3]
        assert shapes[-3:] == [(64, 32, 32, 4), (64, 6, 6, 3), (128, 3, 3, 1)]
        assert published_wgan.critic.last.in_features == 1152
        up = published_wgan.generator.convolutions
        shapes, _ = shapes_of(up, torch.rand(1, 1, 16, 16, 4))
        assert [shape[0] for shape in shapes] == [128, 128, 64, 64, 32, 32, 32, 32, 32]
        assert shapes[-2:] == [(32, 32, 32, 20), (32, 64, 64, 40)]


def test_width_scales_channels_and_leaves_the_picture():
    assert [scaled(n, 1 / 16) for n in (16, 128, 1024)] == [4, 8, 64]
    for made, hparams in ((gan, GANHparams), (wgan, WGANHparams)):
        narrow = networks_of(made, hparams(width=1 / 16))
        pictures = narrow.generator(torch.randn(2, 128))
        assert pictures.shape == (2, 4, 64, 64)
        assert 0 < pictures.min() < pictures.max() < 1


def test_published_settings():
    plain, wasserstein = GANHparams(), WGANHparams()
    assert (plain.batch, plain.latent, plain.learning_rate, plain.betas) == (
        64, 128, 1e-5, (0.9, 0.999),
    )  # fmt: skip
    assert plain.epochs * 53_856 // 64 == GANHparams.PUBLISHED_STEPS + 75  # halves are cut off
    assert (wasserstein.learning_rate, wasserstein.betas) == (1e-4, (0.0, 0.9))
    assert (wasserstein.penalty, wasserstein.generator_every, wasserstein.dropout) == (10, 5, 0.25)
    assert wasserstein.PUBLISHED_STEPS == 100 * 5 * (53_856 // 64)
    with pytest.raises(InputError, match="batch: expected greater than or equal to 2, found 1"):
        check_hparams("crystal_gan", {"batch": 1})


def test_defaults_of_keras():
    norm = gan.BatchNorm(1)
    x = torch.tensor([[-1.0], [3.0]])
    assert_allclose(norm(x).flatten().tolist(), [-2 / math.sqrt(4.001), 2 / math.sqrt(4.001)])
    assert_allclose(norm.running_mean, [0.01])
    layer = Style(gan.BatchNorm, 0.0, False, torch.Generator().manual_seed(0)).map(
        nn.Conv3d(3, 5, (2, 2, 2))
    )
    bound = math.sqrt(6 / (8 * 3 + 8 * 5))
    assert bound * 0.9 < layer.weight.abs().max() <= bound
    assert layer.bias.abs().max() == 0
    model = gan_module.CrystalGANModule(networks_of(gan, GANHparams(width=1 / 16)), GANHparams(), 0)
    assert {optimizer.defaults["eps"] for optimizer in model.configure_optimizers()} == {1e-7}


def training_of(name, **changes):
    """A module that trains by itself, without a trainer of Lightning, and pictures."""
    made, hparams, module_class = {
        "gan": (gan, GANHparams, gan_module.CrystalGANModule),
        "wgan": (wgan, WGANHparams, wgan_module.CrystalWGANModule),
    }[name]
    h = hparams(**{"width": 1 / 16, **changes})
    module = module_class(networks_of(made, h), h, seed=0)
    optimizers = module.configure_optimizers()
    module.optimizers = lambda: optimizers
    module.manual_backward = lambda loss, inputs=None: loss.backward(inputs=inputs)
    model = create_model(f"crystal_{name}", paper_spec("crystals"))
    return module.train(), model.training_pictures(common_crystals(4))[[0, 1, 2, 3]]


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """Modules that are not in a trainer: the first epoch, of 3 batches."""
    trainer = SimpleNamespace(num_training_batches=3)
    for module in (gan_module.CrystalGANModule, wgan_module.CrystalWGANModule):
        monkeypatch.setattr(module, "current_epoch", 0)
        monkeypatch.setattr(module, "trainer", trainer)


def test_the_generator_meets_a_discriminator_that_normalises_by_running_statistics():
    """And learns with its own batch, while it draws for the discriminator by running ones."""
    module, pictures = training_of("gan", dropout=0.0, learning_rate=1e-30)
    generator, discriminator = module.networks.generator, module.networks.discriminator
    random = module.random_of_step(7)
    noise = [module.noise(4, random), module.noise(4, random)]
    state = {name: value.clone() for name, value in module.networks.state_dict().items()}
    found = module.training_step(pictures, 7)
    means = {name: value.clone() for name, value in module.networks.state_dict().items()}

    module.networks.load_state_dict(state)
    module.train()
    with torch.no_grad():
        seen = [discriminator(pictures), discriminator(generator.eval()(noise[0]))]
        by_running = discriminator.eval()(generator.train()(noise[1]))
        for name, value in module.networks.state_dict().items():
            if "running" in name:
                assert_allclose(value, means[name], rtol=1e-6, err_msg=name)
        by_batch = discriminator.train()(generator(noise[1]))
    one, zero = torch.ones(4, 1), torch.zeros(4, 1)
    expected = [
        binary_cross_entropy_with_logits(*pair).item()
        for pair in ((seen[0], one), (seen[1], zero), (by_running, one))
    ]
    assert_allclose([loss.item() for loss in found.values()], expected, rtol=1e-6)
    assert (by_running - by_batch).abs().max() > 0.01


def test_each_step_of_the_plain_model_moves_its_own_network():
    module, pictures = training_of("gan", learning_rate=1e-3)
    moved = []
    descend = module.descend

    def noted(optimizer, loss, of=()):
        before = [value.detach().clone() for value in module.networks.parameters()]
        descend(optimizer, loss, of)
        after = module.networks.named_parameters()
        changed = {name.split(".")[0] for (name, value), old in zip(after, before, strict=True)
                   if not torch.equal(value, old)}  # fmt: skip
        moved.append(changed)

    module.descend = noted
    module.training_step(pictures, 0)
    assert moved == [{"discriminator"}, {"discriminator"}, {"generator"}]
    assert module.training_step(pictures[:1], 1) is None


def test_the_penalty_of_a_linear_critic_of_pictures():
    """|gradient| is 3 everywhere."""
    weight = torch.randn(4 * 64 * 64, generator=torch.Generator().manual_seed(0))
    weight *= 3 / weight.norm()
    real, fake = torch.rand(2, 4, 64, 64), torch.rand(2, 4, 64, 64)
    scores = [(x.flatten(1) @ weight).mean() for x in (fake, real)]
    loss = critic_loss(
        lambda x: (x.flatten(1) @ weight)[:, None], real, fake, torch.rand(2), penalty=10.0
    )
    assert_allclose(loss.item(), (scores[0] - scores[1]).item() + 10 * (3 - 1) ** 2, rtol=1e-5)


def maps_with_a_norm(network):
    return [module for module in network.modules() if hasattr(module, "parametrizations")]


def test_every_map_has_its_largest_singular_value_at_one_also_after_20_steps():
    module, pictures = training_of("wgan", generator_every=10)
    generator, critic = module.networks.generator, module.networks.critic
    assert len(maps_with_a_norm(critic)) == 13
    assert len(maps_with_a_norm(generator)) == 11
    for step in range(20):
        module.training_step(pictures[:1], step)
    for network in (critic, generator):
        for one in maps_with_a_norm(network.eval()):
            largest = torch.linalg.matrix_norm(one.weight.detach().flatten(1), 2)
            assert largest == pytest.approx(1, abs=0.05)
            assert one.get_buffer(SINGULAR[0]).norm() == pytest.approx(1, abs=1e-5)


def test_the_generator_learns_after_every_few_batches_also_across_epochs(monkeypatch):
    module, pictures = training_of("wgan", generator_every=2)
    learned = []
    for epoch in range(2):
        monkeypatch.setattr(type(module), "current_epoch", epoch)
        learned += ["generator" in module.training_step(pictures[:1], i) for i in range(3)]
    assert learned == [False, True] * 3


def test_a_critic_step_leaves_the_generator_and_the_other_way_round():
    module, pictures = training_of("wgan", generator_every=2, learning_rate=1e-3)

    def weights():
        named = module.networks.named_parameters()
        return {name: value.detach().clone() for name, value in named}

    states = [weights()]
    for step in range(2):
        module.training_step(pictures[:2], step)
        states.append(weights())
    moved = [
        {name.split(".")[0] for name in a if not torch.equal(a[name], b[name])}
        for a, b in pairwise(states)
    ]
    assert moved == [{"critic"}, {"critic", "generator"}]


@pytest.mark.slow
def test_a_discriminator_tells_crystals_from_what_is_drawn_after_a_few_steps():
    """In 7 s. A guess costs 0.69 of either kind."""
    module, pictures = training_of("gan", learning_rate=1e-3)
    losses = [module.training_step(pictures, step) for step in range(12)][-1]
    assert losses["discriminator_real"] < 0.2
    assert losses["discriminator_drawn"] < 0.5


def test_packages_give_their_classes_only():
    assert crystal_gan.CrystalGAN.architecture == "crystal_gan"
    assert crystal_wgan.CrystalWGAN.architecture == "crystal_wgan"
    with pytest.raises(AttributeError, match="has no attribute 'Other'"):
        crystal_gan.Other  # noqa: B018
