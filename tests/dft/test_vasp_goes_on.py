"""VASP that is killed, cut off or asked anew: a stand-in that reads its inputs is driven."""

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.lj import LennardJones

from dismai import dft
from dismai.base.errors import InputError, StructureError
from dismai.base.stopping import EXIT_CODE
from dismai.datasets.interface.crystals import relax_crystal
from dismai.dft.settings import Dft
from dismai.dft.vasp_outputs import next_structure, parse, whole_steps
from dismai.evaluation.study_potential import compare_minima
from dismai.files.structures import read_structures
from dismai.potentials.settings import RelaxationSettings
from tests.conftest import ROOT
from tests.dft.stand_in_vasp import VOLUME_A3

REGION = np.arange(8) < 3


def crystal(seed=0):
    """Eight ions in blocks of no order, away from any minimum of the stand-in."""
    atoms = Atoms(
        "ClLiOCoLiScClO",
        scaled_positions=[[i, j, k] for i in (0, 0.5) for j in (0, 0.5) for k in (0, 0.5)],
        cell=[6.3, 6.0, 5.8],
        pbc=True,
    )
    atoms.rattle(0.5, seed=seed)
    return atoms


def settings(**changes):
    return Dft(engine="vasp", region_steps=4, fmax_eV_per_A=0.02, **changes)


def energies(done):
    return [step.energy_eV for step in done.steps]


