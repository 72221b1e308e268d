"""Facts about the U-Nets of CrysTens: parameters of the paper's settings, shapes, attention."""

import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

import dismai.models
from dismai.models.crystens.blocks import LinearAttention
from dismai.models.crystens.hparams import Hparams
from dismai.models.crystens.network import Networks
from dismai.models.image.layers import Dropout, drawn_above, initialise

SMALL = {
    "base_channels": 8,
    "sr_channels": 8,
    "heads": 2,
    "head_width": 8,
    "base_side": 16,
    "base_blocks": (1, 1, 1),
    "sr_blocks": (1, 1, 2),
}


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def networks(**changes):
    return Networks(Hparams(**{**SMALL, **changes}), torch.Generator().manual_seed(0))


def with_random_output(network):
    torch.nn.init.normal_(network.out.weight, generator=torch.Generator().manual_seed(1))
    return network.eval()


@pytest.fixture(scope="module")
def of_the_paper():
    return Networks(Hparams(), torch.Generator().manual_seed(0))


def test_parameters_at_paper_scale(of_the_paper):
    assert count(of_the_paper.base) == 18_952_607
    assert count(of_the_paper.sr) == 47_100_354


def test_parameters_of_both_networks_together():
    assert dismai.models.parameter_count("crystens", "interface") == 18_952_607 + 47_100_354


def test_channels_at_paper_scale(of_the_paper):
    base, sr = of_the_paper.base, of_the_paper.sr

    def widths(levels):
        return [level.blocks[0].maps[0].out_channels for level in levels]

    assert widths(base.down) == [64, 64, 128]
    assert widths(base.up) == [256, 128, 64]
    assert widths(sr.down) == [64, 128, 256]
    assert widths(sr.up) == [256, 128, 64]
    assert [layer.out_channels for layer in base.stem.maps] == [32, 16, 16]
    assert [len(level.blocks) for level in sr.down] == [3, 5, 9]
    assert [level.attention is not None for level in sr.down] == [False, False, True]


def test_a_new_network_predicts_zero_and_keeps_the_shape():
    both = networks()
    small, full, level = torch.randn(2, 4, 16, 16), torch.randn(2, 4, 24, 24), torch.zeros(2)
    assert both.base(small, level).shape == small.shape
    assert both.base(small, level).abs().max() == 0
    assert_array_equal(both.sr(full, level, full, level).detach(), 0 * full)


def test_the_full_picture_depends_on_the_small_one_and_on_both_levels():
    network = with_random_output(networks().sr)
    random = torch.Generator().manual_seed(2)
    x, shown = (torch.randn(1, 4, 24, 24, generator=random) for _ in range(2))
    one, two = torch.ones(1), 2 * torch.ones(1)
    outputs = [
        network(*args).detach()
        for args in ((x, one, shown, one), (x, one, 0 * x, one), (x, two, shown, one),
                     (x, one, shown, two))
    ]  # fmt: skip
    assert all((outputs[0] - other).abs().max() > 1e-4 for other in outputs[1:])


def test_pictures_of_a_batch_do_not_see_each_other():
    network = with_random_output(networks().base)
    x = torch.randn(3, 4, 16, 16, generator=torch.Generator().manual_seed(2))
    level = torch.tensor([0.0, 1.0, 2.0])
    together = network(x, level).detach()
    assert_allclose(network(x[1:2], level[1:2]).detach()[0], together[1], rtol=1e-4, atol=1e-3)


def test_linear_attention_agrees_with_loops():
    random = torch.Generator().manual_seed(0)
    layer = LinearAttention(8, 2, 4, context=6, dropout=0.05).double().eval()
    initialise(layer, random)
    pixels = torch.randn(1, 3, 2, 8, generator=random).double()
    tokens = torch.randn(1, 2, 6, generator=random).double()
    x = layer.norm(pixels).permute(0, 3, 1, 2)
    q, k, v = (m(x)[0].reshape(2, 4, 6) for m in layer.maps)  # head, channel, position
    more_k, more_v = (t[0].T.reshape(2, 4, 2) for t in layer.context(tokens).chunk(2, dim=-1))
    out = torch.zeros(6, 8, dtype=torch.float64)
    for head in range(2):
        keys = torch.softmax(torch.cat([k[head], more_k[head]], dim=1), dim=1)
        values = torch.cat([v[head], more_v[head]], dim=1)
        for position in range(6):
            query = torch.softmax(q[head, :, position], dim=0) / 2  # sqrt(4)
            out[position, 4 * head : 4 * head + 4] = values @ (query @ keys)
    expected = layer.out_norm(layer.out(torch.nn.functional.silu(out))).reshape(1, 3, 2, 8)
    assert_allclose(layer(pixels, tokens).detach(), expected.detach(), atol=1e-12)


def test_dropout_follows_its_generator_and_is_off_outside_of_training():
    layer, x = Dropout(0.25), torch.ones(10_000)
    drawn = []
    for seed in (1, 1, 2):
        layer.random = torch.Generator().manual_seed(seed)
        drawn.append(layer(x))
    assert_array_equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert_allclose(drawn[0].mean(), 1, atol=0.03)
    assert_array_equal(layer.eval()(x), x)


def test_a_share_of_all_numbers_is_dropped_wherever_they_stand():
    """Four numbers come from one draw: each of the four, and neighbours, are as independent."""
    share, n = 0.3, 40_003
    kept = drawn_above(share, torch.Size((n,)), torch.Generator().manual_seed(0)).double()
    spread = (share * (1 - share)) ** 0.5
    assert len(kept) == n
    for part in (kept, *(kept[i::4] for i in range(4))):
        assert abs(part.mean() - 0.7) < 4 * spread / len(part) ** 0.5
    for apart in range(1, 5):
        together = ((kept[apart:] - 0.7) * (kept[:-apart] - 0.7)).mean() / spread**2
        assert abs(together) < 4 / n**0.5
