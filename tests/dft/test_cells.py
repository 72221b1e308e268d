"""Cells that a potential learns from, labelled by an engine: kept, and asked for what is needed."""

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT

from dismai import dft
from dismai.base.errors import InputError, StructureError
from dismai.dft import vasp
from dismai.dft.cells import kept_label
from dismai.dft.potcar import VARIABLE
from dismai.dft.settings import Dft
from dismai.potentials import load
from dismai.potentials.settings import GapFit
from dismai.potentials.training_cells import ENERGY, FORCES, labelled_cells
from tests.dft.install import install_library, install_stand_in

SETTINGS = GapFit(labels="engine", n_atoms=8, n_train=[4], n_test=2)


def test_a_label_is_kept_for_its_cell_and_engine_only(emt, tmp_path):
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.1, seed=1)
    energy, forces = kept_label(atoms, Dft(), tmp_path)
    atoms.calc = EMT()
    assert energy == pytest.approx(atoms.get_potential_energy(), abs=1e-12)
    np.testing.assert_allclose(forces, atoms.get_forces(), atol=1e-12)
    again, same = kept_label(atoms, Dft(), tmp_path)
    assert (again, len(emt)) == (energy, 1)
    np.testing.assert_array_equal(same, forces)
    kept_label(atoms, Dft(hubbard_U_eV={}), tmp_path)
    atoms.rattle(0.1, seed=2)
    kept_label(atoms, Dft(), tmp_path)
    assert len(emt) == 3


def test_the_engine_labels_cells_that_stillinger_weber_has_made():
    sw = load({"kind": "sw"})
    asked = []

    def engine(atoms):
        asked.append(atoms.copy())
        return -8.0, np.full((8, 3), 0.5)

    cells = labelled_cells(SETTINGS, sw, 3, 0, "train", engine=engine)
    for atoms, same in zip(cells, labelled_cells(SETTINGS, sw, 3, 0, "train"), strict=True):
        np.testing.assert_array_equal(atoms.positions, same.positions)
        assert atoms.info[ENERGY] == -8.0
        assert (atoms.arrays[FORCES] == 0.5).all()
    assert len(asked) == 3


def test_a_cell_that_the_engine_refuses_is_replaced_and_half_of_them_are_too_many(caplog):
    sw = load({"kind": "sw"})
    calls = []

    def refuses_the_second(atoms):
        calls.append(1)
        if len(calls) == 2:
            raise StructureError("no convergence")
        return -8.0, np.zeros((8, 3))

    cells = labelled_cells(SETTINGS, sw, 3, 0, "train", engine=refuses_the_second)
    assert (len(cells), len(calls)) == (3, 4)
    assert "training cell 1 is left out: no convergence" in caplog.text

    def refuses(atoms):
        raise StructureError("no convergence")

    with pytest.raises(InputError, match="training cells: expected 2 labels, found 0"):
        labelled_cells(SETTINGS, sw, 2, 0, "train", engine=refuses)


def test_vasp_needs_the_potential_of_silicon_for_silicon_alone(tmp_path, monkeypatch):
    install_library(tmp_path / "library")
    install_stand_in(tmp_path / "bin")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "library"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    settings = Dft(engine="vasp")
    dft.check(settings)  # of the interface
    with pytest.raises(InputError, match=r"expected a POTCAR of Si \(PAW, PBE\), found none"):
        dft.check(settings, ["Si"])
    before = vasp.code_identity(settings)
    install_library(tmp_path / "silicon", {"Si": ("Si", 4)})
    monkeypatch.setenv(VARIABLE, str(tmp_path / "silicon"))
    dft.check(settings, ["Si"])
    assert vasp.code_identity(settings, ["Si"]) != before
