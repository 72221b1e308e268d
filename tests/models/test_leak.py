"""Leaky ReLU of critics: torch's numbers and derivatives, without its arrays of zeros."""

import torch
from numpy.testing import assert_array_equal
from torch import nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from dismai.models.adversarial import gradient_penalty
from dismai.models.leak import leaky_relu


def penalised(activation):
    """Gradients of a gradient penalty of two layers, as arrays."""
    random = torch.Generator().manual_seed(0)
    weights = [nn.Parameter(torch.randn(5, 5, generator=random)) for _ in range(3)]

    def critic(x):
        for weight in weights[:-1]:
            x = activation(functional.linear(x, weight))
        return functional.linear(x, weights[-1])

    x = torch.randn(4, 5, generator=random)
    (gradient_penalty(critic, x) + critic(x).mean()).backward()
    return [weight.grad.numpy() for weight in weights]


def test_gradients_of_a_penalty_are_torchs():
    own = penalised(lambda x: leaky_relu(x, 0.2))
    for a, b in zip(own, penalised(lambda x: functional.leaky_relu(x, 0.2)), strict=True):
        assert_array_equal(a, b)


def test_first_and_second_derivative():
    x = torch.tensor([-2.0, 3.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: leaky_relu(x, 0.2), x)
    assert torch.autograd.gradgradcheck(lambda x: leaky_relu(x, 0.2), x)


def test_nothing_flows_back_through_a_sign():
    """What torch's own spends another backward pass on."""

    class Products(TorchDispatchMode):
        n = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            self.n += function is torch.ops.aten.mm.default
            return function(*args, **(kwargs or {}))

    def products(activation):
        with Products() as counted:
            penalised(activation)
        return counted.n

    own = products(lambda x: leaky_relu(x, 0.2))
    assert own < products(lambda x: functional.leaky_relu(x, 0.2))
