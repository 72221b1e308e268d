"""Facts about diffusion of pictures, their scales and the orders of atoms in them."""

import numpy as np
import pytest
import torch
from ase import Atoms
from numpy.testing import assert_allclose, assert_array_equal

from dismai import models
from dismai.base.card import DatasetSpec
from dismai.base.errors import InputError
from dismai.base.kinds import KINDS
from dismai.models import check_hparams, paper_spec
from dismai.models.batches import Streams
from dismai.models.image.diffusion import (
    add_noise,
    alpha_sigma,
    ancestral_sampling,
    cosine_log_snr,
    dynamic_threshold,
    ema_decay,
    linear_log_snr,
    min_snr_weight,
    weighted_error,
)
from dismai.models.image.layers import CrossAttention, Gate, SelfAttention, initialise
from dismai.models.image.orders import RegionOrders, default_region, reorder
from dismai.models.image.scales import Scales
from tests.makers import alloy_spec

PAPER_REGION = KINDS["interface"].paper_region


def doubles(*values):
    return torch.tensor(values, dtype=torch.float64)


def test_signal_and_noise_add_up_to_one():
    for level in (cosine_log_snr, linear_log_snr):
        alpha, sigma = alpha_sigma(level(torch.linspace(0, 1, 101, dtype=torch.float64)))
        assert_allclose(alpha**2 + sigma**2, 1, rtol=1e-12)


def test_log_snr_of_both_schedules():
    assert_allclose(cosine_log_snr(doubles(0.5)).item(), -0.025, atol=5e-4)
    assert_allclose(linear_log_snr(doubles(0.2)).item(), 0.709, atol=5e-4)
    assert_allclose(torch.stack(alpha_sigma(linear_log_snr(doubles(0.2)))).flatten(),
                    [0.819, 0.574], atol=1e-3)  # fmt: skip
    assert_allclose(alpha_sigma(cosine_log_snr(doubles(0.0)))[1].item(), 0.0125, atol=5e-5)
    assert -35 < cosine_log_snr(doubles(1.0)).item() < -33


def test_weight_at_two_ratios_and_on_average():
    assert_allclose(min_snr_weight(doubles(5, 50, 0.1).log(), 5.0), [1, 0.1, 1], rtol=1e-12)
    levels = cosine_log_snr((torch.arange(100_000, dtype=torch.float64) + 0.5) / 100_000)
    assert_allclose(min_snr_weight(levels, 5.0).mean().item(), 0.823, atol=1e-3)
    assert_allclose((levels.exp() > 5).double().mean().item(), 0.26, atol=5e-3)


def test_error_of_a_network_that_predicts_zero():
    random = torch.Generator().manual_seed(0)
    eps = torch.randn(4000, 3, 8, 8, generator=random)
    level = cosine_log_snr(torch.rand(4000, generator=random))
    assert_allclose(weighted_error(0 * eps, eps, level, 5.0).item(), 0.82, atol=0.02)


def test_noise_is_added_picture_by_picture():
    x, eps = torch.ones(2, 1, 2, 2), torch.full((2, 1, 2, 2), -2.0)
    mixed = add_noise(x, torch.tensor([40.0, -40.0]), eps)
    assert_allclose(mixed[:, 0, 0, 0], [1, -2], atol=1e-6)


@pytest.mark.parametrize(("steps", "left"), [(100, 0.0055), (1000, 0.0111)])
def test_noise_left_by_a_sampler_that_knows_the_picture(steps, left):
    """What the schedule leaves even if every estimate of the picture is right."""
    streams = Streams([7], torch.device("cpu"))
    truth = torch.linspace(-1, 1, 64 * 64).reshape(1, 1, 64, 64)

    def predict(x, log_snr):
        alpha, sigma = alpha_sigma(log_snr.double())
        return ((x - alpha * truth) / sigma).float()

    sample, x0 = ancestral_sampling(predict, (1, 64, 64), streams, steps, lambda _: truth)
    assert_allclose((sample - truth).square().mean().sqrt().item(), left, rtol=0.04)
    assert_array_equal(x0, truth)


