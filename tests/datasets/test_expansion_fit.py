"""ECIs fitted to energies that the shipped ones made."""

from functools import lru_cache

import ase.io
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator

from dismai.base.errors import InputError
from dismai.base.resources import resource
from dismai.datasets.alloy.expansion_fit import (
    count_all,
    fit_expansion,
    order_energies,
    order_table,
    read_energies,
)
from dismai.datasets.alloy.icet_expansion import decorated_crystal, to_icet
from dismai.geometry.cluster_expansion import read_cluster_expansion, write_cluster_expansion
from dismai.metrics.clusters import count_clusters
from dismai.report.expansion import plot_expansion_fit

SUPERCELL = (3, 3, 3)


def decorations(n, seed=1):
    """Random alloys of all compositions, (n, 108)."""
    rng = np.random.default_rng(seed)
    return np.array([rng.choice(3, size=108, p=rng.dirichlet(np.ones(3))) for _ in range(n)])


@lru_cache
def shipped():
    return read_cluster_expansion(resource("eci.yaml"))


@lru_cache
def fitted(n=200, noise_meV=0.0):
    counted = count_clusters(decorations(n), SUPERCELL)
    energies = shipped().energy(counted)
    energies = energies + noise_meV / 1000 * np.random.default_rng(2).standard_normal(n)
    return fit_expansion(counted, energies, 3.6)


def off(expansion):
    """Distance of the order energies from the shipped ones, as a share of their length."""
    true = order_energies(shipped())
    return np.linalg.norm(order_energies(expansion) - true) / np.linalg.norm(true)


def test_ecis_are_recovered_from_the_energies_that_they_made():
    fit = fitted()
    assert off(fit.expansion) < 0.05
    assert off(fit.least_squares) < 1e-9
    twins = [to_icet(one).parameters for one in (fit.expansion, shipped())]  # unique in this basis
    apart = np.linalg.norm((twins[0] - twins[1])[1:]) / np.linalg.norm(twins[1][1:])
    assert apart < 0.05
    other = count_clusters(decorations(50, seed=7), SUPERCELL)
    error = fit.expansion.energy(other) - shipped().energy(other)
    assert np.sqrt((error**2).mean()) < 0.05 * shipped().energy(other).std()


def test_noise_moves_the_choice_to_a_stronger_penalty_and_fewer_ecis():
    exact, noisy = fitted(), fitted(noise_meV=3.0)
    chosen = [
        one.validation.loc[one.validation["error_meV_per_atom"].idxmin()] for one in (exact, noisy)
    ]
    assert chosen[1]["penalty_meV"] > 5 * chosen[0]["penalty_meV"]
    assert chosen[1]["error_meV_per_atom"] > 2.5
    assert np.count_nonzero(noisy.expansion.ecis) < 45
    assert off(noisy.expansion) < off(noisy.least_squares)  # what the penalty is for


def test_sums_of_counts_leave_the_choice_of_many_ecis_to_the_penalty():
    """Why ECIs are compared by order energies: 24 combinations of 46 numbers follow."""
    counted = count_clusters(decorations(200), SUPERCELL)
    whole = np.c_[np.ones(len(counted)), counted]
    assert np.linalg.matrix_rank(whole, tol=1e-8) == 24
    moved = shipped().dimers.copy()
    moved[0] += [0.02, 0.01, 0.01, 0, 0, 0]  # of Cr: every one has twelve nearest neighbours
    other = type(shipped())(3.6, shipped().constant, np.array([-0.12, 0, 0]), moved)
    np.testing.assert_allclose(other.energy(counted), shipped().energy(counted), atol=1e-12)
    np.testing.assert_allclose(order_energies(other), order_energies(shipped()), atol=1e-12)


def test_what_was_fitted_is_written_read_and_drawn(tmp_path):
    fit = fitted()
    write_cluster_expansion(fit.expansion, tmp_path / "eci.yaml", "a test")
    back = read_cluster_expansion(tmp_path / "eci.yaml")
    np.testing.assert_array_equal(back.ecis, fit.expansion.ecis)
    assert (back.constant, back.a_A) == (fit.expansion.constant, 3.6)
    table = order_table(fit)
    assert len(table) == 21
    assert table["shell"].tolist()[::3] == [f"{k}NN" for k in range(1, 8)]
    plot_expansion_fit(fit.validation, table).canvas.draw()


def labelled(n, energy=True):
    alloys = [decorated_crystal(row.astype(np.int8), 3.6, SUPERCELL) for row in decorations(n)]
    energies = shipped().energy(count_clusters(decorations(n), SUPERCELL))
    for atoms, value in zip(alloys, energies, strict=True):
        atoms.calc = SinglePointCalculator(atoms, **({"energy": 108 * value} if energy else {}))
    return alloys, energies


def test_energies_of_a_file_are_per_atom_and_alloys_may_lie_off_the_lattice(tmp_path):
    alloys, energies = labelled(3)
    path = tmp_path / "alloys.extxyz"
    alloys[1].rattle(0.03, seed=1)
    alloys[1].calc = SinglePointCalculator(alloys[1], energy=108 * energies[1])
    ase.io.write(path, alloys, format="extxyz")
    back, found = read_energies(path)
    np.testing.assert_allclose(found, energies, atol=1e-9)
    counted = count_all(back, 3.6, path)
    np.testing.assert_allclose(counted, count_clusters(decorations(3), SUPERCELL), atol=1e-9)
    with pytest.raises(InputError, match="expected at least 20 different alloys, found 3"):
        fit_expansion(counted, found, 3.6)


def test_an_alloy_without_energy_or_of_other_elements_is_one_line(tmp_path):
    alloys, _ = labelled(2, energy=False)
    path = tmp_path / "alloys.extxyz"
    ase.io.write(path, alloys, format="extxyz")
    with pytest.raises(InputError, match=r"alloys.extxyz: structure 0: expected an energy, found"):
        read_energies(path)
    alloys[1].symbols[0] = "Cu"
    with pytest.raises(InputError, match=r"structure 1: expected only Cr, Fe, Ni, found Cu"):
        count_all(alloys, 3.6, path)
