import numpy as np
import pytest

from dismai.base.errors import StructureError
from dismai.metrics import crystalnn
from dismai.metrics.interface import (
    AREA,
    CATIONS,
    cation_distances,
    cation_means,
    check_composition,
    interface_area,
    interface_energy,
)
from tests.makers import GOLDEN, interface264


def test_the_published_constants():
    np.testing.assert_allclose(AREA, 207.80371, rtol=1e-7)
    np.testing.assert_allclose(interface_area(interface264()), AREA, rtol=1e-12)
    one_ev_per_atom = interface_energy(264 * -3.78)
    np.testing.assert_allclose(one_ev_per_atom, 20.354528, rtol=1e-7)
    np.testing.assert_allclose(interface_energy(264 * -4.79965), -0.40, atol=5e-5)
    assert interface_energy(264 * -4.78) == 0


def test_the_energy_of_a_doubled_cell_is_the_same():
    energy = -4.79 * 264
    doubled = interface_energy(2 * energy, 528, 2 * AREA)
    np.testing.assert_allclose(doubled, interface_energy(energy), rtol=1e-12)


def test_the_mean_over_cations_is_weighted_by_their_numbers():
    atoms = interface264()
    sites = crystalnn.sites(atoms, "interface")
    means = cation_means(crystalnn.fingerprints(atoms, "interface"), atoms.symbols[sites])
    zero = np.zeros_like(means)
    found = cation_distances(means, zero)
    golden = GOLDEN["interface264"]
    np.testing.assert_allclose(found["d_all"], np.linalg.norm(golden["mean_all_weighted"]))
    for element in CATIONS:
        np.testing.assert_allclose(found[f"d_{element}"], np.linalg.norm(golden[f"mean_{element}"]))


def test_opposite_differences_cancel_in_d_all():
    generated = np.array([[1.0, 0.0], [-2.0, 0.0], [0.0, 0.0]])  # 72 * 1 = 36 * 2
    found = cation_distances(generated, np.zeros((3, 2)))
    assert found == {"d_Li": 1.0, "d_Co": 2.0, "d_Sc": 0.0, "d_all": 0.0}


def test_wrong_numbers_of_cations_fail():
    atoms = interface264()
    check_composition(atoms, CATIONS)
    atoms.symbols[0] = "O"
    with pytest.raises(StructureError, match="72 Li, found 71"):
        check_composition(atoms, CATIONS)
    sites = crystalnn.sites(atoms, "interface")
    with pytest.raises(StructureError, match="72 Li, found 71"):
        cation_means(np.zeros((119, 109)), atoms.symbols[sites])
