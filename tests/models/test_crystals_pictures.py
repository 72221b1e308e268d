"""Pictures of crystals: built, read back to the last digit, counted and clustered."""

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk

from dismai.base.errors import InputError
from dismai.base.resources import resource
from dismai.datasets.crystals.extras import read_back
from dismai.datasets.crystals.filter import crystal
from dismai.datasets.crystals.read import read as read_files
from dismai.datasets.crystals.settings import CrystalsDataset
from dismai.models.crystals.clusters import joined, sites_of, species_of
from dismai.models.crystals.decode import BEFORE_MERGING, decode, has_volume
from dismai.models.crystals.pictures import (
    DIFFERENCE,
    FIRST,
    LINES,
    N_LINES,
    NORM,
    SIDE,
    encode,
    lines_of,
    picture_scales,
)
from dismai.models.crystals.reading import SAID, copies_of, published_count, read
from dismai.models.image.scales import Scales

SETTINGS = CrystalsDataset(kind="crystals", symprec_A=0.001)


def shipped(shard, n_shards):
    frames = read_files(resource("crystals/aflow_cifs.zip"), shard, n_shards)
    found = (crystal(frame, SETTINGS) for frame in frames)
    return [one for one in found if isinstance(one, Atoms)]


@pytest.fixture(scope="module")
def crystals():
    """Some 70 shipped crystals, and one that fills all slots."""
    full = bulk("Cu", "fcc", a=3.61, cubic=True).repeat((13, 1, 1))
    full.info["space_group"] = 225
    one = Atoms("Po", cell=[3.35] * 3, pbc=True, info={"space_group": 221})
    return [*shipped(7, 20), full, one]


def noisy(pictures, sigma, seed=0):
    random = torch.Generator().manual_seed(seed)
    return pictures + sigma * torch.randn(pictures.shape, generator=random, dtype=torch.float64)


def differs(found, crystals):
    """How far fractional coordinates are from those of crystals of equal species, each.

    What rounding has put below the upper face of a cell belongs on the lower one.
    """
    apart = []
    for one, other in zip(found, crystals, strict=True):
        assert one.numbers.tolist() == other.numbers.tolist()
        expected = other.get_scaled_positions()
        expected[expected > 1 - 1e-6] = 0.0
        x = one.get_scaled_positions(wrap=False) - expected
        apart.append(float(np.abs(x - np.rint(x)).max()))
    return np.array(apart)


def check_exact(crystals):
    scales = picture_scales(crystals)
    pictures = torch.cat([encode([one], scales) for one in crystals])
    assert pictures.min() == 0
    assert pictures.max() == 1
    readings = read(pictures, scales)
    assert [one.n_atoms for one in readings] == [len(one) for one in crystals]
    for name in SAID:
        assert max(one.said[name] for one in readings) < 1e-10, name
    found = decode(pictures, scales, "none")
    assert differs(found, crystals).max() < 1e-9
    for one, other in zip(found, crystals, strict=True):
        np.testing.assert_allclose(one.cell.cellpar(), other.cell.cellpar(), atol=1e-9)
        assert one.info["space_group"] == pytest.approx(other.info["space_group"], abs=1e-9)
        assert one.info[BEFORE_MERGING] == len(other)


def test_a_perfect_picture_is_read_back_to_the_last_digit(crystals):
    assert {1, 52} <= {len(one) for one in crystals}
    check_exact(crystals)


@pytest.mark.slow
def test_every_shipped_crystal_is_read_back_to_the_last_digit():
    everything = shipped(0, 1)
    assert len(everything) == 1384
    assert sum(len(one) == 52 for one in everything) >= 12
    check_exact(everything)
    train, val = everything[::2], everything[1::2]
    same = differs_of(read_back(train, val, "auto"), val)
    assert np.mean(same < 1e-9) >= 0.99
    published = differs_of(read_back(train, val[:200], "published"), val[:200])
    assert np.mean(published < 1e-9) < 0.2


def differs_of(found, crystals):
    """The same, infinite where species or number of atoms differ."""
    return np.array([
        differs([one], [other])[0] if one.numbers.tolist() == other.numbers.tolist() else np.inf
        for one, other in zip(found, crystals, strict=True)
    ])  # fmt: skip


def test_a_picture_has_its_quantities_where_the_paper_puts_them(crystals):
    scales = picture_scales(crystals)
    (picture,) = encode(crystals[:1], scales)
    n = len(crystals[0])
    lines, _ = lines_of(crystals[:1])
    assert picture.shape == (4, SIDE, SIDE)
    torch.testing.assert_close(picture, picture[:, :, :].clone())
    scaled = scales[LINES].down(lines[0, :n])  # (n, 11)
    for channel in range(4):
        torch.testing.assert_close(picture[channel, :N_LINES, FIRST : FIRST + n], scaled.T)
        torch.testing.assert_close(picture[channel, FIRST : FIRST + n, :N_LINES], scaled)
    assert not picture[:, N_LINES].any()
    assert not picture[:, :FIRST, :FIRST].any()
    assert not picture[:, FIRST + n :].any()
    d = lines[0, 0, 1:4] - lines[0, 1, 1:4]
    shown = picture[1:, FIRST, FIRST + 1]
    torch.testing.assert_close(scales[DIFFERENCE].up(shown[:, None])[:, 0], d)
    norm = scales[NORM].up(picture[:1, FIRST, FIRST + 1])
    torch.testing.assert_close(norm[0], d.norm())
    torch.testing.assert_close(picture[1:, FIRST, FIRST], torch.full((3,), 0.5).double())


