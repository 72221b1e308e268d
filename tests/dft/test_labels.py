"""Label files, the surrogate engine and the steps that are kept."""

import ast
import subprocess
import sys

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from pydantic import ValidationError

from dismai import dft
from dismai.base.errors import InputError, StructureError
from dismai.datasets.interface.labelling import kept_steps
from dismai.dft import calculators
from dismai.dft.settings import Dft, Mesh
from dismai.potentials.labels import Label, checked, read_labels, write_labels
from tests.conftest import ROOT


def label(stress=True, **changes):
    values = {
        "atoms": bulk("NaCl", "rocksalt", a=5.6),
        "energy_eV": -6.5,
        "forces_eV_per_A": np.array([[0.1, 0.2, -0.3], [-0.1, -0.2, 0.3]]),
        "stress_eV_per_A3": np.arange(6) / 100 if stress else None,
        "converged": True,
        "provenance": {"engine": "surrogate", "relaxation": 3, "step": 15, "exchanged": True},
    }
    return Label(**(values | changes))


def test_labels_come_back_from_a_file_as_they_were(tmp_path):
    path = tmp_path / "labels.extxyz"
    write_labels([label(), label()], path)
    back = read_labels(path)
    assert len(back) == 2
    assert back[0].energy_eV == -6.5
    np.testing.assert_allclose(back[0].forces_eV_per_A, label().forces_eV_per_A, atol=1e-8)
    np.testing.assert_allclose(back[0].stress_eV_per_A3, label().stress_eV_per_A3, atol=1e-8)
    np.testing.assert_allclose(back[0].stress_GPa[1], 1.6021766)
    np.testing.assert_allclose(back[0].atoms.positions, label().atoms.positions, atol=1e-8)
    assert back[0].provenance == label().provenance


@pytest.mark.parametrize("missing", ["forces", "energy"])
def test_a_file_without_forces_or_energy_is_refused_in_one_line(tmp_path, missing):
    path = tmp_path / "labels.extxyz"
    write_labels([label()], path)
    text = path.read_text()
    text = text.replace(":forces:R:3", ":other:R:3") if missing == "forces" else text.replace(
        "energy=", "other="
    )  # fmt: skip
    path.write_text(text)
    with pytest.raises(InputError) as error:
        read_labels(path)
    assert f"labels.extxyz: structure 0: expected {missing}, found" in str(error.value)
    assert "\n" not in str(error.value)


def test_stress_is_in_all_labels_or_in_none(tmp_path):
    path = tmp_path / "labels.extxyz"
    write_labels([label(stress=False)], path)
    assert read_labels(path)[0].stress_GPa is None
    write_labels([label(), label(stress=False)], path)
    with pytest.raises(InputError, match="structure 1: expected stress as elsewhere, found none"):
        read_labels(path)


def test_labels_that_cannot_be_trusted_are_refused():
    with pytest.raises(StructureError, match="expected converged electrons"):
        checked(label(converged=False))
    with pytest.raises(StructureError, match="expected finite energy and forces"):
        checked(label(energy_eV=float("nan")))


def test_kept_steps_are_every_tenth_from_the_fifth_and_the_relaxed_structure():
    assert kept_steps(37, 5, 10) == [5, 15, 25, 35, 37]
    assert kept_steps(35, 5, 10) == [5, 15, 25, 35]
    assert kept_steps(3, 5, 10) == [3]


def rattled():
    atoms = bulk("Cu", cubic=True) * (2, 1, 1)
    atoms.rattle(0.15, seed=1)
    return atoms


@pytest.fixture
def emt(monkeypatch):
    """A calculator of milliseconds in place of the surrogate."""
    monkeypatch.setattr(calculators, "_calculator", lambda settings, workdir: EMT())


def test_stage_1_moves_the_region_only_and_stage_2_everything(emt, tmp_path):
    atoms = rattled()
    region = np.arange(8) < 3
    settings = Dft(region_steps=4, max_steps=200, fmax_eV_per_A=0.02)
    done = dft.relax(atoms, settings, tmp_path, region)
    assert done.converged
    assert done.region_steps == 4
    start = done.steps[0].atoms.positions
    assert (start[region] != atoms.positions[region]).any(axis=1).all()
    np.testing.assert_array_equal(start[~region], atoms.positions[~region])
    assert (done.steps[-1].atoms.positions[~region] != start[~region]).any()
    assert done.steps[-1].fmax_eV_per_A < 0.02 < done.steps[0].fmax_eV_per_A
    np.testing.assert_array_equal(done.steps[-1].atoms.cell, atoms.cell)


def test_a_relaxation_that_is_cut_short_says_so(emt, tmp_path):
    done = dft.relax(rattled(), Dft(max_steps=2, fmax_eV_per_A=1e-4), tmp_path)
    assert not done.converged
    assert done.n_steps == 2


def test_a_crystal_relaxes_with_its_cell_and_keeps_its_symmetry(emt, tmp_path):
    atoms = bulk("Cu", cubic=True)
    atoms.set_cell(atoms.cell * 1.03, scale_atoms=True)
    mesh = Mesh(scheme="gamma", divisions=(1, 1, 1))
    done = dft.relax_cell(atoms, Dft(), tmp_path, mesh)
    assert done.converged
    last = done.steps[-1]
    assert last.fmax_eV_per_A < 0.001
    np.testing.assert_allclose(last.atoms.cell.cellpar(), [3.59] * 3 + [90] * 3, atol=0.01)  # EMT
    np.testing.assert_allclose(last.stress_GPa, 0, atol=0.02)
    assert not dft.relax_cell(atoms, Dft(bulk={"max_steps": 1}), tmp_path, mesh).converged


