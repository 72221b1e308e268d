"""Sampling, selection, split and card of the alloys."""

import numpy as np
import pytest

from dismai.base.card import FccLattice, read_card, write_card
from dismai.base.errors import InputError
from dismai.datasets.alloy import build as alloy
from dismai.geometry.cluster_expansion import read_cluster_expansion
from dismai.metrics.clusters import count_clusters, published_expansion, sro_names

SMALL = {
    "supercell": (2, 2, 2), "composition": {"Cr": 6, "Fe": 20, "Ni": 6},
    "n_runs": 3, "n_passes": 600, "interval": 5,
}  # fmt: skip
LATTICE = FccLattice(supercell=(2, 2, 2))


@pytest.fixture(scope="module")
def snapshots():
    return alloy.sample(300, seed=1, **SMALL)


def test_the_same_seed_gives_the_same_snapshots_on_any_number_of_threads(snapshots):
    again = alloy.sample(300, seed=1, n_threads=3, **SMALL)
    np.testing.assert_array_equal(again.occupancy, snapshots.occupancy)
    other = alloy.sample(300, seed=2, **SMALL)
    assert (other.occupancy != snapshots.occupancy).any()


def test_runs_start_from_different_decorations(snapshots):
    assert (snapshots.occupancy[0] != snapshots.occupancy[1]).any()


def test_short_runs_at_full_size_reproduce_the_published_ecis_at_300_K():
    # Mean energy and SRO of long runs with any-pair swaps: see docs/experiments/datasets.md.
    long = alloy.sample(300, n_runs=3, n_passes=30_000, interval=10, seed=1)
    occupancy, _ = long.equilibrated(20_000)
    energy = published_expansion().energy(count_clusters(occupancy, (4, 4, 4)))
    assert energy.mean() == pytest.approx(-0.0943, abs=5e-4)
    sro = dict(zip(sro_names(), alloy.short_range_order(occupancy, (4, 4, 4)).mean(0), strict=True))
    assert sro["1NN_Cr-Cr"] == pytest.approx(1.0, abs=0.1)
    assert sro["2NN_Cr-Cr"] == pytest.approx(-3.28, abs=0.1)
    assert sro["2NN_Ni-Ni"] == pytest.approx(-1.59, abs=0.1)


def test_wide_takes_equally_many_snapshots_of_every_run():
    runs = np.repeat([0, 1, 2], 100)
    chosen = alloy.select_wide(runs, 30)
    np.testing.assert_array_equal(np.bincount(runs[chosen]), [10, 10, 10])
    np.testing.assert_array_equal(np.diff(chosen[:10]), 10)
    with pytest.raises(InputError, match="at least 101 snapshots"):
        alloy.select_wide(runs, 303)


def test_narrow_keeps_snapshots_near_all_averages():
    sro = np.zeros((100, 12))
    sro[::2, 5] = 0.3  # mean 0.15
    sro[7, 3] = 5.0
    with pytest.raises(InputError, match="expected 3 snapshots .* found 0 of 100"):
        alloy.select_narrow(sro, 3, 0.1)
    chosen = alloy.select_narrow(sro, 99, 0.2)
    assert 7 not in chosen


def test_build_splits_and_keeps_the_origin(snapshots, tmp_path):
    train, val, spec = alloy.build(
        snapshots, "alloy_300K_wide", 300, "wide", LATTICE, 60, burn_in_passes=100, seed=1
    )
    assert (len(train), len(val), spec.n_train, spec.n_val) == (48, 12, 48, 12)
    assert spec.composition == {"Cr": 6, "Fe": 20, "Ni": 6}
    write_card(spec, tmp_path / "card.json")
    assert read_card(tmp_path / "card.json") == spec
    for atoms in (train[0], val[0]):
        assert atoms.get_chemical_symbols() == spec.symbols
        run, step = atoms.info["run"], atoms.info["pass"]
        origin = snapshots.occupancy[run, step // snapshots.interval - 1]
        rebuilt = alloy.to_atoms(origin, LATTICE)
        np.testing.assert_allclose(rebuilt.positions, atoms.positions, atol=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature_K": -300}, "temperature_K: expected a positive number, found -300"),
        (
            {"composition": {"Cr": 6, "Fe": 20, "Ni": 7}},
            "32 sites, found 6 \\+ 20 \\+ 7 = 33",
        ),
        ({"composition": {"Cr": 6, "Fe": 26}}, "expected the species Cr, Fe, Ni, found Cr, Fe"),
        ({"interval": 0}, "interval: expected 1 to 600 passes, found 0"),
        ({"engine": "icet", "swaps": "nearest_neighbors"}, "expected any_pair with engine icet"),
    ],
)
def test_wrong_settings_are_one_line(change, message):
    settings = {"temperature_K": 300, **SMALL, **change}
    with pytest.raises(InputError, match=message) as error:
        alloy.sample(**settings)
    assert "\n" not in str(error.value)


def test_a_burn_in_longer_than_the_run_is_refused(snapshots):
    with pytest.raises(InputError, match="fewer than the 600 passes"):
        snapshots.equilibrated(600)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("      Cr-Ni: -0.017503750379865866\n", "", "dimers.1NN.eci: expected an entry 'Cr-Ni'"),
        ("-0.006093130106866821", "minus", "dimers.1NN.eci.Cr-Fe: expected a finite number"),
        ("-0.006093130106866821", ".nan", "dimers.1NN.eci.Cr-Fe: expected a finite number"),
        ("  4NN:\n", "  9NN:\n", "dimers: expected an entry '4NN'"),
        ("monomers:", "monomer:", "monomers: expected a mapping, found nothing"),
        ("constant:", "konstant:", "constant: expected a finite number \\(eV\\), found nothing"),
        ("a_A: 3.6", "b_A: 3.6", "lattice.a_A: expected a finite number"),
        ("constant:", "constant: [", "expected YAML"),
    ],
)
def test_a_damaged_eci_file_is_one_line(root, tmp_path, old, new, message):
    text = (root / "resources" / "eci.yaml").read_text()
    assert old in text
    path = tmp_path / "eci.yaml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=message) as error:
        read_cluster_expansion(path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)
