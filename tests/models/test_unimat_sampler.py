"""What UniMat's sampler returns when the network knows the answer."""

import pytest
import torch
from numpy.testing import assert_allclose

import dismai.models
from dismai.models.batches import Streams
from dismai.models.image.diffusion import alpha_sigma
from dismai.models.unimat.hparams import Hparams
from dismai.models.unimat.representation import decode, encode, species_mask
from dismai.models.unimat.sampler import draw_videos, threshold_estimate

N_STRUCTURES = 2


@pytest.fixture(scope="module")
def mask():
    return species_mask(dismai.models.paper_spec("interface"), 4)[::8]  # every eighth atom


@pytest.fixture(scope="module")
def truth(mask):
    """Videos to draw, in double precision."""
    random = torch.Generator().manual_seed(1)
    scaled = torch.rand(N_STRUCTURES, len(mask), 3, generator=random, dtype=torch.float64)
    return encode(scaled, mask)


def drawn(truth, mask, overshoot=1.0, **params):
    """Videos drawn with a network that always sees the truth, times a factor."""

    def oracle(x, log_snr):
        alpha, sigma = alpha_sigma(log_snr[:, None, None, None, None].double())
        return (x - alpha * overshoot * truth) / sigma

    streams = Streams(range(N_STRUCTURES), torch.device("cpu"))
    return draw_videos(oracle, mask, streams, Hparams(**params))


@pytest.mark.parametrize("threshold", ["masked", "all", "off"])
def test_background_alone_is_found_with_every_threshold(mask, threshold):
    background = torch.full((N_STRUCTURES, 3, *mask.shape), -1.0, dtype=torch.float64)
    assert_allclose(drawn(background, mask, threshold=threshold), -1, atol=1e-3)


def test_the_last_estimate_is_exact_and_the_last_sample_keeps_noise(truth, mask):
    assert_allclose(drawn(truth, mask), truth, atol=1e-6)
    noisy = drawn(truth, mask, final="sample") - truth
    inside = noisy[:, :, mask]  # not cut at the ends of the range
    assert_allclose(inside.square().mean().sqrt().item(), 0.0055, atol=3e-4)


def test_an_overshoot_shrinks_coordinates_unless_they_are_masked(truth, mask):
    coordinates = truth[:, :, mask]
    for threshold, expected in (("all", 1 / 1.02), ("masked", 1.0), ("off", 1.0)):
        limited = threshold_estimate(torch.where(mask, truth, 1.02 * truth), mask, threshold)
        assert_allclose(limited[:, :, mask], expected * coordinates, rtol=1e-6)
        assert_allclose(limited[:, :, ~mask], -1, rtol=1e-6)


def test_what_is_drawn_decodes_to_the_truth(truth, mask):
    scaled, right = decode(drawn(truth, mask), mask)
    assert right.all()
    assert_allclose(scaled, decode(truth, mask)[0], atol=1e-6)