def test_a_picture_does_not_depend_on_its_neighbours_in_the_batch():
    def predict(x, log_snr):
        return 0.3 * x + log_snr[:, None, None, None] / 50

    alone, _ = ancestral_sampling(predict, (2, 4, 4), Streams([5], torch.device("cpu")), 7)
    among, _ = ancestral_sampling(predict, (2, 4, 4), Streams([4, 5], torch.device("cpu")), 7)
    assert_array_equal(alone[0], among[1])


def test_the_threshold_divides_only_pictures_that_overshoot():
    inside, outside = torch.full((1, 1, 10, 10), 0.5), torch.full((1, 1, 10, 10), 2.0)
    cut = dynamic_threshold(torch.cat([inside, outside]))
    assert_array_equal(cut[0], inside[0])
    assert_array_equal(cut[1], torch.ones(1, 10, 10))
    spike = inside.clone()
    spike[0, 0, 0, 0] = 3.0  # one of a hundred: beyond the quantile, cut at 1
    assert dynamic_threshold(spike).max() == 1
    assert_allclose(dynamic_threshold(spike)[0, 0, 1:], 0.5)


def test_the_moving_average_starts_as_a_copy_and_grows_long():
    assert ema_decay(100, 0.9999) == 0
    decays = [ema_decay(step, 0.9999) for step in (1000, 10_000, 150_000, 10**8)]
    assert_allclose(decays, [0.989, 0.9978, 0.99965, 0.9999], atol=5e-4)
    assert ema_decay(10_000, 0.97) == 0.97


def test_scales_go_down_to_the_unit_interval_and_back():
    x = doubles(-1, 0, 3)[:, None] * doubles(1, 2, 0) + doubles(0, 1, 7)
    scales = Scales.joined((x.amin(0), x.amax(0)))
    y = scales.down(x)
    assert_allclose(y[:, :2].amin(0), 0)
    assert_allclose(y[:, :2].amax(0), 1)
    assert_array_equal(y[:, 2], 0)  # a constant
    assert_allclose(scales.up(y), x, atol=1e-14)
    card = scales.on_card(alloy_spec()).model_dump_json()
    again = Scales.of_card(DatasetSpec.model_validate_json(card))
    assert_array_equal(again.low, scales.low)
    assert_array_equal(again.high, scales.high)
    assert_allclose(scales[1:].down(x[:, 1:]), y[:, 1:])


def test_copies_shuffle_equal_atoms_of_the_region_and_nothing_else():
    spec = paper_spec("interface")
    orders = RegionOrders(spec, PAPER_REGION, 50, seed=1)
    assert_array_equal(orders.order(3, 0), np.arange(264))
    order = orders.order(3, 1)
    symbols = np.array(spec.symbols)
    assert_array_equal(symbols[order], symbols)
    moved = np.flatnonzero(order != np.arange(264))
    region = [*range(9), *range(108, 111), *range(120, 138)]
    assert set(moved) <= set(region)
    assert len(moved) > 20
    assert not np.array_equal(order, orders.order(4, 1))
    assert_array_equal(order, RegionOrders(spec, PAPER_REGION, 50, seed=1).order(3, 1))


def test_every_copy_is_seen_once_in_as_many_epochs():
    orders = RegionOrders(paper_spec("interface"), {"Li": 9}, 4, seed=1)
    shown = {tuple(orders.of_epoch(torch.tensor([5]), epoch)[0].tolist()) for epoch in range(4)}
    assert shown == {tuple(orders.order(5, copy)) for copy in range(4)}
    f = torch.arange(264.0)[None, :, None].expand(1, 264, 3)
    order = orders.of_epoch(torch.tensor([5]), 0)
    assert_array_equal(reorder(f, order)[0, :, 1], order[0])


def test_only_interfaces_have_a_region():
    assert default_region(paper_spec("interface")) == {"Li": 9, "Sc": 3, "Cl": 18}
    assert default_region(alloy_spec()) == {}


