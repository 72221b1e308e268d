"""Runs of VASP: a synthetic vasprun.xml becomes labels; what did not converge is refused."""

import numpy as np
import pytest
from ase import Atoms

from dismai import dft
from dismai.dft.potcar import VARIABLE
from dismai.dft.settings import Dft
from dismai.dft.vasp import parse
from dismai.errors import InputError, StructureError
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
