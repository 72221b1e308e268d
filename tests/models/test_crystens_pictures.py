"""Facts about CrysTens' pictures: layout, reading back, resizing."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from dismai.metrics.self_reports import OF_PICTURES
from dismai.models.crystens.pictures import (
    LINES,
    MAPS,
    Layout,
    Resize,
    assemble,
    atom_lines,
    decode,
    encode,
    pair_maps,
    picture_scales,
)

INTERFACE = {"Li": 72, "Co": 36, "Sc": 12, "Cl": 72, "O": 72}
SMALL = {"Li": 5, "Co": 3, "O": 4}


def example(composition=SMALL, n=3, separators=5, dtype=torch.float64):
    layout = Layout.of(composition, separators)
    random = torch.Generator().manual_seed(0)
    f = torch.rand(n, layout.n_atoms, 3, generator=random, dtype=torch.float64)
    return f.to(dtype), layout, picture_scales(f, layout)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
def test_a_structure_comes_back_from_its_picture(dtype, tolerance):
    f, layout, scales = example(INTERFACE, n=2, dtype=dtype)
    found, diagnostics = decode(encode(f, layout, scales), layout, scales)
    assert (found - f).abs().max() < tolerance
    assert_array_equal(diagnostics[:, :4], [[1, 0, 0, 0]] * 2)
    assert diagnostics[:, 4:].max() < tolerance


def test_noise_on_the_lines_of_coordinates_is_a_rigid_shift():
    f, layout, scales = example()
    picture = encode(f, layout, scales)
    random = torch.Generator().manual_seed(1)
    noise = torch.randn(picture.shape, generator=random, dtype=torch.float64)
    k = layout.first
    picture[:, :, 1:4, k:] += noise[:, :, 1:4, k:]
    picture[:, :, k:, 1:4] += noise[:, :, k:, 1:4]
    shift = decode(picture, layout, scales)[0] - f
    assert shift.abs().max() > 0.01
    assert (shift - shift.mean(1, keepdim=True)).abs().max() < 1e-6


def test_noise_on_the_maps_is_averaged():
    f, layout, scales = example(INTERFACE, n=2)
    random = torch.Generator().manual_seed(1)
    lines, maps = atom_lines(f, layout), pair_maps(f)
    maps[..., 1:] += 0.1 * torch.randn(maps[..., 1:].shape, generator=random, dtype=torch.float64)
    picture = assemble(scales[LINES].down(lines), scales[MAPS].down(maps), layout)
    error = decode(picture, layout, scales)[0] - f
    assert_allclose(error.square().mean().sqrt(), 0.0043, atol=0.0002)


def test_symmetry_of_the_picture_before_scaling_is_exact():
    f, layout, _ = example()
    picture = assemble(atom_lines(f, layout), pair_maps(f), layout)
    k = layout.first
    mirrored = picture.transpose(2, 3)
    assert_array_equal(picture[:, :, :11], mirrored[:, :, :11])
    assert_array_equal(picture[:, 0], mirrored[:, 0])
    assert_array_equal(picture[:, 1:, k:, k:], -mirrored[:, 1:, k:, k:])
    assert picture[:, :, range(k, layout.side), range(k, layout.side)].abs().max() == 0


def test_what_stands_where():
    f, layout, scales = example()
    k = layout.first
    picture = assemble(atom_lines(f, layout), pair_maps(f), layout)
    assert k == 16
    assert picture[1, 2, 0, k:].tolist() == [1] * 5 + [2] * 3 + [3] * 4
    assert_array_equal(picture[1, 3, 1:4, k:], f[1].T)
    assert picture[:, :, 4:k].abs().max() == 0  # lattice, space group, separators
    assert picture[:, :, :k, :k].abs().max() == 0
    assert picture[1, 2, k + 4, k + 7] == f[1, 4, 1] - f[1, 7, 1]  # row minus column, plain
    assert_allclose(picture[1, 0, k + 4, k + 7], (f[1, 4] - f[1, 7]).norm())
    scaled = encode(f, layout, scales)
    assert scaled.min() == 0
    assert scaled.max() == 1
    assert_array_equal(scaled[:, :, 4:k], picture[:, :, 4:k])


def test_a_single_species_has_code_zero_and_comes_back():
    f, layout, scales = example({"Si": 8})
    picture = encode(f, layout, scales)
    assert picture[:, :, 0].abs().max() == 0
    assert_array_equal(decode(picture, layout, scales)[1][:, 0], 1)


def test_scales_are_the_extremes_of_the_training_set():
    f, layout, scales = example(n=20)
    maps = pair_maps(f).flatten(0, 2)
    assert_array_equal(scales.low, [1, *f.amin((0, 1)), *maps.amin(0)])
    assert_array_equal(scales.high, [3, *f.amax((0, 1)), *maps.amax(0)])
    assert_array_equal(scales.low[5:], -scales.high[5:])  # i - j and j - i


def test_diagnostics_by_hand():
    f, layout, scales = example(n=1)
    picture = encode(f, layout, scales)
    k = layout.first
    picture[:, :, 0, k] = picture[:, :, k, 0] = 0.5  # code 2 in place of 1
    picture[:, 0, 4:7, k:] = 0.8  # one of eight copies
    picture[:, :, 10, k:] = -0.5  # half of the copies
    picture[:, 0, k:, k:] = 0
    values = dict(zip(OF_PICTURES, decode(picture, layout, scales)[1][0].tolist(), strict=True))
    expected = {
        "species_accuracy": 11 / 12,
        "lattice_length_error": 0.1,
        "lattice_angle_error": 0,
        "space_group_error": 0.25,
        "coordinate_agreement": 0,
        "distance_agreement": pair_maps(f)[..., 0].mean().item(),
    }
    assert values == pytest.approx(expected, abs=1e-12)


def test_published_resizing_keeps_these_lines():
    resize = Resize.reference(280, 64)
    assert resize.down[:7].tolist() == [0, 4, 8, 13, 17, 21, 26]
    assert (resize.down >= 16).sum() == 60  # atoms that are left of 264
    assert Resize.reference(272, 64).down[:5].tolist() == [0, 4, 8, 12, 17]
    line = torch.arange(280.0).expand(1, 1, 280, 280)
    there_and_back = resize.enlarge(resize.shrink(line))
    nearest = torch.nn.functional.interpolate(
        torch.nn.functional.interpolate(line, 64, mode="nearest"), 280, mode="nearest"
    )
    assert_array_equal(there_and_back, nearest)


@pytest.mark.parametrize(("side", "small"), [(280, 64), (152, 32), (48, 16), (48, 47)])
def test_coordinates_survive_the_other_resizing(side, small):
    resize = Resize.coordinate_preserving(side, small)
    assert resize.down[:4].tolist() == [0, 1, 2, 3]
    assert len(resize.down.unique()) == small
    assert resize.down.max() < side
    shown = resize.down[resize.up]
    assert_array_equal(shown[resize.down], resize.down)  # a kept line shows itself
    assert 0 <= (torch.arange(side) - shown).min()
    assert (torch.arange(side) - shown).max() <= np.ceil(side / small) + 1
