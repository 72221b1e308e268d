"""Runs of VASP: a synthetic vasprun.xml becomes labels; what did not converge is refused."""

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.lj import LennardJones

from dismai import dft
from dismai.base.atomic import locked
from dismai.base.errors import InputError, StructureError
from dismai.dft.potcar import VARIABLE
from dismai.dft.settings import Dft
from dismai.dft.vasp import parse
from dismai.evaluation.study_potential import compare_minima
from dismai.potentials.settings import RelaxationSettings
from tests.dft.synthetic_vasprun import vasprun

START = [[0.0, 0.0, 0.0], [0.5, 0.5, 0.48]]
END = [[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]]
STRESS = np.array([[10.0, 1.0, 2.0], [1.0, 20.0, 3.0], [2.0, 3.0, 30.0]])  # kbar


def step(positions=START, force=0.5, energy=-7.0, scf=9):
    forces = [[0, 0, force], [0, 0, -force]]
    return {
        "positions": positions,
        "forces": forces,
        "stress": STRESS,
        "energy": energy,
        "scf": scf,
    }


def written(path, steps, **settings):
    path.write_text(vasprun(steps=steps, **settings))
    return path


def test_a_vasprun_becomes_the_label_that_was_written(tmp_path):
    done = parse(written(tmp_path / "vasprun.xml", [step()]))
    (label,) = done.steps
    assert label.energy_eV == -7.0  # extrapolated to zero smearing
    np.testing.assert_allclose(label.forces_eV_per_A, [[0, 0, 0.5], [0, 0, -0.5]])
    # 10 kbar are 1 GPa; VASP counts compression positive.  xx yy zz yz xz xy
    np.testing.assert_allclose(label.stress_GPa, [-1, -2, -3, -0.3, -0.2, -0.1])
    np.testing.assert_allclose(label.atoms.get_scaled_positions(), START)
    assert label.atoms.get_chemical_formula() == "ClLi"
    assert label.provenance["engine"] == "vasp"
    assert len(label.provenance["settings_sha256"]) == 64


def test_a_relaxation_is_converged_when_its_last_forces_are_small(tmp_path):
    small = [step(), step(END, force=0.05)]
    assert parse(written(tmp_path / "vasprun.xml", small, nsw=300)).converged
    large = [step(), step(END, force=0.3)]
    assert not parse(written(tmp_path / "vasprun.xml", large, nsw=300)).converged


def test_electrons_that_did_not_converge_are_refused_with_the_step(tmp_path):
    path = written(tmp_path / "vasprun.xml", [step(), step(scf=60)], nsw=300)
    with pytest.raises(StructureError) as error:
        parse(path)
    assert str(error.value) == (
        "ionic step 1: expected fewer than 60 electronic iterations, found 60: not converged"
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [("<modeling><calculation>", "expected a whole vasprun.xml"), (None, "found no such file")],
)
def test_a_cut_off_or_missing_vasprun_is_refused(tmp_path, content, expected):
    path = tmp_path / "vasprun.xml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(StructureError, match=expected):
        parse(path)


def test_a_run_with_other_settings_than_asked_for_is_refused(tmp_path):
    path = written(tmp_path / "vasprun.xml", [step()], encut=300.0)
    with pytest.raises(StructureError, match=r"ENCUT: expected 450.0, found 300.0"):
        parse(path, {"ENCUT": 450.0, "ISIF": 2, "LDAU": True})


@pytest.fixture
def lithium_chloride():
    """Cl first: atoms come back in this order although VASP wants blocks."""
    return Atoms("ClLi", scaled_positions=START[::-1], cell=[5, 5, 5], pbc=True)


def test_both_stages_run_under_custodian_and_come_back_in_the_order_of_the_atoms(
    library, fake_vasp, lithium_chloride, tmp_path
):
    written(fake_vasp / "1.xml", [step(), step()], nsw=50, encut=374.3, ldau=False)
    second = [step(), step(END, force=0.01, energy=-8.0)]
    written(fake_vasp / "2.xml", second, nsw=300, ldau=False)
    region = np.array([True, False])
    settings = Dft(engine="vasp")
    done = dft.relax(lithium_chloride, settings, tmp_path / "work", region)
    assert done.converged
    assert (done.region_steps, done.n_steps) == (2, 1)
    label = done.steps[-1]
    assert label.energy_eV == -8.0
    assert label.atoms.get_chemical_symbols() == ["Cl", "Li"]
    np.testing.assert_allclose(label.forces_eV_per_A[0], [0, 0, -0.01])
    again = dft.relax(lithium_chloride, settings, tmp_path / "work", region)  # no answer left
    assert again.steps[-1].energy_eV == -8.0


def answers(folder, *energies):
    """What the stand-in says to one call after the other: single relaxed steps."""
    for number, energy in enumerate(energies, start=1):
        content = [step(force=0.01, energy=energy)]
        written(folder / f"{number}.xml", content, nsw=300, ldau=False)


def moved(atoms, by):
    other = atoms.copy()
    other.positions[0, 0] += by
    return other


def test_each_structure_gets_its_own_answer_from_one_working_folder(
    library, fake_vasp, lithium_chloride, tmp_path
):
    answers(fake_vasp, -1.0, -2.0, -3.0, -4.0)
    settings = Dft(engine="vasp")
    structures = [lithium_chloride, moved(lithium_chloride, 0.1), moved(lithium_chloride, 1e-6)]
    first = [dft.relax(atoms, settings, tmp_path / "w").steps[-1].energy_eV for atoms in structures]
    assert first == [-1.0, -2.0, -3.0]
    again = [dft.relax(atoms, settings, tmp_path / "w").steps[-1].energy_eV for atoms in structures]
    assert again == first
    assert [path.name for path in fake_vasp.iterdir()] == ["4.xml"]  # nothing ran twice
    assert dft.label(moved(lithium_chloride, 0.1), settings, tmp_path / "w").energy_eV == -4.0


