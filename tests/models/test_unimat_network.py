"""Facts about UniMat's network: sizes, parameters, what a frame sees, how it starts."""

import pytest
import torch
from numpy.testing import assert_allclose

import dismai.models
from dismai.models.unimat import attention
from dismai.models.unimat.blocks import Spatial
from dismai.models.unimat.hparams import Hparams
from dismai.models.unimat.network import UNet

NARROW = {"channels": 8, "blocks": 1, "heads": 2, "head_width": 8, "time_frequencies": 4}
CAUSAL = {"joint_attention": [False] * 3, "middle_attention": False, "gates": False}


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def network(live=True, n_atoms=16, **params):
    """A network; a live one has no weights left at zero, and gives something."""
    net = UNet(n_atoms, Hparams(**{**NARROW, **params}), random()).double()
    if live:
        for parameter in net.parameters():
            parameter.data += 0.1 * torch.randn(
                parameter.shape, generator=random(1), dtype=torch.float64
            )
    return net.eval()


@torch.no_grad()
def evaluate(net, x):
    return net(x, torch.linspace(-3, 3, len(x), dtype=torch.float64))


def video(n_frames, n=2, side=4):
    return torch.randn(n, 3, n_frames, side, side, generator=random(2), dtype=torch.float64)


@pytest.mark.parametrize("n_frames", [1, 256, 264])
def test_any_number_of_frames_keeps_its_shape(n_frames):
    x = video(n_frames, n=1)
    assert evaluate(network(), x).shape == x.shape


@pytest.mark.parametrize("side", [2, 6])
def test_frames_of_other_sides(side):
    params = {"multipliers": [1, 2], "joint_attention": [True] * 2, "cross_attention": [True] * 2}
    x = video(5, side=side)
    assert evaluate(network(side=side, **params), x).shape == x.shape


@pytest.mark.parametrize(("norm", "expected"), [("group", 23_083_422), ("pixel", 23_075_614)])
def test_parameter_count_is_that_of_the_published_code_without_its_unused_parts(norm, expected):
    model = dismai.models.create("unimat", dismai.models.paper_spec("interface"), norm=norm)
    with torch.device("meta"):
        assert model.parameter_count() == expected


def test_a_frame_does_not_change_earlier_ones_without_joint_attention_gates_and_group_norm():
    net, x = network(norm="pixel", **CAUSAL), video(16)
    y = x.clone()
    y[:, :, 10] += 1.0
    change = (evaluate(net, y) - evaluate(net, x)).abs().amax(dim=(0, 1, 3, 4))
    assert change[:10].max() < 1e-12
    assert change[10:].min() > 1e-6  # reaches every later one


@pytest.mark.parametrize(
    "joint",
    [
        {"norm": "group", **CAUSAL},
        {"norm": "pixel", **CAUSAL, "gates": True},
        {"norm": "pixel", **CAUSAL, "middle_attention": True},
        {"norm": "pixel", **CAUSAL, "joint_attention": [False, True, False]},
    ],
)
def test_each_of_them_lets_a_later_frame_be_seen(joint):
    net, x = network(**joint), video(16)
    y = x.clone()
    y[:, :, 10] += 1.0
    assert (evaluate(net, y) - evaluate(net, x))[:, :, :10].abs().max() > 1e-9


def test_a_structure_does_not_depend_on_the_others_of_its_batch():
    net, x = network(), video(6, n=3)
    alone = net(x[1:2], torch.zeros(1, dtype=torch.float64))
    assert_allclose(
        net(x, torch.zeros(3, dtype=torch.float64))[1:2].detach(), alone.detach(), atol=1e-12
    )


def test_the_order_of_frames_matters():
    net, x = network(), video(16)
    flipped = evaluate(net, x.flip(2)).flip(2)
    assert (flipped - evaluate(net, x)).norm() > 0.1 * flipped.norm()


def test_the_time_matters():
    net, x = network(), video(4, n=1).expand(2, -1, -1, -1, -1)
    first, second = evaluate(net, x)
    assert (first - second).norm() > 1e-3 * first.norm()


def test_output_starts_at_zero():
    assert evaluate(network(live=False), video(4)).abs().max() == 0


def test_convolutions_along_frames_start_as_the_identity():
    from dismai.models.unimat.blocks import Temporal

    x = video(5)
    for layer in network(live=False).modules():
        if isinstance(layer, Temporal) and layer.convolution.groups == 1:
            n = layer.convolution.in_channels
            channels = x[:, :1].expand(-1, n, -1, -1, -1)
            assert_allclose(layer(channels).detach(), channels)


def test_all_parameters_learn():
    net, x = network(live=True), video(6)
    net(x, torch.ones(2, dtype=torch.float64)).square().mean().backward()
    idle = {name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()}
    # a softmax does not see a bias that all its positions share: zero, or rounding
    unseen = {name for name, _ in net.named_parameters() if name.endswith("gate.weight.bias")}
    assert idle <= unseen


def test_weights_follow_from_the_seed():
    first, second = (network(live=False).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("side", [1, 2, 4])
def test_a_matrix_between_pixels_is_the_convolution(side):
    """Where a kernel is larger than the frame, values and gradients are those with zeros around."""
    layer = Spatial(5, 7, 2 * side + 1).double()
    inputs = (video(3, side=side)[:, :1].expand(-1, 5, -1, -1, -1).clone(), *layer.parameters())
    inputs[0].requires_grad_()
    results = []
    for forward in (layer.forward, lambda x: torch.nn.Conv3d.forward(layer, x)):
        y = forward(inputs[0])
        weights = torch.randn(y.shape, generator=random(4), dtype=torch.float64)
        results.append([y, *torch.autograd.grad((y * weights).sum(), inputs)])
    for own, plain in zip(*results, strict=True):
        assert_allclose(own.detach(), plain.detach(), rtol=1e-12, atol=1e-12)


def test_frames_that_attend_in_groups_are_frames_that_attend_together(monkeypatch):
    net, x = network(**CAUSAL), video(11)
    together = evaluate(net, x)
    monkeypatch.setattr(attention, "GROUP", 4)
    assert_allclose(evaluate(net, x), together, rtol=1e-12, atol=1e-12)
