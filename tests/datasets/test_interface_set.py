"""The interface dataset: which structures are kept, zero of the energy, order of atoms, card."""

import numpy as np
import pandas as pd
import pytest

from dismai.base.card import read_card, write_card
from dismai.base.errors import InputError
from dismai.datasets.amorphous_si.build import with_energies
from dismai.datasets.interface.build import build, composition_of, random_interfaces
from dismai.datasets.interface.describe import energy_scores, interface_energies
from dismai.datasets.interface.settings import InterfaceDataset
from dismai.metrics.interface import (
    fitted_reference_energy,
    interface_area,
    interface_energy,
    n_in_share,
    reference_energy_of_share,
)
from tests.makers import THIN_INTERFACE

N = 32


def settings(**changes):
    entry = {
        "kind": "interface", "geometry": THIN_INTERFACE, "n_structures": 5, "n_random": 10,
        "potential": "chgnet", "above_lowest_J_per_m2": 0.4,
    }  # fmt: skip
    return InterfaceDataset(**{**entry, **changes})


@pytest.fixture
def structures():
    return random_interfaces(settings().geometry, 10, 1, "random_interfaces", "interface")


def table(structures, gamma, failed=()):
    """Relaxations that end 0.1, 0.2... J/m² (or as given) above the lowest, -5 eV/atom."""
    area = interface_area(structures[0])
    energy = N * -5.0 + np.asarray(gamma) * area / 16.02176634
    status = ["not converged" if i in failed else "ok" for i in range(len(gamma))]
    return pd.DataFrame(
        {"structure": range(len(gamma)), "steps": 10, "energy_eV": energy, "status": status}
    )


def test_each_structure_has_its_own_stream(structures):
    fewer = random_interfaces(settings().geometry, 3, 1, "random_interfaces", "interface")
    other = random_interfaces(settings().geometry, 3, 1, "baseline", "interface")
    for a, b, c in zip(fewer, structures, other, strict=False):
        np.testing.assert_array_equal(a.positions, b.positions)
        assert np.abs(a.positions - c.positions).max() > 0.1
    assert composition_of(settings().geometry) == structures[0].symbols.formula.count()


def test_only_low_interfaces_at_their_minima_are_kept(structures):
    gamma = 0.1 * np.arange(10)  # up to 0.4 above the lowest
    train, val, spec = build(
        structures, table(structures, gamma, {0}), "interface", settings(n_structures=4), 1, {}
    )
    # The lowest did not relax: structure 1 is the lowest, 1 to 5 are within 0.4.
    numbers = sorted(atoms.info["interface"] for atoms in [*train, *val])
    assert numbers == [1, 2, 3, 4]
    assert (spec.n_train, spec.n_val) == (3, 1)
    assert spec.statistics["n_not_relaxed"] == 1
    assert spec.statistics["gamma_lowest_J_per_m2"] == pytest.approx(-0.4)
    for atoms in [*train, *val]:
        expected = 0.1 * atoms.info["interface"] - 0.5
        assert atoms.info["gamma_J_per_m2"] == pytest.approx(expected, abs=1e-9)


def test_the_card_says_how_the_zero_of_the_energy_was_fitted(structures, tmp_path):
    entry = settings(relaxation={"fmax_eV_per_A": 0.2})
    _, _, spec = build(
        structures, table(structures, 0.05 * np.arange(10)), "interface", entry, 1, {}
    )
    assert spec.notes[0].startswith("32 atoms relaxed in the potential chgnet to 0.2 eV/Å; the pap")
    assert spec.species == ["Li", "Co", "Sc", "Cl", "O"]
    assert "0.4 J/m² above the lowest relaxed structure" in spec.notes[-1]
    assert spec.statistics["reference_energy_fitted"] is True
    assert spec.statistics["lattice_match"]["lsc_cells"] == 1
    write_card(spec, tmp_path / "card.json")
    assert read_card(tmp_path / "card.json") == spec


def test_a_given_zero_of_the_energy_is_taken(structures):
    given = settings(reference_energy_eV_per_atom=-4.9, above_lowest_J_per_m2=None, n_structures=10)
    _, _, spec = build(structures, table(structures, np.zeros(10)), "interface", given, 1, {})
    assert spec.statistics["reference_energy_eV_per_atom"] == -4.9
    assert spec.statistics["reference_energy_fitted"] is False


def test_too_few_low_interfaces_are_one_line(structures):
    gamma = np.arange(10.0)
    with pytest.raises(InputError, match="expected 5 interfaces of at most 0 J/m², found 1 of 10"):
        build(structures, table(structures, gamma), "interface", settings(), 1, {})
    with pytest.raises(InputError, match="expected relaxed interfaces, found none of 10"):
        build(structures, table(structures, gamma, range(10)), "interface", settings(), 1, {})