def test_a_crystal_needs_a_stress(moments, tmp_path):
    settings = Dft(engine="gpaw", gpaw={"mode": "lcao"})
    with pytest.raises(InputError, match="dft.gpaw.mode: expected pw for crystals"):
        dft.relax_cell(bulk("Cu"), settings, tmp_path, settings.bulk.film)


def test_gpaw_is_given_the_mesh_of_each_crystal():
    bulk_settings = Dft().bulk
    assert calculators._gpaw_mesh(bulk_settings.substrate) == {"size": (9, 9, 1), "gamma": True}
    assert calculators._gpaw_mesh(bulk_settings.film) == {"size": (6, 4, 6)}


def test_steps_carry_what_the_calculator_says_at_their_geometry(emt, tmp_path):
    done = dft.relax(rattled(), Dft(max_steps=3), tmp_path)
    for step in done.steps:
        atoms = step.atoms.copy()
        atoms.calc = EMT()
        np.testing.assert_allclose(step.forces_eV_per_A, atoms.get_forces(), atol=1e-12)
        assert step.energy_eV == pytest.approx(atoms.get_potential_energy(), abs=1e-12)


def test_a_calculator_that_fails_costs_the_structure(emt, tmp_path):
    with pytest.raises(StructureError, match="the engine failed: NotImplementedError"):
        dft.label(Atoms("U", cell=[5, 5, 5], pbc=True), Dft(), tmp_path)


def test_the_surrogate_labels_with_stress_and_says_what_it_is(tmp_path):
    atoms = bulk("LiCl", "rocksalt", a=5.3)
    found = dft.label(atoms, Dft(), tmp_path)
    assert found.energy_eV / 2 == pytest.approx(-3.97, abs=0.01)  # CHGNet 0.3.0
    strained = []
    for factor in (0.999, 1.001):
        other = atoms.copy()
        other.set_cell(atoms.cell * factor, scale_atoms=True)
        strained.append(dft.label(other, Dft(), tmp_path))
    slope = (strained[1].energy_eV - strained[0].energy_eV) / (
        strained[1].atoms.get_volume() - strained[0].atoms.get_volume()
    )
    # The trace of the stress is 3 dE/dV.
    assert found.stress_eV_per_A3[:3].mean() == pytest.approx(slope, rel=0.02)
    assert found.stress_eV_per_A3.shape == (6,)
    assert found.provenance["engine"] == "surrogate"
    assert found.provenance["engine_version"].startswith("0.")


def test_one_working_folder_serves_several_structures(emt, tmp_path):
    cells = [bulk("Cu", a=a) for a in (3.5, 3.6)]
    together = [dft.label(atoms, Dft(), tmp_path / "w").energy_eV for atoms in cells]
    apart = [dft.label(atoms, Dft(), tmp_path / f"{i}").energy_eV for i, atoms in enumerate(cells)]
    assert together == apart
    assert together[0] != together[1]


@pytest.fixture
def moments(monkeypatch):
    """What a calculator in place of GPAW is told of starting moments, call by call."""
    told = []

    class Listening(EMT):
        def calculate(self, atoms=None, *arguments, **keywords):
            told.append(atoms.get_initial_magnetic_moments().tolist())
            super().calculate(atoms, *arguments, **keywords)

    monkeypatch.setattr(calculators, "check_installation", lambda settings: None)
    monkeypatch.setattr(calculators, "provenance", lambda settings: {})
    monkeypatch.setattr(calculators, "_calculator", lambda settings, workdir: Listening())
    return told


def test_starting_moments_reach_gpaw_by_element(moments, tmp_path):
    atoms = Atoms("CuAuCu", positions=[[0, 0, 0], [2.6, 0, 0], [0, 2.6, 0]], cell=[6, 6, 6])
    own = {"spin_polarised": True, "magmoms": {"Cu": 1.5}}
    settings = Dft(engine="gpaw", gpaw=own, max_steps=2)
    dft.label(atoms, settings, tmp_path)
    dft.relax(atoms, settings, tmp_path, region=np.array([True, False, False]))
    assert len(moments) > 2
    assert {tuple(told) for told in moments} == {(1.5, 0.0, 1.5)}
    moments.clear()
    dft.label(atoms, Dft(engine="gpaw"), tmp_path)
    assert moments == [[0.0, 0.0, 0.0]]


def test_starting_moments_without_spins_and_of_no_element_are_refused(moments, tmp_path):
    with pytest.raises(ValidationError, match="magmoms: expected spin_polarised: true"):
        Dft(engine="gpaw", gpaw={"magmoms": {"Co": 1.0}})
    own = {"spin_polarised": True, "magmoms": {"CO": 1.0}}
    for settings, place in (
        (Dft(engine="gpaw", gpaw=own), "dft.gpaw.magmoms"),
        (Dft(hubbard_U_eV={"CO": 1.0}), "dft.hubbard_U_eV"),
    ):
        for call in (dft.check, lambda it: dft.label(bulk("Cu"), it, tmp_path)):
            with pytest.raises(InputError, match=f"{place}: expected symbols of elements, found"):
                call(settings)


def test_a_label_job_imports_neither_torch_nor_lightning():
    """What the script imports, and the engine of VASP with its keeper; CHGNet needs torch."""
    script = ROOT / "workflow" / "scripts" / "label_interfaces.py"
    imports = [
        ast.unparse(node)
        for node in ast.parse(script.read_text()).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    code = "\n".join(
        [
            *imports,
            "import sys, custodian.vasp.jobs, custodian.vasp.handlers",
            "from dismai import dft",
            "dft._engine(Dft(engine='vasp'))",
            "print(sorted({'torch', 'lightning', 'matgl', 'chgnet'} & set(sys.modules)))",
        ]
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.stdout.strip(), result.returncode) == ("[]", 0), result.stderr
