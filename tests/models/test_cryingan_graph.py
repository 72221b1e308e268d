"""The critic of graph convolutions: what it sees, its gradients, and a training that diverges."""

import numpy as np
import pandas as pd
import pytest
import torch
from ase import Atoms

from dismai.base.card import DatasetSpec
from dismai.models.cryingan import CryinGAN
from dismai.models.cryingan.graph_critic import GraphCritic
from dismai.properties.cgcnn.graph import graph_of
from dismai.properties.cgcnn.network import Network
from tests.properties.inputs import inputs_of

NUMBERS = [3, 3, 8, 8, 8, 17]
CELL = torch.tensor([[7.0, 0.0, 0.0], [0.5, 8.0, 0.0], [0.0, 0.3, 9.0]])


@pytest.fixture
def critic():
    return GraphCritic(NUMBERS, CELL, torch.Generator().manual_seed(0)).eval()


def places(n_structures):
    return torch.rand(n_structures, 1, 6, 3, generator=torch.Generator().manual_seed(1))


def test_it_is_the_network_that_predicts_properties(critic):
    """The same numbers by the graph and the network of CGCNN, with these weights."""
    network = Network(64, n_convolutions=3, hidden=128).eval()
    own = dict(zip(network.state_dict(), critic.state_dict().values(), strict=True))
    network.load_state_dict(own)
    x = places(2)
    for scores, table in zip(critic(x), x, strict=True):
        positions = (table[0] @ CELL).double().numpy()
        graph = graph_of(Atoms(NUMBERS, positions=positions, cell=CELL.numpy(), pbc=True))
        expected = network(*inputs_of(graph, torch.float32))
        torch.testing.assert_close(scores, expected, rtol=1e-4, atol=1e-5)


def test_scores_depend_on_distances_alone_and_on_the_elements(critic):
    x = places(2)
    torch.testing.assert_close(critic((x + 0.37) % 1.0), critic(x), rtol=1e-4, atol=1e-5)
    same = x[:, :, [1, 0, 3, 4, 2, 5]]
    torch.testing.assert_close(critic(same), critic(x), rtol=1e-4, atol=1e-5)
    other = x[:, :, [2, 1, 0, 3, 4, 5]]
    assert (critic(other) - critic(x)).abs().max() > 1e-4


def test_its_penalty_reaches_the_weights(critic):
    x = places(3).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    assert torch.isfinite(gradient).all()
    assert gradient.abs().max() > 0
    gradient.square().sum().backward()
    assert critic.convolutions[0].fc_full.weight.grad.abs().max() > 0


@pytest.mark.parametrize("worst", [None, 2])
def test_a_training_ends_where_its_losses_are_no_numbers(tmp_path, monkeypatch, worst):
    spec = DatasetSpec(
        name="interface", kind="interface", composition={"Li": 2, "O": 3, "Cl": 1},
        cell_A=CELL.tolist(),
    )  # fmt: skip
    hparams = CryinGAN.Hparams(
        critics="graph", lambda_distance=0.05, latent=2, generator_first=4,
        generator_channels=(4,), learning_rate=1e-3, batch=2, epochs=3, generator_every=1,
    )  # fmt: skip
    if worst is not None:
        from dismai.models.cryingan import module

        n_calls = iter(range(100))
        finite = module.critic_loss
        monkeypatch.setattr(
            module, "critic_loss",
            lambda *given: finite(*given) * (np.inf if next(n_calls) == worst else 1.0),
        )  # fmt: skip
    cell = CELL.numpy()
    train = [
        Atoms(spec.symbols, scaled_positions=table[0].numpy(), cell=cell, pbc=True)
        for table in places(2)
    ]
    model = CryinGAN(spec, hparams)
    model.device = "cpu"
    model.fit(train, [], tmp_path, 1)
    history = pd.read_csv(tmp_path / "history.csv")
    assert history["epoch"].tolist() == ([1, 2, 3] if worst is None else [1, 2])
    assert np.isfinite(history).all(axis=None)
    (drawn,) = model.sample(1, 0)
    assert np.isfinite(drawn.positions).all()
