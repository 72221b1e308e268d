import numpy as np
import pytest
from ase import Atoms

from dismai.base.errors import InputError
from dismai.metrics import crystalnn
from dismai.metrics.layers import cell_height, density_profile, heights, site_profile
from dismai.metrics.relaxation import displacement, energy_above_training
from tests.makers import interface264, random_cell


def test_densities_add_up_to_the_atoms():
    atoms = interface264()
    elements = ["Li", "Co", "Sc", "Cl", "O"]
    middle, density = density_profile(atoms, elements, 40)
    counts = density.sum(axis=1) * atoms.get_volume() / 40
    np.testing.assert_allclose(counts, [72, 36, 12, 72, 72])
    np.testing.assert_allclose(middle[[0, -1]], [0.4, 31.6])
    assert (density[:, middle > 20] == 0).all()  # the vacuum


def test_heights_are_along_the_normal_of_any_cell():
    atoms = random_cell(np.random.default_rng(2), 9)
    normal = np.cross(atoms.cell[0], atoms.cell[1])
    normal /= np.linalg.norm(normal)
    np.testing.assert_allclose(cell_height(atoms), abs(atoms.cell[2] @ normal))
    expected = (atoms.positions @ normal) % cell_height(atoms)
    np.testing.assert_allclose(heights(atoms), expected, atol=1e-9)


def test_site_profiles_keep_the_mean_over_all_sites():
    atoms = interface264()
    sites = crystalnn.sites(atoms, "interface")
    values = crystalnn.fingerprints(atoms, "interface")
    middle, profile = site_profile(atoms, sites, values)
    layer = np.floor(heights(atoms)[sites] / 2).astype(int)
    counts = np.bincount(layer, minlength=16)
    mean = np.nansum(profile * counts[:, None], axis=0) / counts.sum()
    np.testing.assert_allclose(mean, values.mean(axis=0), atol=1e-12)
    assert np.isnan(profile[middle > 20]).all()
    with pytest.raises(InputError, match="120 sites"):
        site_profile(atoms, sites, values[1:])


def test_displacements_cross_boundaries_and_ignore_a_shift():
    before = Atoms("Si2", [(0.1, 0, 0), (5, 5, 5)], cell=[10] * 3, pbc=True)
    after = before.copy()
    after.positions += [3, 0, 0]
    np.testing.assert_allclose(displacement(before, after), 0, atol=1e-12)
    after = before.copy()
    after.positions[0, 0] = 9.9  # 0.2 Å through the boundary, 0.1 Å from the mean
    np.testing.assert_allclose(displacement(before, after), 0.1)
    with pytest.raises(InputError, match="same atoms"):
        displacement(before, after[:1])


def test_energies_are_per_atom_and_in_mev():
    np.testing.assert_allclose(energy_above_training([-9.0, -10.0], [2, 2], -5.0), [500, 0])