def test_the_fitted_zero_is_the_papers_rule():
    energies = np.array([-4.7, -4.79965167, -4.75])
    zero = fitted_reference_energy(energies, 264, 207.80371, 0.4)
    assert zero == pytest.approx(-4.78, abs=1e-5)
    assert interface_energy(264 * energies[1], reference_energy=zero) == pytest.approx(-0.4)


def test_the_zero_of_a_share_is_moved_by_no_outlier():
    rng = np.random.default_rng(1)
    energies = -4.8 + 0.006 * rng.normal(size=4000)
    zero = reference_energy_of_share(energies, 0.48)
    assert (energies < zero).sum() == 1920
    assert zero == pytest.approx(np.quantile(energies, 0.48), abs=1e-5)
    window = fitted_reference_energy(energies, 264, 207.80371)
    energies[energies.argmax()] = -5.0  # one minimum 0.2 eV/atom too low
    assert reference_energy_of_share(energies, 0.48) == pytest.approx(zero, abs=1e-5)
    assert fitted_reference_energy(energies, 264, 207.80371) < window - 0.15


@pytest.mark.parametrize(("n", "share", "low"), [(10, 0.48, 5), (3, 0.9, 3), (100, 0.01, 1)])
def test_a_share_is_rounded_up_to_whole_structures(n, share, low):
    energies = np.linspace(-5, -4, n)
    assert n_in_share(n, share) == low
    assert (energies <= reference_energy_of_share(energies, share)).sum() == low


def test_of_a_pool_the_share_of_the_paper_is_low_by_default(structures):
    usual = settings(above_lowest_J_per_m2=None, n_structures=4)
    assert usual.low_share == 0.48
    gamma = [0.3, 0.0, 0.9, 0.1, 0.2, 0.8, 0.7, 0.4, 0.5, 0.6]
    rows = table(structures, gamma, {1})  # of nine at their minima the lowest five are low
    train, val, spec = build(structures, rows, "interface", usual, 1, {})
    assert sorted(atoms.info["interface"] for atoms in [*train, *val]) == [0, 3, 4, 7]
    assert spec.statistics["percent_low_of_relaxed"] == pytest.approx(100 * 5 / 9, abs=0.01)
    assert spec.statistics["reference_energy_fitted"] is True
    assert "48 % of the relaxed structures of this set lie below" in spec.notes[-1]
    assert spec.statistics["gamma_sd_J_per_m2"] == pytest.approx(np.std([*gamma[:1], *gamma[2:]]))


def test_too_few_low_interfaces_say_how_many_more_are_needed(structures):
    gamma = [0.1, 0.2, 0.9, 0.1, 0.2, 0.9, 0.9, 0.9, 0.9, 0.9]
    message = (
        r"interface: expected 5 interfaces of at most 0 J/m², found 3 of 10 \(1 did not reach "
        r"their minimum\); at this share about 7 more random interfaces are needed: n_random: 17 "
        r"\(finished relaxations are kept\)$"
    )
    given = settings(above_lowest_J_per_m2=0.25)
    with pytest.raises(InputError, match=message) as error:
        build(structures, table(structures, gamma, {4}), "interface", given, 1, {})
    assert "\n" not in str(error.value)
    fixed = settings(above_lowest_J_per_m2=None, reference_energy_eV_per_atom=-9.0)
    with pytest.raises(InputError, match="found 0 of 10; give another zero"):
        build(structures, table(structures, gamma), "interface", fixed, 1, {})


def test_scores_tell_mean_and_share_of_low_interface_energies(structures):
    rows = table(structures, 0.1 * np.arange(10))
    kept = settings(above_lowest_J_per_m2=0.45, n_structures=5)
    train, _, spec = build(structures, rows, "interface", kept, 1, {})
    features = with_energies(pd.DataFrame({"structure": range(len(train))}), train)
    gamma = interface_energies(features, spec)
    np.testing.assert_allclose(gamma, [atoms.info["gamma_J_per_m2"] for atoms in train], atol=1e-9)
    scores = energy_scores(features, spec)
    assert scores["mean_gamma"][1].value == pytest.approx(gamma.mean())
    assert scores["percent_low_gamma"][1].value == 100.0
    features["energy_eV_per_atom"] += 1.0
    assert energy_scores(features, spec)["percent_low_gamma"][1].value == 0.0
    assert energy_scores(features.drop(columns="energy_eV_per_atom"), spec) == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_random": 3}, "n_random: expected at least n_structures"),
        ({"source": "set.zip"}, "source: expected a sha256 beside it"),
        (
            {"above_lowest_J_per_m2": None},
            r"n_random: expected at least n_structures \(5\) / low_share \(0.48\), that is 11",
        ),
        (
            {"reference_energy_eV_per_atom": -4.78},
            "above_lowest_J_per_m2: expected none beside reference_energy_eV_per_atom, found 0.4",
        ),
        ({"potential": None}, "potential: expected a name under potentials, found none"),
    ],
)
def test_wrong_settings_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        settings(**changes)