def dies(tmp_path, stage, step, number=signal.SIGTERM):
    (tmp_path / "dies").write_text(f"{stage} {step} {int(number)}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_kill_in_stage_2_goes_on_there_from_contcar(stand_in, tmp_path, number):
    undisturbed = dft.relax(crystal(), settings(), tmp_path / "a", REGION)
    dies(tmp_path, "stage2", 5, number)
    with pytest.raises(SystemExit) as ended:  # as SLURM ends VASP before a time limit
        dft.relax(crystal(), settings(), tmp_path / "b", REGION)
    assert ended.value.code == EXIT_CODE
    done = dft.relax(crystal(), settings(), tmp_path / "b", REGION)
    assert done.converged
    assert done.region_steps == undisturbed.region_steps == 4
    assert done.n_steps > 8
    np.testing.assert_allclose(energies(done), energies(undisturbed), atol=1e-9)
    for step, same in zip(done.steps, undisturbed.steps, strict=True):
        np.testing.assert_allclose(step.atoms.positions, same.atoms.positions, atol=1e-8)
    ran = [(Path(folder).parts[-2].split("-")[0], nsw) for folder, _, nsw in stand_in()[2:]]
    assert ran == [("stage1", "4"), ("stage2", "2000"), ("stage2", "1995")]
    assert energies(dft.relax(crystal(), settings(), tmp_path / "b", REGION)) == energies(done)
    assert len(stand_in()) == 5  # the finished run was read


def test_several_kills_and_one_in_stage_1_lose_no_step(stand_in, tmp_path):
    undisturbed = dft.relax(crystal(), settings(), tmp_path / "a", REGION)
    for stage, step in (("stage1", 2), ("stage2", 3), ("stage2", 1), ("stage2", 4)):
        dies(tmp_path, stage, step, signal.SIGKILL)
        with pytest.raises(SystemExit):
            dft.relax(crystal(), settings(), tmp_path / "b", REGION)
    done = dft.relax(crystal(), settings(), tmp_path / "b", REGION)
    assert done.region_steps == 4
    np.testing.assert_allclose(energies(done), energies(undisturbed), atol=1e-9)


def test_a_kill_before_the_first_step_is_whole_starts_that_part_again(stand_in, tmp_path):
    done = dft.relax(crystal(), settings(), tmp_path / "a")
    (folder,) = (tmp_path / "a").iterdir()
    text = (folder / "1" / "vasprun.xml").read_text()
    for left in ("", text[:300], text[: text.index("<calculation>") + 50]):
        (folder / "finished").unlink(missing_ok=True)
        (folder / "1" / "vasprun.xml").write_text(left)
        again = dft.relax(crystal(), settings(), tmp_path / "a")
        assert energies(again) == energies(done)
        assert [part.name for part in folder.iterdir() if part.is_dir()] == ["1"]


def test_a_contcar_that_a_kill_cut_off_is_not_used(stand_in, tmp_path):
    dft.relax(crystal(), settings(), tmp_path / "a")
    (folder,) = (tmp_path / "a").glob("*/1")
    last = whole_steps(folder / "vasprun.xml")[0].atoms  # CONTCAR is that of the last step
    contcar = folder / "CONTCAR"
    text = contcar.read_text()
    assert np.abs(next_structure(folder, last).positions - last.positions).max() > 0.01
    for left in ("", text[:150], text[:-5], text.replace("Li", "Sc", 1)):
        contcar.write_text(left)
        assert next_structure(folder, last) is last
    contcar.unlink()
    assert next_structure(folder, last) is last


def test_steps_go_on_until_forces_are_small_or_the_cap_is_reached(stand_in, tmp_path):
    """A stop that VASP was asked for (STOPCAR) leaves a whole file and large forces."""
    done = dft.relax(crystal(), settings(), tmp_path / "a")
    dies(tmp_path, "stage2", 4, number=0)
    stopped = dft.relax(crystal(), settings(), tmp_path / "c")
    assert stopped.converged
    np.testing.assert_allclose(energies(stopped), energies(done), atol=1e-9)
    assert [nsw for *_, nsw in stand_in()] == ["2000", "2000", "1996"]
    capped = dft.relax(crystal(), settings(max_steps=3), tmp_path / "b")
    assert not capped.converged
    np.testing.assert_allclose(energies(capped), energies(done)[:3], atol=1e-9)


def test_a_changed_incar_is_computed_again_and_the_first_answer_stays(stand_in, tmp_path):
    first = dft.relax(crystal(), settings(), tmp_path / "w")
    incar = {**Dft().vasp.incar, "SIGMA": 0.1}
    other = dft.relax(crystal(), settings(vasp={"incar": incar}), tmp_path / "w")
    assert energies(other) != energies(first)
    assert len(stand_in()) == 2
    assert energies(dft.relax(crystal(), settings(), tmp_path / "w")) == energies(first)
    assert len(stand_in()) == 2


def test_a_relative_working_folder_serves_as_in_a_job_of_the_workflow(
    stand_in, tmp_path, monkeypatch
):
    expected = dft.relax(crystal(), settings(), tmp_path / "a")
    monkeypatch.chdir(tmp_path)
    assert energies(dft.relax(crystal(), settings(), Path("b") / "c")) == energies(expected)


def test_another_number_of_ranks_asks_nothing_again(stand_in, tmp_path):
    more = settings().launched_by(["env", "SOME=thing"])
    assert more.vasp.command == ["env", "SOME=thing", "vasp_gam"]
    assert dft.identity(more) == dft.identity(settings())
    first = dft.relax(crystal(), settings(), tmp_path / "w")
    assert energies(dft.relax(crystal(), more, tmp_path / "w")) == energies(first)
    assert len(stand_in()) == 1


def test_three_structures_of_table_5_get_three_answers_each_its_own(stand_in, tmp_path):
    cells = [crystal(seed) for seed in range(3)]
    loose = RelaxationSettings(optimizer="lbfgs", fmax_eV_per_A=1e6)
    potential = LennardJones(sigma=1.0, rc=3.0)
    state = tmp_path / "state"
    table = compare_minima(cells, potential, loose, settings(), state, "a")
    assert table["status"].tolist() == ["ok"] * 3
    assert table["final_energy_eV_per_atom"].nunique() == 3
    for atoms, row in zip(cells, table.itertuples(), strict=True):
        alone = dft.relax(atoms, settings(), tmp_path / f"alone{row.Index}")
        assert row.final_energy_eV_per_atom * 8 == pytest.approx(alone.steps[-1].energy_eV)
        assert row.n_steps == alone.n_steps
    n_calls = len(stand_in())
    part = compare_minima(cells[1:], potential, loose, settings(), state, "a", first=1)
    assert part["structure"].tolist() == [1, 2]
    assert len(stand_in()) == n_calls  # another share of the jobs finds the rows


def test_vasp_ends_with_a_process_that_is_killed(stand_in, tmp_path, monkeypatch):
    """Two programs would write into one folder after a restart."""
    monkeypatch.setenv("STAND_IN_PACE_S", "600")
    code = f"""
        import sys
        sys.path.insert(0, {str(ROOT)!r})
        from pathlib import Path
        from dismai import dft
        from tests.dft.test_vasp_goes_on import crystal, settings
        dft.relax(crystal(), settings(), Path({str(tmp_path / "w")!r}))
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])
    deadline = time.monotonic() + 60
    while not list((tmp_path / "w").glob("*/1/CONTCAR")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.kill()
    process.wait()
    while _running(tmp_path / "w"):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _running(folder):
    """Processes whose working folder lies below one."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if entry.readlink().is_relative_to(folder):
                found.append(entry)
        except OSError:
            continue
    return found


@pytest.mark.parametrize(
    ("name", "file", "mesh"),
    [("substrate", "LCO.cif", (9, 9, 1)), ("film", "LSC.cif", (6, 4, 6))],
)
def test_a_crystal_relaxes_with_its_cell_and_goes_on_after_a_kill(
    stand_in, tmp_path, name, file, mesh
):
    path = ROOT / "resources" / file
    whole = relax_crystal(name, path, settings(), tmp_path / "a", tmp_path / "whole.extxyz")
    dies(tmp_path, "bulk", 3, signal.SIGKILL)
    with pytest.raises(SystemExit):
        relax_crystal(name, path, settings(), tmp_path / "b", tmp_path / "killed.extxyz")
    relax_crystal(name, path, settings(), tmp_path / "b", tmp_path / "killed.extxyz")
    (killed,) = read_structures(tmp_path / "killed.extxyz")
    np.testing.assert_allclose(killed.cell, whole.cell, atol=1e-8)
    rest = sum(VOLUME_A3[symbol] for symbol in whole.symbols)
    assert whole.get_volume() == pytest.approx(rest, rel=1e-3)
    (given,) = read_structures(path)
    assert whole.get_chemical_symbols() == given.get_chemical_symbols()
    assert whole.info["energy_eV_per_atom"] < 0
    assert [nsw for *_, nsw in stand_in()] == ["500", "500", "497"]
    for folder, *_ in stand_in():
        asked = (Path(folder) / "KPOINTS").read_text().splitlines()[3]
        assert tuple(map(int, asked.split())) == mesh


def test_a_crystal_whose_k_points_custodian_changed_is_refused(stand_in, tmp_path):
    relax_crystal(
        "film", ROOT / "resources" / "LSC.cif", settings(), tmp_path / "a", tmp_path / "x"
    )
    (folder,) = (tmp_path / "a").glob("*/1")
    asked = {"ENCUT": 520.0, "ISIF": 3, "LDAU": False}
    assert parse(folder / "vasprun.xml", {**asked, "KPOINTS": (6, 4, 6)}).converged
    with pytest.raises(StructureError, match=r"KPOINTS: expected \(6, 4, 7\), found \(6, 4, 6\)"):
        parse(folder / "vasprun.xml", {**asked, "KPOINTS": (6, 4, 7)})


def test_a_crystal_that_does_not_get_there_or_whose_program_is_missing_is_one_line(
    stand_in, tmp_path
):
    path, target = ROOT / "resources" / "LCO.cif", tmp_path / "x.extxyz"
    few = settings(bulk={"max_steps": 2})
    with pytest.raises(InputError, match=r"LCO.cif: expected forces below 0.001 .* within 2 steps"):
        relax_crystal("substrate", path, few, tmp_path / "a", target)
    other = settings(vasp={"bulk_command": ["vasp_ncl"]})
    with pytest.raises(InputError, match=r"expected the program vasp_ncl of dft.vasp.bulk_command"):
        relax_crystal("substrate", path, other, tmp_path / "b", target)
    with pytest.raises(InputError, match=r"LCO.cif: expected the cell of Li3ScCl6"):
        relax_crystal("film", path, settings(), tmp_path / "c", target)