def test_the_region_is_that_of_the_card():
    spec = paper_spec("interface").model_copy(update={"statistics": {"region_atoms": {"Li": 3}}})
    assert default_region(spec) == {"Li": 3}


@pytest.mark.parametrize("architecture", ["crystens", "unimat"])
def test_all_atoms_are_shuffled_where_all_are_the_region(architecture):
    spec = paper_spec("interface")
    hparams = check_hparams(architecture, {"region": "all"}).resolved(spec)
    assert (hparams.region, hparams.copies) == (spec.composition, 50)
    order = RegionOrders(spec, hparams.region, hparams.copies, seed=1).order(0, 1)
    assert (order != np.arange(264)).sum() > 230
    symbols = np.array(spec.symbols)
    assert (symbols[order] == symbols).all()


def test_a_region_that_does_not_fit_is_one_line():
    with pytest.raises(InputError, match="region.Ni: expected at most the 6 Ni atoms of .*found 7"):
        RegionOrders(alloy_spec(), {"Ni": 7}, 2, seed=0)


@pytest.mark.parametrize("architecture", ["crystens", "unimat"])
def test_atoms_in_another_order_are_refused(architecture, tmp_path):
    """Row i of a picture is atom i: what blocks in another order teach is wrong."""
    spec = paper_spec("interface")
    right = Atoms(spec.symbols, np.zeros((264, 3)), cell=spec.cell, pbc=True)
    wrong = right[[*range(72, 264), *range(72)]]  # Li last, as in no file
    model = models.create(architecture, spec)
    expected = "structure 1: expected blocks of species Li72 Co36 Sc12 Cl72 O72, found Co36Sc12Cl72"
    with pytest.raises(InputError, match=expected) as caught:
        model.fit([right, wrong], [right], tmp_path, 0)
    assert "\n" not in str(caught.value)


def reference_attention(layer, x, context):
    """Loops over heads and queries."""
    x = layer.norm(x)
    q, kv = layer.query(x).unflatten(-1, (layer.heads, -1)), layer.key_value(x)
    out = torch.zeros_like(q)
    for b in range(len(x)):
        rows = torch.cat([layer.context(context[b]), layer.null.reshape(1, -1), kv[b]])
        k, v = rows.chunk(2, dim=-1)
        k = k / k.norm(dim=-1, keepdim=True) * layer.key_scale
        for i in range(x.shape[1]):
            for h in range(layer.heads):
                query = q[b, i, h] / q[b, i, h].norm() * layer.query_scale
                out[b, i, h] = torch.softmax(8 * k @ query, dim=0) @ v
    return layer.out_norm(layer.out(out.flatten(2)))


def test_self_attention_agrees_with_loops():
    random = torch.Generator().manual_seed(0)
    layer = SelfAttention(16, 2, 8, context=4).double()
    initialise(layer, random)
    x, context = (torch.randn(2, n, c, generator=random).double() for n, c in ((5, 16), (3, 4)))
    assert_allclose(layer(x, context).detach(), reference_attention(layer, x, context).detach(),
                    atol=1e-12)  # fmt: skip


def test_attention_follows_an_order_of_tokens():
    random = torch.Generator().manual_seed(0)
    layer = CrossAttention(16, 2, 8, context=4)
    initialise(layer, random)
    x, context = torch.randn(2, 5, 16, generator=random), torch.randn(2, 3, 4, generator=random)
    order = torch.tensor([4, 2, 0, 1, 3])
    assert_allclose(layer(x[:, order], context[:, [2, 0, 1]]).detach(),
                    layer(x, context)[:, order].detach(), atol=1e-6)  # fmt: skip


def test_a_gate_is_one_factor_per_channel():
    gate = Gate(8)
    initialise(gate, torch.Generator().manual_seed(0))
    for shape in ((2, 8, 3, 3), (2, 8, 3, 2, 2)):
        factor = gate(torch.randn(*shape))
        assert factor.shape == (2, 8, *(1,) * (len(shape) - 2))
        assert 0 < factor.min() < factor.max() < 1
