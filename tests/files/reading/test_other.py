"""Formats that go through ASE: names are plain names, types are no elements, text is text."""

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from dismai.base.errors import InputError, StructureError
from dismai.files.structures import read_frames


@pytest.fixture
def silicon():
    atoms = bulk("Si", cubic=True)
    atoms.rattle(0.05, seed=2)
    atoms.wrap()
    return atoms


@pytest.mark.parametrize(
    "ending", ["cif", "extxyz", "xyz", "traj", "db", "json", "vasp", "pdb", "xsf"]
)
@pytest.mark.parametrize("name", ["a@300K", "a@0", "a@:", "postgres", "mysql@x", "-", "a b", "@"])
def test_names_are_never_interpreted(tmp_path, silicon, monkeypatch, name, ending):
    formats = {"extxyz": "extxyz", "xyz": "extxyz", "pdb": "proteindatabank"}
    ase.io.write(tmp_path / f"plain.{ending}", silicon, format=formats.get(ending))
    (tmp_path / f"plain.{ending}").rename(tmp_path / f"{name}.{ending}")
    monkeypatch.chdir(tmp_path)
    for path in (tmp_path / f"{name}.{ending}", f"{name}.{ending}"):
        (atoms,) = read_frames(path)
        assert len(atoms) == 8


def test_a_folder_with_such_names_is_read(tmp_path, silicon):
    folder = tmp_path / "set@300K"
    folder.mkdir()
    for name in ("a@300K.cif", "b.cif", "c@1.vasp"):
        ase.io.write(folder / "x.traj", silicon)
        ase.io.write(folder / name.replace("@", "_"), silicon)
        (folder / name.replace("@", "_")).rename(folder / name)
    (folder / "x.traj").unlink()
    assert all(isinstance(atoms, Atoms) for atoms in read_frames(folder))
    assert len(read_frames(folder)) == 3


DUMP = """ITEM: TIMESTEP
0
ITEM: NUMBER OF ATOMS
2
ITEM: BOX BOUNDS pp pp pp
0 9
0 9
0 9
ITEM: ATOMS {columns}
{rows}
"""


@pytest.mark.parametrize("name", ["x.lammpstrj", "x.dump", "x", "x.txt"])
@pytest.mark.parametrize("columns", ["id type x y z", "id type xs ys zs", "id mol type x y z"])
def test_a_lammps_dump_without_elements_is_refused(tmp_path, name, columns):
    row = " ".join("1" for _ in columns.split()[:-3])
    rows = f"{row} 0 0 0\n{row} 1 1 1"
    (tmp_path / name).write_text(DUMP.format(columns=columns, rows=rows))
    with pytest.raises(InputError, match=f"expected a column element in .*, found {columns}"):
        read_frames(tmp_path / name)


def test_a_lammps_dump_with_elements_is_read(tmp_path):
    rows = "1 1 Si 0 0 0\n2 1 Ge 1 2 3"
    text = DUMP.format(columns="id type element x y z", rows=rows)
    (tmp_path / "x.lammpstrj").write_text(text + text)
    frames = read_frames(tmp_path / "x.lammpstrj")
    assert [atoms.get_chemical_symbols() for atoms in frames] == [["Si", "Ge"]] * 2


@pytest.mark.parametrize("name", ["si.data", "si.lmp", "data.si", "x.dat"])
def test_lammps_data_is_refused(tmp_path, silicon, name):
    ase.io.write(tmp_path / "x.tmp", silicon, format="lammps-data")
    (tmp_path / "x.tmp").rename(tmp_path / name)
    with pytest.raises(InputError, match="expected elements, found LAMMPS data") as error:
        read_frames(tmp_path / name)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["POSCAR", "x.vasp", "POSCAR_3"])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.replace("Si", "Si \xe9", 1).encode("latin-1"),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("0.5\n", "5.0D-01\n").replace(" 1.0000", " 1.0000D+00").encode(),
    ],
    ids=["byte-order mark", "latin-1", "utf-16", "windows", "fortran"],
)
def test_poscar_in_any_usual_encoding_is_read(tmp_path, silicon, name, spoil):
    ase.io.write(tmp_path / "x.tmp", silicon, format="vasp", direct=True)
    text = (tmp_path / "x.tmp").read_text()
    (tmp_path / name).write_bytes(spoil(text))
    (atoms,) = read_frames(tmp_path / name)
    np.testing.assert_allclose(atoms.positions, silicon.positions, atol=1e-8)


@pytest.mark.parametrize(
    "spoil",
    [lambda text: text.replace("1 2 3", "1 2 x"), lambda text: text.replace("2 1 Ge 1 2 3\n", ""),
     lambda text: text.replace("ATOMS\n2", "ATOMS\n3"), lambda text: text.replace("Ge", "Xx")],
)  # fmt: skip
@pytest.mark.parametrize("where", [0, 1, 2])
def test_a_damaged_snapshot_costs_only_itself(tmp_path, spoil, where):
    rows = "1 1 Si 0 0 0\n2 1 Ge 1 2 3"
    texts = [DUMP.format(columns="id type element x y z", rows=rows)] * 3
    texts[where] = spoil(texts[where])
    path = tmp_path / "x.lammpstrj"
    path.write_text("".join(texts))
    frames = read_frames(path)
    bad = [k for k, frame in enumerate(frames) if isinstance(frame, StructureError)]
    assert (len(frames), bad) == (3, [where])


