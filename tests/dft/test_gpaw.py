"""GPAW for real, with cheap settings; skipped where it is not installed."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from dismai import dft
from dismai.base.errors import InputError
from dismai.dft import calculators
from dismai.dft.settings import Dft

CHEAP = {"cutoff_eV": 250.0, "kpts": (2, 2, 2)}


def test_without_gpaw_one_line_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match="expected the package gpaw, found none; install it"):
        dft.label(bulk("LiCl", "rocksalt", a=5.1), Dft(engine="gpaw"), tmp_path)


@pytest.mark.gpaw
def test_without_paw_data_one_line_says_what_to_set(monkeypatch, tmp_path):
    gpaw = pytest.importorskip("gpaw")
    monkeypatch.setattr(gpaw, "setup_paths", [str(tmp_path)])
    monkeypatch.setattr(calculators, "DEBIAN_PAW_DATA", tmp_path)
    with pytest.raises(InputError, match="expected PAW data, found none; install .* GPAW_SETUP_PA"):
        dft.label(bulk("LiCl", "rocksalt", a=5.1), Dft(engine="gpaw"), tmp_path)


@pytest.mark.gpaw
def test_gpaw_finds_lithium_chloride_bound_and_its_forces_zero(tmp_path):
    pytest.importorskip("gpaw")
    settings = Dft(engine="gpaw", gpaw=CHEAP)
    atoms = bulk("LiCl", "rocksalt", a=5.13)
    found = dft.label(atoms, settings, tmp_path)
    assert -9 < found.energy_eV < -5
    np.testing.assert_allclose(found.forces_eV_per_A, 0, atol=1e-6)  # by symmetry
    diagonal, rest = found.stress_GPa[:3], found.stress_GPa[3:]
    np.testing.assert_allclose(diagonal, diagonal[0], atol=1e-3)
    np.testing.assert_allclose(rest, 0, atol=1e-3)
    assert found.provenance["engine"] == "gpaw"
    assert (tmp_path / "gpaw.txt").stat().st_size > 0


@pytest.mark.gpaw
def test_gpaw_takes_u_on_cobalt_in_lithium_cobalt_oxide(tmp_path):
    pytest.importorskip("gpaw")
    a, c, u = 2.816, 14.05, 0.2394
    cell = [[a / 2, -a / (2 * 3**0.5), c / 3], [0, a / 3**0.5, c / 3],
            [-a / 2, -a / (2 * 3**0.5), c / 3]]  # fmt: skip
    scaled = [[0, 0, 0], [0.5] * 3, [u] * 3, [1 - u] * 3]
    atoms = Atoms("LiCoO2", scaled_positions=scaled, cell=cell, pbc=True)
    energies = {}
    for hubbard in (0.0, 4.0):
        settings = Dft(engine="gpaw", gpaw=CHEAP, hubbard_U_eV={"Co": hubbard})
        found = dft.label(atoms, settings, tmp_path / f"{hubbard:g}")
        energies[hubbard] = found.energy_eV
        # Inversion: no force on the cations, opposite ones on the two O.
        np.testing.assert_allclose(found.forces_eV_per_A[:2], 0, atol=0.01)
        np.testing.assert_allclose(found.forces_eV_per_A[2], -found.forces_eV_per_A[3], atol=0.01)
    assert energies[4.0] > energies[0.0] + 0.5  # the penalty of fractional d occupations


@pytest.mark.gpaw
def test_gpaw_starts_from_the_moments_and_keeps_those_of_iron(tmp_path):
    gpaw = pytest.importorskip("gpaw")
    own = {**CHEAP, "spin_polarised": True, "magmoms": {"Fe": 2.2}}
    settings = Dft(engine="gpaw", gpaw=own, hubbard_U_eV={})
    atoms = bulk("Fe", "bcc", a=2.87)
    dft.label(atoms, settings, tmp_path)
    assert gpaw.__version__
    assert "Spin-polarized calculation" in (tmp_path / "gpaw.txt").read_text()
    unpolarised = dft.label(atoms, Dft(engine="gpaw", gpaw=CHEAP, hubbard_U_eV={}), tmp_path / "0")
    polarised = dft.label(atoms, settings, tmp_path / "1")
    assert polarised.energy_eV < unpolarised.energy_eV - 0.1  # iron is a ferromagnet