def test_atoms_are_counted_at_any_angle_where_the_published_rule_sees_51():
    """Primitive cells: an empty line reads as 60 degrees, within 20 % of alpha = 60 to 74."""
    crystals = []
    for alpha in (60, 65, 72, 74, 90, 118):
        atoms = Atoms("NaClMgOSiF", scaled_positions=np.arange(18).reshape(6, 3) / 19.0,
                      cell=[5, 6, 7, alpha, 90, 90], pbc=True)  # fmt: skip
        atoms.info["space_group"] = 1
        crystals.append(atoms)
    crystals[0].info["space_group"] = 225
    scales = picture_scales(crystals)
    pictures = noisy(encode(crystals, scales), 0.005)
    assert [one.n_atoms for one in read(pictures, scales)] == [6] * 6
    published = [published_count(one, scales) for one in copies_of(pictures)]
    assert published[:3] == [51, 51, 51]
    assert published[-1] == 6


def test_all_52_atoms_are_seen_where_the_published_rule_stops_one_early(crystals):
    scales = picture_scales(crystals)
    (full,) = [one for one in crystals if str(one.symbols) == "Cu52"]
    picture = encode([full], scales)
    assert read(noisy(picture, 0.01), scales)[0].n_atoms == 52
    assert published_count(copies_of(picture)[0], scales) == 51


def test_variances_are_taken_before_copies_are_averaged(crystals):
    scales = picture_scales(crystals)
    chosen = [one for one in crystals if len(one) >= 8][:12]
    sigma = 0.01
    pictures = torch.cat([noisy(encode(chosen, scales), sigma, seed) for seed in range(20)])
    width = scales.high - scales.low
    for name, part in (("variance_lattice_parameter", slice(4, 7)),
                       ("variance_lattice_angle", slice(7, 10)),
                       ("variance_space_group_number", slice(10, 11))):  # fmt: skip
        found = np.mean([one.said[name] for one in read(pictures, scales)])
        n = np.array([8 * len(one) for one in chosen])
        expected = float((sigma * width[part]).square().mean()) * np.mean((n - 1) / n)
        assert found == pytest.approx(expected, rel=0.03), name


def test_the_papers_example_is_mg4_o4():
    values = np.array([12.2, 12.6, 12.4, 12.5, 7.7, 7.4, 8.4, 8.5])
    assert species_of(values, "auto").tolist() == [12] * 4 + [8] * 4
    assert species_of(values, "none").tolist() == [12, 13, 12, 12, 8, 7, 8, 8]
    assert species_of(values, "published").tolist() == [12] * 4 + [8] * 4


def test_automatic_clusters_join_what_the_picture_cannot_tell_apart():
    sites = np.array([[0.1, 0.25, 0.2501], [0.7, 0.25, 0.9]])
    np.testing.assert_array_equal(sites_of(sites, "auto", 0.0), sites)
    np.testing.assert_array_equal(sites_of(sites, "none", 0.1), sites)
    found = sites_of(sites, "auto", 1e-3)
    assert found[0, 1] == found[0, 2] == found[1, 1]
    np.testing.assert_allclose(found, sites, atol=1e-4)
    few = sites_of(np.arange(24).reshape(8, 3) / 24.0, "published", 0.0)
    assert len(np.unique(few)) == 6
    one = np.array([3.0000000001, 26.0])
    np.testing.assert_array_equal(joined(one, 0.5), one)


def test_atoms_that_become_one_are_written_once():
    atoms = Atoms("Cu2", scaled_positions=[[0, 0, 0], [0, 0, 0.5]], cell=[3, 3, 6], pbc=True)
    atoms.info["space_group"] = 1
    other = bulk("Au", cubic=True)
    other.info["space_group"] = 2
    scales = picture_scales([atoms, other])
    picture = encode([atoms], scales)
    same = atoms.copy()
    same.positions[1] = same.positions[0]
    (found,) = decode(encode([same], scales), scales, "none")
    assert (len(found), found.info[BEFORE_MERGING]) == (1, 2)
    assert len(decode(picture, scales, "none")[0]) == 2


def test_a_picture_that_is_none_is_an_empty_structure(crystals):
    scales = picture_scales(crystals)
    empty = torch.zeros(3, 4, SIDE, SIDE)
    empty[1] = torch.nan
    empty[2, :, :, FIRST:] = empty[2, :, FIRST:] = 5.0  # angles of 500 degrees
    assert [len(one) for one in decode(empty, scales, "auto")] == [0, 0, 0]
    assert not has_volume(np.array([1, 1, 1, 120, 120, 120.0]))
    assert has_volume(np.array([1, 1, 1, 60, 60, 60.0]))


def test_a_crystal_that_has_no_picture_is_one_line():
    with pytest.raises(InputError, match="crystal 0: expected 1 to 52 atoms, found 53"):
        lines_of([Atoms("Cu53")])
    with pytest.raises(InputError, match=r"crystal 0: expected info\['space_group'\], found none"):
        lines_of([bulk("Cu")])


def test_held_out_crystals_are_read_back_and_published_clusters_lose_most(crystals):
    train, val = crystals[::2], crystals[1::2]
    assert differs(read_back(train, val, "auto"), val).max() < 1e-9
    lost = differs_of(read_back(train, val, "published"), val)
    assert np.mean(lost < 1e-9) < 0.3


def test_scales_know_the_extremes_and_differences_are_symmetric(crystals):
    scales = picture_scales(crystals)
    assert isinstance(scales, Scales)
    low, high = scales.low.tolist(), scales.high.tolist()
    numbers = [number for one in crystals for number in one.numbers]
    assert (low[0], high[0]) == (min(numbers), max(numbers))
    assert low[12] == -high[12]
    assert low[11] == 0