def test_what_was_read_before_damage_stays(tmp_path, silicon, monkeypatch):
    def two_then_damage(*arguments, **options):
        yield from [silicon, silicon]
        raise RuntimeError("the third is damaged")

    path = tmp_path / "x.traj"
    ase.io.write(path, [silicon] * 3)
    monkeypatch.setattr(ase.io, "iread", two_then_damage)
    frames = read_frames(path)
    assert [isinstance(frame, Atoms) for frame in frames] == [True, True, False]
    assert "structure 2 and what follows: " in str(frames[2])
    assert "the third is damaged" in str(frames[2])


SHELX = "TITL x\nCELL 1.0 5 5 5 90 90 90\nLATT -1\nSFAC Si\n{atoms}END\n"
CASTEP = """%BLOCK LATTICE_CART
5 0 0
0 5 0
0 0 5
%ENDBLOCK LATTICE_CART
%BLOCK POSITIONS_FRAC
Si 0 0 0{mixture}
%ENDBLOCK POSITIONS_FRAC
"""


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("x.res", SHELX.format(atoms="Si1 1 0.0 0.0 0.0 0.75\n"), "site Si1: .* found 0.75"),
        ("x.res", SHELX.format(atoms="Si1 1 0.0 0.0 0.0 10.5\n"), "site Si1: .* found 0.5"),
        ("x.res", SHELX.replace("-1", "1").format(atoms=""), "found 'LATT 1'"),
        ("x.res", SHELX.replace("SFAC", "SYMM -X, Y, Z\nSFAC").format(atoms=""), "found 'SYMM -X"),
        ("x.cell", CASTEP.format(mixture=" MIXTURE:( 1 0.6)"), "found MIXTURE"),
    ],
)
def test_what_ase_would_leave_out_is_refused(tmp_path, name, text, found):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=found):
        read_frames(tmp_path / name)


def test_full_sites_of_other_formats_are_read(tmp_path, silicon):
    atoms = "Si 1 0.0 0.0 0.0 1.0\nSi 1 0.5 0.5 0.5 11.0\n"
    (tmp_path / "x.res").write_text(SHELX.format(atoms=atoms))
    (tmp_path / "x.cell").write_text(CASTEP.format(mixture=""))
    ase.io.write(tmp_path / "x.pdb", silicon)
    found = [read_frames(tmp_path / f"x.{end}")[0] for end in ("res", "cell", "pdb")]
    assert [len(atoms) for atoms in found] == [2, 1, 8]
    text = (tmp_path / "x.pdb").read_text().replace("  1.00  0.00", "  0.50  0.00", 1)
    (tmp_path / "x.pdb").write_text(text)
    with pytest.raises(InputError, match="atom 0: expected occupancy 1, found 0.5"):
        read_frames(tmp_path / "x.pdb")


@pytest.mark.parametrize("name", ["x.dat", "x.png", "x.txt", "x.csv", "x", "x.json", "x.py"])
@pytest.mark.parametrize("content", [b"", b"hello\n", b"a,b\n1,2\n", bytes(range(256)) * 20])
def test_what_holds_no_structures_is_one_plain_line(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as error:
        read_frames(tmp_path / name)
    said = str(error.value)
    assert "\n" not in said
    assert "NoneType" not in said
    assert ": expected " in said
    assert ", found " in said


@pytest.mark.parametrize("end", ["", ".xyz", ".cif", ".npz"])
def test_a_path_that_the_system_refuses_is_one_line(tmp_path, end):
    for name in ("a" * 300 + end, "b/" * 3000 + end):
        with pytest.raises(
            InputError, match="expected a file of structures, found .*name"
        ) as error:
            read_frames(tmp_path / name)
        assert "\n" not in str(error.value)
    with pytest.raises(InputError, match="expected a file of structures, found"):
        read_frames("a\0b" + end)


@pytest.mark.parametrize("spoil", ["a line less", "a line more", "text", "two numbers"])
@pytest.mark.parametrize("where", [0, 1, 3])
@pytest.mark.parametrize("headers", ["one", "each"])
def test_a_damaged_configuration_of_vasp_costs_only_itself(
    tmp_path, silicon, spoil, where, headers
):
    frames = [silicon.copy() for _ in range(4)]
    for seed, atoms in enumerate(frames):
        atoms.rattle(0.1, seed=seed)
    path = tmp_path / "XDATCAR"
    ase.io.write(path, frames, format="vasp-xdatcar")
    lines = path.read_text().splitlines()  # ASE writes a header before each
    if headers == "one":
        n = len(silicon) + 8
        lines = lines[:7] + [line for k in range(4) for line in lines[k * n + 7 : (k + 1) * n]]
    starts = [k for k, line in enumerate(lines) if line.startswith("Direct")]
    line = starts[where] + 3
    changed = {"a line less": [], "a line more": [lines[line]] * 2, "text": ["x y z"],
               "two numbers": ["0.1 0.2"]}  # fmt: skip
    lines[line : line + 1] = changed[spoil]
    path.write_text("\n".join(lines) + "\n")
    found = read_frames(path)
    assert [isinstance(frame, StructureError) for frame in found] == [k == where for k in range(4)]
    assert str(found[where]).startswith(f"configuration {where + 1}: expected ")
    for frame, atoms in zip(found, frames, strict=True):
        if isinstance(frame, Atoms):
            apart = frame.get_scaled_positions() - atoms.get_scaled_positions()
            np.testing.assert_allclose(apart - np.rint(apart), 0, atol=1e-6)
            np.testing.assert_allclose(frame.cell, atoms.cell, atol=1e-6)
