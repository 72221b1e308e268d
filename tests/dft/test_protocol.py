"""Successive relaxations of a crystal: tags, folders one from the other, energies, pressures."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from pymatgen.io.vasp.inputs import Incar, Kpoints, Poscar

from dismai import dft
from dismai.base.errors import InputError
from dismai.dft.settings import Dft, Mesh, Protocol
from dismai.dft.vasp_inputs import order_of_any, successive_stages, write_inputs
from dismai.dft.vasp_outputs import parse
from tests.dft.synthetic_vasprun import vasprun

SALT = Atoms(
    "ClLiClLi", scaled_positions=[[0, 0, 0], [0.5, 0, 0.5], [0, 0.5, 0.5], [0.5, 0.5, 0]],
    cell=[4.4, 4.4, 4.4], pbc=True,
)  # fmt: skip


def test_each_run_has_the_tags_of_the_paper(library, tmp_path):
    given, *relaxations = successive_stages(Protocol())
    assert [stage.name for stage in relaxations] == [f"relaxation{n}" for n in (1, 2, 3, 4)]
    salt = SALT[order_of_any(SALT)]
    for stage, nsw, ibrion in [(given, 0, -1), (relaxations[0], 20, 2), (relaxations[3], 20, 2)]:
        folder = tmp_path / stage.name
        write_inputs(salt, Dft(), stage, folder)
        incar = Incar.from_file(str(folder / "INCAR"))
        expected = {
            "GGA": "Ps", "ENCUT": 400, "SIGMA": 0.1, "ISMEAR": 0, "IBRION": ibrion, "ISIF": 3,
            "NSW": nsw, "EDIFFG": 1e-3, "LDAU": False, "LREAL": False,
        }  # fmt: skip
        assert {key: incar[key] for key in expected} == expected
        rest = set(Dft().vasp.incar) - set(expected)
        assert {key: incar[key] for key in rest} == {key: Dft().vasp.incar[key] for key in rest}
        kpoints = Kpoints.from_file(str(folder / "KPOINTS"))
        assert (kpoints.style.name, kpoints.kpts) == ("Gamma", [(3, 3, 3)])
        assert Poscar.from_file(folder / "POSCAR", check_for_potcar=False).site_symbols == [
            "Cl", "Li",
        ]  # fmt: skip


def test_with_a_fixed_cell_and_another_functional_the_tags_follow(library, tmp_path):
    protocol = Protocol(functional="PBE", cell_free=False, n_relaxations=1, energy_break_eV=1e-4)
    stage = successive_stages(protocol)[1]
    write_inputs(SALT[order_of_any(SALT)], Dft(), stage, tmp_path)
    incar = Incar.from_file(str(tmp_path / "INCAR"))
    assert (incar["GGA"], incar["ISIF"], incar["EDIFFG"]) == ("Pe", 2, 1e-4)


def test_elements_beyond_the_papers_take_the_potential_of_the_materials_project(
    tmp_path, monkeypatch
):
    from dismai.dft.potcar import VARIABLE, potential_of, read_potcar
    from tests.dft.install import install_library

    assert [potential_of(element)[0] for element in ("Cs", "Sr", "F", "Na")] == [
        "Cs_sv", "Sr_sv", "F", "Na_pv",
    ]  # fmt: skip
    monkeypatch.setenv(VARIABLE, str(install_library(tmp_path, {"Na": ("Na_pv", 7)})))
    assert read_potcar("Na").split()[:2] == ["PAW_PBE", "Na_pv"]
    with pytest.raises(InputError, match="expected elements with a potential, found Rn"):
        potential_of("Rn")


def test_vasp_relaxes_from_contcar_to_contcar(stand_in, tmp_path):
    protocol = Protocol(max_steps=3)
    labels = dft.relax_successively(SALT, Dft(engine="vasp"), protocol, tmp_path / "work")
    calls = stand_in()
    assert [call[-1] for call in calls] == ["0", "3", "3", "3", "3"]
    folders = [tmp_path.__class__(call[0]) for call in calls]
    for before, after in zip(folders, folders[1:], strict=False):
        ended, started = (
            Poscar.from_file(folder / name, check_for_potcar=False).structure
            for folder, name in ((before, "CONTCAR"), (after, "POSCAR"))
        )
        np.testing.assert_allclose(ended.lattice.matrix, started.lattice.matrix, atol=1e-9)
        np.testing.assert_allclose(ended.frac_coords, started.frac_coords, atol=1e-9)
    assert labels[0].atoms.symbols.get_chemical_formula("reduce") == "ClLiClLi"
    np.testing.assert_allclose(labels[0].atoms.positions, SALT.positions, atol=1e-8)
    pressures = [label.pressure_kbar for label in labels]
    assert pressures[0] < 0  # larger than at rest: the cell wants to shrink
    assert np.all(np.diff(np.abs(pressures)) < 0)
    volumes = [label.atoms.get_volume() for label in labels]
    assert np.all(np.diff(volumes) < 0)
    dft.relax_successively(SALT, Dft(engine="vasp"), protocol, tmp_path / "work")
    assert stand_in() == calls  # what is finished is read


def test_a_change_of_the_energy_ends_a_relaxation_before_its_last_step(tmp_path):
    step = {"positions": np.zeros((2, 3)), "forces": np.full((2, 3), 0.3), "energy": -5.0,
            "stress": 12.0 * np.eye(3)}  # fmt: skip
    path = tmp_path / "vasprun.xml"
    path.write_text(vasprun(steps=[step] * 3, nsw=20, ediffg=1e-3, isif=3))
    ended = parse(path)
    assert ended.converged
    assert ended.steps[-1].energy_eV == -5.0
    assert ended.steps[-1].pressure_kbar == pytest.approx(12.0)
    path.write_text(vasprun(steps=[step] * 3, nsw=3, ediffg=1e-3, isif=3))
    assert not parse(path).converged


def test_the_engine_in_python_frees_the_cell_unless_told_not_to(emt, tmp_path):
    atoms = bulk("Cu", "fcc", 3.75, cubic=True)
    atoms.rattle(0.05, seed=1)
    protocol = Protocol(n_relaxations=2)
    given, *after = dft.relax_successively(atoms, Dft(), protocol, tmp_path)
    assert given.pressure_kbar < -10
    assert abs(after[-1].pressure_kbar) < 1
    assert after[-1].energy_eV < given.energy_eV
    np.testing.assert_allclose(given.atoms.positions, atoms.positions)
    fixed = dft.relax_successively(
        atoms, Dft(), protocol.model_copy(update={"cell_free": False}), tmp_path
    )
    np.testing.assert_allclose(fixed[-1].atoms.cell, atoms.cell)
    assert fixed[-1].pressure_kbar < -10


def test_sodium_fluoride_finds_its_cell_without_pressure_in_the_surrogate(tmp_path):
    pytest.importorskip("chgnet")
    atoms = bulk("NaF", "rocksalt", 4.63 * 1.04, cubic=True)
    atoms.rattle(0.05, seed=0)
    given, *after = dft.relax_successively(atoms, Dft(), Protocol(n_relaxations=2), tmp_path)
    assert given.pressure_kbar < -10  # the cell is too large
    assert after[-1].energy_eV < given.energy_eV - 0.1
    assert abs(after[-1].pressure_kbar) < 1
    a = after[-1].atoms.cell.cellpar()
    np.testing.assert_allclose(a[3:], 90, atol=0.5)
    assert 4.5 < a[:3].mean() < 4.8


@pytest.mark.gpaw
def test_gpaw_relaxes_under_pbesol(tmp_path):
    pytest.importorskip("gpaw")
    atoms = bulk("NaF", "rocksalt", 4.63)
    protocol = Protocol(
        cutoff_eV=300, kpoints=Mesh(scheme="gamma", divisions=(2, 2, 2)), n_relaxations=1,
        max_steps=1,
    )  # fmt: skip
    settings = Dft(engine="gpaw")
    one, two = dft.relax_successively(atoms, settings, protocol, tmp_path)
    assert np.isfinite([one.pressure_kbar, two.pressure_kbar]).all()
    pbe = dft.relax_successively(
        atoms, settings, protocol.model_copy(update={"functional": "PBE"}), tmp_path
    )[0]
    assert abs(pbe.energy_eV - one.energy_eV) > 0.1
    assert pbe.pressure_kbar > one.pressure_kbar  # PBEsol has smaller cells
