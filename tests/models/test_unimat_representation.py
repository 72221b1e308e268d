"""Videos of structures: round trip, and what is refused when they are read back."""

import pytest
import torch

import dismai.models
from dismai.models.unimat.representation import decode, encode, species_mask


@pytest.fixture(params=["interface", "alloy_300K_narrow", "amorphous_si"])
def mask(request):
    return species_mask(dismai.models.paper_spec(request.param), 4)


def scaled(mask, n=2):
    random = torch.Generator().manual_seed(1)
    x = torch.rand(n, len(mask), 3, generator=random)
    x[0, 0], x[0, 1] = 0.0, 1.0  # both ends
    return x


def test_one_frame_per_atom_and_one_pixel_per_species(mask):
    video = encode(scaled(mask), mask)
    assert video.shape == (2, 3, len(mask), 4, 4)
    assert ((video[:, 0] != -1).sum(dim=(-1, -2)) == 1).all()


def test_blocks_of_species_have_their_pixels():
    mask = species_mask(dismai.models.paper_spec("interface"), 4)
    pixels = mask.flatten(1).int().argmax(dim=1).tolist()
    assert pixels == [0] * 72 + [1] * 36 + [2] * 12 + [3] * 72 + [4] * 72


def test_round_trip_is_exact(mask):
    x = scaled(mask)
    read, right = decode(encode(x, mask), mask)
    assert (read - x).abs().max() < 1e-6
    assert right.all()


def test_noise_below_half_the_range_is_forgiven(mask):
    x = scaled(mask)
    video = encode(x, mask)
    video += 0.49 * torch.where(mask, -1.0, 1.0)
    assert decode(video, mask)[1].all()


def test_one_wrong_pixel_in_one_frame_is_found(mask):
    video = encode(scaled(mask), mask)
    video[1, :, 7, 3, 3] = 0.3
    right = decode(video, mask)[1]
    assert (~right).nonzero().tolist() == [[1, 7]]


def test_a_wrong_pixel_with_one_background_channel_is_forgiven(mask):
    video = encode(scaled(mask), mask)
    video[1, :2, 7, 3, 3] = 0.3
    assert decode(video, mask)[1].all()


def test_an_empty_frame_is_found(mask):
    video = encode(scaled(mask), mask)
    video[0, :, 9] = -1.0
    assert (~decode(video, mask)[1]).nonzero().tolist() == [[0, 9]]


@pytest.mark.parametrize("channel", range(3))
def test_an_atom_with_a_missing_coordinate_is_found(mask, channel):
    video = encode(scaled(mask), mask)
    video[0, channel, 9][mask[9]] = -0.6
    assert (~decode(video, mask)[1]).nonzero().tolist() == [[0, 9]]


def test_nan_is_found_and_stays_with_its_atom(mask):
    video = encode(scaled(mask), mask)
    video[0, 1, 9] = torch.nan
    read, right = decode(video, mask)
    assert (~right).nonzero().tolist() == [[0, 9]]
    assert read.isnan().any(-1).nonzero().tolist() == [[0, 9]]