@pytest.mark.parametrize(
    "changes",
    [
        {"fmax_eV_per_A": 0.05},
        {"max_steps": 200},
        {"vasp": {"incar": {"ISPIN": 1, "NELM": 60}}},
        {"hubbard_U_eV": {"Co": 4.0, "Cl": 1.0}},
    ],
)
def test_a_finished_run_is_no_answer_to_other_settings(
    library, fake_vasp, lithium_chloride, tmp_path, changes
):
    answers(fake_vasp, -1.0)
    dft.relax(lithium_chloride, Dft(engine="vasp"), tmp_path / "w")
    content = [step(force=0.01, energy=-2.0)]
    written(fake_vasp / "2.xml", content, nsw=300, ldau="hubbard_U_eV" in changes)
    other = dft.relax(lithium_chloride, Dft(engine="vasp", **changes), tmp_path / "w")
    assert other.steps[-1].energy_eV == -2.0


def test_a_finished_run_is_no_answer_to_another_region_or_other_potentials(
    library, fake_vasp, lithium_chloride, tmp_path
):
    for number, energy in enumerate((-1.0, -2.0, -3.0), start=1):
        first = [step(force=0.01)]
        written(fake_vasp / f"{number}a.xml", first, nsw=50, encut=374.3, ldau=False)
        second = [step(force=0.01, energy=energy)]
        written(fake_vasp / f"{number}b.xml", second, nsw=300, ldau=False)
    (fake_vasp / "2b.xml").unlink()  # stage 2 starts from what stage 1 gave, here the same
    settings, found = Dft(engine="vasp"), []
    for region in ([True, False], [False, True]):
        done = dft.relax(lithium_chloride, settings, tmp_path / "w", np.array(region))
        found.append(done.steps[-1].energy_eV)
    assert sorted(path.name for path in fake_vasp.iterdir()) == ["3a.xml", "3b.xml"]
    potcar = library / "potpaw_PBE" / "Cl" / "POTCAR"
    potcar.write_text(potcar.read_text().replace("01Jan2000", "06Sep2000"))
    done = dft.relax(lithium_chloride, settings, tmp_path / "w", np.array([True, False]))
    assert (found, done.steps[-1].energy_eV) == ([-1.0, -1.0], -3.0)


def test_a_damaged_finished_run_runs_again(library, fake_vasp, lithium_chloride, tmp_path, caplog):
    answers(fake_vasp, -1.0, -2.0)
    settings = Dft(engine="vasp")
    dft.relax(lithium_chloride, settings, tmp_path / "w")
    (output,) = (tmp_path / "w").glob("*/1/vasprun.xml")
    output.write_text(output.read_text()[:500])
    assert dft.relax(lithium_chloride, settings, tmp_path / "w").steps[-1].energy_eV == -2.0
    assert "damaged, it runs again" in caplog.text


def test_two_workers_at_one_run_are_told_and_at_two_runs_are_not(
    library, fake_vasp, lithium_chloride, tmp_path
):
    answers(fake_vasp, -1.0, -2.0)
    settings = Dft(engine="vasp")
    dft.relax(lithium_chloride, settings, tmp_path / "w")
    (folder,) = (tmp_path / "w").iterdir()
    with locked(folder):
        with pytest.raises(InputError, match="expected no other job here, found one at work"):
            dft.relax(lithium_chloride, settings, tmp_path / "w")
        other = dft.relax(moved(lithium_chloride, 0.1), settings, tmp_path / "w")
    assert other.steps[-1].energy_eV == -2.0


def test_table_5_asks_vasp_about_each_structure(library, fake_vasp, lithium_chloride, tmp_path):
    """The stand-in gives one energy a call: rows that share an answer would repeat it."""
    answers(fake_vasp, -1.0, -2.0, -3.0)
    cells = [lithium_chloride.copy() for _ in range(3)]
    for seed, atoms in enumerate(cells):
        atoms.rattle(0.05, seed=seed)
    loose = RelaxationSettings(optimizer="lbfgs", fmax_eV_per_A=10.0)
    potential = LennardJones(sigma=2.0, rc=4.0)
    arguments = (cells, potential, loose, Dft(engine="vasp"), tmp_path / "state", "a")
    table = compare_minima(*arguments)
    assert table["status"].tolist() == ["ok"] * 3
    assert (2 * table["final_energy_eV_per_atom"]).tolist() == [-1.0, -2.0, -3.0]
    assert compare_minima(*arguments).equals(table)


@pytest.mark.parametrize("missing", ["program", "library", "one potential"])
def test_without_vasp_one_line_says_what_to_set(
    library, fake_vasp, lithium_chloride, tmp_path, monkeypatch, missing
):
    expected = {
        "program": "expected the program vasp_gam of dft.vasp.command on the PATH",
        "library": f"expected the environment variable {VARIABLE}",
        "one potential": "expected a POTCAR of Sc_sv (PAW, PBE), found none",
    }[missing]
    if missing == "program":
        monkeypatch.setenv("PATH", str(tmp_path))
    elif missing == "library":
        monkeypatch.delenv(VARIABLE)
    else:
        (library / "potpaw_PBE" / "Sc_sv" / "POTCAR").unlink()
    with pytest.raises(InputError) as error:
        dft.label(lithium_chloride, Dft(engine="vasp"), tmp_path / "work")
    assert expected in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "work").exists()
