"""Input files of VASP against the table of the paper, tag by tag; POTCAR from a stub library."""

import gzip

import numpy as np
import pytest
from ase import Atoms
from pydantic import ValidationError
from pymatgen.io.vasp.inputs import Incar, Kpoints, Poscar

from dismai.base.errors import InputError
from dismai.dft.potcar import POTENTIALS, VARIABLE, read_potcar
from dismai.dft.settings import Dft, Vasp
from dismai.dft.vasp_inputs import block_order, bulk_stage, stages, write_inputs

REGION = np.array([True, False, False, True, True, False])


@pytest.fixture
def atoms():
    """One of each element, Li twice; blocks in file order."""
    return Atoms(
        ["Li", "Li", "Co", "Sc", "Cl", "O"],
        scaled_positions=[[0.1 * i, 0.05 * i, 0.15 * i] for i in range(6)],
        cell=[12.0, 13.0, 14.0],
        pbc=True,
    )


def written(atoms, tmp_path, number):
    stage = stages(Dft(), with_region=True)[number]
    write_inputs(atoms, Dft(), stage, tmp_path, REGION)
    return stage, Incar.from_file(str(tmp_path / "INCAR"))


@pytest.mark.parametrize(
    ("number", "cutoff", "steps"), [(0, 374.3, 50), (1, 450.0, Dft().max_steps)]
)
def test_each_stage_has_the_tags_of_the_paper_and_no_others(
    library, atoms, tmp_path, number, cutoff, steps
):
    _, incar = written(atoms, tmp_path, number)
    paper = {
        "ENCUT": cutoff,
        "NSW": steps,
        "EDIFFG": -0.1,
        "ISIF": 2,
        "IBRION": 2,
        "GGA": "Pe",
        "LDAU": True,
        "LDAUTYPE": 2,
        "LDAUL": [-1, 2, -1, -1, -1],  # Li Co Sc Cl O
        "LDAUU": [0, 4, 0, 0, 0],
        "LDAUJ": [0, 0, 0, 0, 0],
    }
    assert dict(incar) == paper | Dft().vasp.incar  # what the paper does not state
    assert not set(paper) & set(Dft().vasp.incar)
    kpoints = Kpoints.from_file(str(tmp_path / "KPOINTS"))
    assert kpoints.style.name == "Gamma"
    assert (kpoints.kpts, tuple(kpoints.kpts_shift)) == ([(1, 1, 1)], (0, 0, 0))


@pytest.mark.parametrize(
    ("crystal", "scheme", "divisions"),
    [("substrate", "Gamma", (9, 9, 1)), ("film", "Monkhorst", (6, 4, 6))],
)
def test_crystals_have_the_tags_and_k_points_of_the_paper(
    library, atoms, tmp_path, crystal, scheme, divisions
):
    stage = bulk_stage(Dft(), getattr(Dft().bulk, crystal))
    write_inputs(atoms, Dft(), stage, tmp_path)
    incar = Incar.from_file(str(tmp_path / "INCAR"))
    expected = {"ENCUT": 520, "ISIF": 3, "EDIFFG": -0.001, "IBRION": 2, "NSW": 500, "LREAL": False}
    assert {key: incar[key] for key in expected} == expected
    assert incar["LDAUU"] == [0, 4, 0, 0, 0]
    kpoints = Kpoints.from_file(str(tmp_path / "KPOINTS"))
    assert kpoints.style.name == scheme
    assert (kpoints.kpts, tuple(kpoints.kpts_shift)) == ([divisions], (0, 0, 0))


def test_only_the_region_moves_in_stage_1_and_everything_in_stage_2(library, atoms, tmp_path):
    written(atoms, tmp_path / "1", 0)
    written(atoms, tmp_path / "2", 1)
    flags = Poscar.from_file(tmp_path / "1" / "POSCAR", check_for_potcar=False).selective_dynamics
    np.testing.assert_array_equal(flags, np.repeat(REGION[:, None], 3, axis=1))
    poscar = Poscar.from_file(tmp_path / "2" / "POSCAR", check_for_potcar=False)
    assert poscar.selective_dynamics is None
    assert poscar.site_symbols == ["Li", "Co", "Sc", "Cl", "O"]
    np.testing.assert_allclose(poscar.structure.cart_coords, atoms.positions, atol=1e-9)


def test_a_relaxed_structure_goes_to_stage_2_only():
    assert [stage.name for stage in stages(Dft(), with_region=False)] == ["stage2"]
    assert [stage.name for stage in stages(Dft(), with_region=True)] == ["stage1", "stage2"]


def test_the_potentials_are_those_of_the_paper_in_the_order_of_the_blocks(library, atoms, tmp_path):
    written(atoms, tmp_path, 0)
    titles = [line.split()[1] for line in (tmp_path / "POTCAR").open() if line.startswith("  PAW")]
    assert titles == ["Li_sv", "Co", "Sc_sv", "Cl", "O"]
    assert {name: n for name, n in POTENTIALS.values()} == {
        "Li_sv": 3, "Sc_sv": 11, "Co": 9, "Cl": 7, "O": 6,
    }  # fmt: skip


def test_a_compressed_library_in_the_layout_of_pymatgen_is_read(library, tmp_path):
    text = (library / "potpaw_PBE" / "Co" / "POTCAR").read_text()
    folder = library / "POT_GGA_PAW_PBE"
    folder.mkdir()
    (folder / "POTCAR.Co.gz").write_bytes(gzip.compress(text.encode()))
    (library / "potpaw_PBE" / "Co" / "POTCAR").unlink()
    assert read_potcar("Co") == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  PAW_PBE Sc 01Jan2000\n 3.0\n", "line 1: expected 'PAW_PBE Sc_sv', found 'PAW_PBE Sc"),
        ("  PAW_PBE Sc_sv 01Jan2000\n 3.0\n", "line 2: expected 11 valence electrons, found 3"),
        ("", "line 1: expected 'PAW_PBE Sc_sv', found 'nothing'"),
    ],
)
def test_a_wrong_potential_is_refused(library, text, expected):
    (library / "potpaw_PBE" / "Sc_sv" / "POTCAR").write_text(text)
    with pytest.raises(InputError) as error:
        read_potcar("Sc")
    assert expected in str(error.value)


def test_without_a_library_one_line_says_what_to_set(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(InputError, match=r"expected the environment variable PMG_VASP_PSP_DIR"):
        read_potcar("Li")


def test_atoms_are_sorted_into_blocks_and_unknown_elements_refused():
    mixed = Atoms("OLiClCoLi", positions=np.zeros((5, 3)))
    assert block_order(mixed).tolist() == [1, 4, 3, 2, 0]
    with pytest.raises(InputError, match="found Fe"):
        block_order(Atoms("Fe"))


def test_tags_of_the_paper_cannot_be_overridden():
    with pytest.raises(ValidationError, match="found ENCUT, ISIF"):
        Vasp(incar={"ENCUT": 300, "isif": 3, "ISMEAR": 0})
