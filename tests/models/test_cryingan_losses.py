"""Facts about the Wasserstein losses: penalty on the sum, loss on the mean, who gets a gradient."""

import torch
from numpy.testing import assert_allclose

from dismai.models.adversarial import critic_loss, gradient_penalty
from dismai.models.cryingan.hparams import Hparams
from dismai.models.cryingan.module import CryinGANModule, lattice_translations
from dismai.models.cryingan.networks import Networks
from tests.makers import alloy_spec
from tests.models.conftest import SMALL


def linear_critic(weight):
    """Ten identical outputs w.x."""
    return lambda x: (x.flatten(1) @ weight)[:, None].expand(-1, 10)


def test_penalty_of_a_linear_critic():
    weight = torch.tensor([0.3, -0.4])
    penalty = 10 * gradient_penalty(linear_critic(weight), torch.rand(5, 2))
    assert_allclose(penalty.item(), 10 * (10 * 0.5 - 1) ** 2, rtol=1e-6)


def test_critic_loss_of_a_linear_critic():
    weight = torch.tensor([0.3, -0.4])
    real, fake = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    loss = critic_loss(linear_critic(weight), real, fake, torch.tensor([0.5]), penalty=10.0)
    assert_allclose(loss.item(), -0.4 - 0.3 + 10 * (10 * 0.5 - 1) ** 2, rtol=1e-6)


def small_module(**changes):
    hparams = Hparams(**{**SMALL, **changes}).resolved(alloy_spec())
    networks = Networks((6, 20, 6), hparams, torch.Generator().manual_seed(0))
    return CryinGANModule(networks, 7.2 * torch.eye(3), hparams, seed=0)


def test_generator_learns_from_distances_and_critics_are_left_alone():
    module = small_module()
    networks = module.networks
    fake = module.views(networks.generator(torch.randn(4, 64)))
    loss = -module.weight("distances") * networks.critics["distances"](fake["distances"]).mean()
    loss.backward(inputs=list(networks.generator.parameters()))
    assert networks.generator.first.weight.grad.abs().max() > 0
    assert all(parameter.grad is None for parameter in networks.critics.parameters())


def test_variants_have_the_critics_they_should():
    kinds = {
        "separate": list(small_module().networks.critics),
        "lambda 0": list(small_module(lambda_distance=0).networks.critics),
        "combined": list(small_module(critics="combined").networks.critics),
    }
    assert kinds == {
        "separate": ["coordinates", "distances"],
        "lambda 0": ["coordinates"],
        "combined": ["combined"],
    }
    combined = small_module(critics="combined")
    assert combined.views(torch.rand(2, 1, 32, 3))["combined"].shape == (2, 1, 32, 9)


def test_translations_of_a_supercell():
    translations = lattice_translations((4, 4, 4))
    assert translations.shape == (64, 3)
    assert translations[0].abs().max() == 0
    assert len(translations.unique(dim=0)) == 64
    assert set(translations.unique().tolist()) == {0.0, 0.25, 0.5, 0.75}
