"""The SOAP kernel between sets of structures."""

import numpy as np
import pytest
from ase.build import bulk
from scipy.stats import spearmanr

from dismai.base.errors import InputError
from dismai.metrics.sets import soap_mmd_ci
from dismai.metrics.soap import n_features, soap_mmd, soap_vectors


def rattled(n, strength, seed):
    """Diamond silicon with Gaussian displacements (Å), n structures of 64 atoms."""
    perfect = bulk("Si", cubic=True, a=5.43) * (2, 2, 2)
    structures = []
    for i in range(n):
        atoms = perfect.copy()
        atoms.rattle(strength, rng=np.random.default_rng([seed, i]))
        structures.append(atoms)
    return structures


@pytest.fixture(scope="module")
def reference():
    return soap_vectors(rattled(12, 0.1, seed=0), ["Si"])


def test_vectors_ignore_translation_rotation_and_order():
    (atoms,) = rattled(1, 0.2, seed=1)
    moved = atoms[np.random.default_rng(0).permutation(len(atoms))]
    moved.positions += [1.0, 2.0, 3.0]
    moved.rotate(33, (1, 2, 3), rotate_cell=True)
    a, b = soap_vectors([atoms, moved], ["Si"])
    assert np.linalg.norm(a) == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(a, b, atol=1e-6)


def test_the_discrepancy_is_the_plain_double_sum(reference):
    generated = soap_vectors(rattled(5, 0.3, seed=2), ["Si"])

    def mean(x, y, same):
        terms = [
            float(x[i] @ y[j]) ** 4
            for i in range(len(x))
            for j in range(len(y))
            if not (same and i == j)
        ]
        return np.mean(terms)

    expected = mean(generated, generated, True) + mean(reference, reference, True)
    expected -= 2 * mean(generated, reference, False)
    assert soap_mmd(generated, reference) == pytest.approx(expected, abs=1e-12)


def test_it_is_small_for_a_new_sample_and_grows_with_disorder(reference):
    strengths = [0.1, 0.15, 0.2, 0.25, 0.3, 0.4]
    values = [soap_mmd(soap_vectors(rattled(12, s, seed=3), ["Si"]), reference) for s in strengths]
    assert abs(values[0]) < 0.1 * values[1]
    assert spearmanr(strengths, values).statistic >= 0.9


@pytest.mark.parametrize("species", [["Si"], ["Cr", "Fe", "Ni"], ["Li", "Co", "Sc", "Cl", "O"]])
def test_the_length_of_a_vector_follows_from_the_number_of_species(species):
    atoms = bulk("NaCl", "rocksalt", a=5.0, cubic=True)
    atoms.symbols = (species * 8)[:8]
    assert soap_vectors([atoms], species).shape == (1, n_features(len(species)))


def test_several_species_are_told_apart():
    ordered = bulk("NaCl", "rocksalt", a=5.0, cubic=True)
    mixed = ordered.copy()
    mixed.numbers = ordered.numbers[[0, 2, 4, 6, 1, 3, 5, 7]]
    a, b = soap_vectors([ordered, mixed], ["Na", "Cl"])
    assert a @ b < 0.999


def test_the_interval_holds_the_value(reference):
    generated = soap_vectors(rattled(8, 0.2, seed=5), ["Si"])
    interval = soap_mmd_ci(generated, reference)
    assert interval.value == pytest.approx(soap_mmd(generated, reference), abs=1e-12)
    assert interval.low < interval.value < interval.high
    assert np.isnan(soap_mmd_ci(generated[:1], reference).value)


def test_unknown_species_and_too_few_structures_are_refused(reference):
    with pytest.raises(InputError, match="expected only \\['Ge'\\], found \\['Si'\\]"):
        soap_vectors(rattled(1, 0.1, seed=0), ["Ge"])
    with pytest.raises(InputError, match="found none"):
        soap_vectors([], ["Si"])
    with pytest.raises(InputError, match="two generated structures or more, found 1"):
        soap_mmd(reference[:1], reference)


def test_vectors_ignore_which_images_of_the_atoms_are_given_and_periodic_flags():
    (atoms,) = rattled(1, 0.2, seed=1)
    loose = atoms.copy()
    moves = np.random.default_rng(0).integers(-4, 5, (len(atoms), 3))
    loose.positions += moves @ atoms.cell.array
    free = loose.copy()
    free.pbc = False
    a, b = soap_vectors([atoms, loose], ["Si"])
    np.testing.assert_allclose(b, a, atol=1e-12)
    with pytest.warns(UserWarning, match="taken as periodic"):
        np.testing.assert_allclose(soap_vectors([free], ["Si"])[0], a, atol=1e-12)
