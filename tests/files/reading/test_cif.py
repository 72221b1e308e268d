"""CIF: every listed site is an atom, shared and partial ones are refused, a bad block costs one."""

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifParser, CifWriter

from dismai.base.errors import InputError, StructureError
from dismai.base.resources import resource
from dismai.files.structures import read_frames

HEAD = """_cell_length_a 8.0
_cell_length_b 9.0
_cell_length_c 10.0
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
"""
SITES = """loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
"""
P1 = "_symmetry_space_group_name_H-M 'P 1'\n"
INVERSION = """_symmetry_space_group_name_H-M 'P -1'
loop_
_symmetry_equiv_pos_as_xyz
'x, y, z'
'-x, -y, -z'
"""


def block(rows, name="a", symmetry=P1):
    """A block of a CIF with sites of label, species, three coordinates and occupancy."""
    return f"data_{name}\n{HEAD}{symmetry}{SITES}" + "".join(f"{row}\n" for row in rows)


def sites(*occupancies):
    return [f"Si{k} Si 0.1 0.2 0.{k + 1}5 {value}" for k, value in enumerate(occupancies)]


def read(tmp_path, text, name="set.cif"):
    path = tmp_path / name
    path.write_text(text)
    return read_frames(path)


@pytest.mark.parametrize("name", ["LCO.cif", "LCO_experimental.cif", "LSC.cif"])
def test_shipped_crystals_have_the_atoms_that_pymatgen_finds(name):
    (ours,) = read_frames(resource(name))
    (theirs,) = CifParser(resource(name)).parse_structures(primitive=False)
    same_atoms(ours, theirs)


def same_atoms(ours, theirs):
    assert len(ours) == len(theirs)
    np.testing.assert_allclose(ours.cell.cellpar(), theirs.lattice.parameters, atol=1e-6)
    unmatched = list(range(len(theirs)))
    cell = theirs.lattice
    for symbol, place in zip(ours.symbols, ours.get_scaled_positions(), strict=True):
        same = [k for k in unmatched if theirs[k].specie.symbol == symbol]
        apart = [cell.get_distance_and_image(theirs[k].frac_coords, place)[0] for k in same]
        near = [k for k, distance in zip(same, apart, strict=True) if distance < 1e-3]
        assert len(near) == 1
        unmatched.remove(near[0])


CRYSTALS = [
    (227, Lattice.cubic(5.43), ["Si"], [[0, 0, 0]]),
    (225, Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]),
    (194, Lattice.hexagonal(3.2, 5.2), ["Mg"], [[1 / 3, 2 / 3, 1 / 4]]),
    (167, Lattice.hexagonal(4.76, 12.99), ["Al", "O"], [[0, 0, 0.352], [0.306, 0, 0.25]]),
    (152, Lattice.hexagonal(4.91, 5.4), ["Si", "O"], [[0.47, 0, 1 / 3], [0.413, 0.267, 0.214]]),
    (136, Lattice.tetragonal(4.59, 2.96), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]),
    (62, Lattice.orthorhombic(10.3, 6.0, 4.7), ["Li", "Fe", "P", "O"],
     [[0, 0, 0], [0.282, 0.25, 0.975], [0.095, 0.25, 0.418], [0.166, 0.046, 0.285]]),
    (14, Lattice.monoclinic(5.15, 5.2, 5.32, 99.2), ["Zr", "O"],
     [[0.275, 0.04, 0.208], [0.07, 0.332, 0.345]]),
]  # fmt: skip


@pytest.mark.parametrize("case", CRYSTALS, ids=lambda case: str(case[0]))
@pytest.mark.parametrize("operations", [True, False], ids=["operations", "number"])
def test_crystals_with_symmetry_have_the_atoms_that_pymatgen_finds(tmp_path, case, operations):
    theirs = Structure.from_spacegroup(*case)
    path = tmp_path / "crystal.cif"
    CifWriter(theirs, symprec=1e-3).write_file(path)
    if not operations:  # the group is told by its number only
        head, _, rest = path.read_text().partition("loop_\n _symmetry_equiv_pos_site_id")
        path.write_text(head + rest[rest.index("loop_") :])
    (ours,) = read_frames(path)
    same_atoms(ours, CifParser(path).parse_structures(primitive=False)[0] if operations else theirs)


@pytest.mark.parametrize("apart", [0.0, 1e-4, 1e-3, 5e-3, 1e-2])
@pytest.mark.parametrize("symmetry", [P1, INVERSION], ids=["P1", "inversion"])
def test_sites_listed_twice_are_two(tmp_path, symmetry, apart):
    rows = [*sites(1, 1, 1), f"Si9 Si {0.1 + apart / 8.0} 0.2 0.15 1"]
    (atoms,) = read(tmp_path, block(rows, symmetry=symmetry))
    assert len(atoms) == (4 if symmetry is P1 else 8)
    distance = atoms.get_all_distances(mic=True)[np.triu_indices(len(atoms), 1)].min()
    assert distance == pytest.approx(apart, abs=1e-9)


def test_a_site_that_is_listed_as_its_image_is_two(tmp_path):
    (atoms,) = read(tmp_path, block([*sites(1), "Si9 Si 0.9 0.8 0.85 1"], symmetry=INVERSION))
    assert len(atoms) == 4


def test_special_positions_map_onto_themselves(tmp_path):
    rows = ["Si1 Si 0 0 0 1", "Si2 Si 0.5 0.5001 0.5 1", "Si3 Si 0.1 0.2 0.3 1"]
    (atoms,) = read(tmp_path, block(rows, symmetry=INVERSION))
    assert len(atoms) == 4


@pytest.mark.parametrize("value", ["1", "1.0", "1.00(2)", "0.9999", "1.0004", "0.999", "?", "."])
def test_full_and_unknown_occupancies_are_full(tmp_path, value):
    (atoms,) = read(tmp_path, block(sites(1, value)))
    assert len(atoms) == 2


@pytest.mark.parametrize(
    ("value", "found"),
    [("0.6", "0.6"), ("0.97(1)", "0.97"), ("0", "0"), ("1.4", "1.4"), ("0.99", "0.99"),
     ("half", "'half'"), ("5.0D-01", "0.5")],
)  # fmt: skip
@pytest.mark.parametrize("symmetry", [P1, INVERSION], ids=["P1", "inversion"])
def test_partial_occupancies_are_refused(tmp_path, symmetry, value, found):
    text = block(sites(1, value), "bad", symmetry) + block(sites(1, 1), "good")
    bad, good = read(tmp_path, text)
    assert str(bad) == (
        f"block bad: site Si1: expected occupancy 1, found {found}: "
        "partially occupied sites are not supported"
    )
    assert isinstance(good, Atoms)


def test_mixed_sites_and_vacancies_of_pymatgen_are_refused(tmp_path):
    lattice = Lattice.cubic(4.0)
    for species in ({"Si": 0.6, "Ge": 0.4}, {"Si": 0.75}):
        path = tmp_path / "mixed.cif"
        CifWriter(Structure(lattice, [species], [[0, 0, 0]])).write_file(path)
        with pytest.raises(InputError, match="expected occupancy 1, found 0.") as error:
            read_frames(path)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("word", ["Si0.5Ge0.5", "Si/Ge", "SiGe", "Si,Ge", "OH"])
@pytest.mark.parametrize("labelled", [False, True])
def test_a_species_of_two_elements_is_refused(tmp_path, word, labelled):
    rows = [f"M1 {word} 0.1 0.2 0.3 1.0", "Si2 Si 0.6 0.7 0.8 1.0"]
    text = block(rows)
    if labelled:  # without species the labels tell them; SiGe and OH may count sites
        text = block([row.partition(" ")[2].replace("Si 0.6", "Si2 0.6") for row in rows])
        text = text.replace("_atom_site_type_symbol\n", "")
    if labelled and word in ("SiGe", "OH"):
        assert len(read(tmp_path, text)[0]) == 2
        return
    with pytest.raises(InputError, match=f"expected one element, found '{word}'"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("word", "symbol"),
    [("SI", "Si"), ("CO3+", "Co"), ("Si4+", "Si"), ("Fe2.67+", "Fe"), ("O2-", "O"), ("D", "H")],
)
def test_species_with_charges_and_in_capitals_are_elements(tmp_path, word, symbol):
    (atoms,) = read(tmp_path, block([f"M1 {word} 0.1 0.2 0.3 1.0"]))
    assert list(atoms.symbols) == [symbol]


def test_mixed_sites_are_refused_whatever_the_format(tmp_path):
    path = tmp_path / "mixed.cif"
    path.write_text(block(["Si1 Si 0 0 0 0.6", "Ge1 Ge 0 0 0 0.4"]))
    atoms = ase.io.read(path)
    for name in ("mixed.extxyz", "mixed.traj"):
        atoms.write(tmp_path / name)
        with pytest.raises(InputError, match="partially occupied sites are not supported"):
            read_frames(tmp_path / name)


BAD_BLOCKS = {
    "text for a coordinate": block(["Si1 Si x 0.2 0.3 1"], "bad"),
    "unknown coordinates": block(["Si1 Si ? ? ? 1"], "bad"),
    "no sites": f"data_bad\n{HEAD}{P1}",
    "no coordinates": f"data_bad\n{HEAD}{P1}loop_\n_atom_site_label\nSi1\n",
    "no cell": block(["Si1 Si 0.1 0.2 0.3 1"], "bad").replace("_cell_length_a 8.0\n", ""),
    "text for a length": block(sites(1), "bad").replace("8.0", "long"),
    "a row too short": block(["Si1 Si 0.1 0.2 0.3 1", "Si2 Si 0.1"], "bad"),
    "a row too long": block(["Si1 Si 0.1 0.2 0.3 1", "Si2 Si 0.1 0.2 0.4 1 7"], "bad"),
    "no species": block(["1 ? 0.1 0.2 0.3 1"], "bad"),
    "no such element": block(["Xx1 Xx 0.1 0.2 0.3 1"], "bad"),
    "noise": f"data_bad\n{HEAD}?!?\n" + block(["Si1 Si 0.1 0.2 0.3 1"])[7:],
    "an open quote": block(["Si1 Si 0.1 0.2 0.3 '1"], "bad"),
    "a text that does not end": block(sites(1), "bad") + "_note\n;never ends\n",
    "a flat cell": block(sites(1), "bad").replace("_gamma 90", "_gamma 0"),
}


@pytest.mark.parametrize("what", BAD_BLOCKS)
@pytest.mark.parametrize("where", [0, 1, 2], ids=["first", "middle", "last"])
def test_a_bad_block_costs_only_itself(tmp_path, what, where):
    blocks = [block(sites(1, 1), f"good{k}") for k in range(2)]
    blocks.insert(where, BAD_BLOCKS[what])
    frames = read(tmp_path, "\n".join(blocks))
    bad = [k for k, one in enumerate(frames) if isinstance(one, StructureError)]
    assert (len(frames), bad) == (3, [where]), [str(frames[k]) for k in bad]
    assert "\n" not in str(frames[where])


def test_blocks_without_atoms_are_no_structures(tmp_path):
    text = "# title\ndata_global\n_journal_name 'x'\n_note\n;\ndata_ in a text\n;\n"
    frames = read(tmp_path, text + block(sites(1)) + "data_end\n")
    assert len(frames) == 1


def test_a_structure_of_ase_comes_back(tmp_path):
    atoms = bulk("Si", cubic=True) * (2, 1, 1)
    atoms.rattle(0.1, seed=1)
    atoms.wrap()
    atoms.write(tmp_path / "a.cif")
    (back,) = read_frames(tmp_path / "a.cif")
    np.testing.assert_allclose(back.positions, atoms.positions, atol=1e-6)
    np.testing.assert_allclose(back.cell.array, atoms.cell.array, atol=1e-6)
    assert back.pbc.all()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_any_usual_encoding_is_read(tmp_path, encoding):
    path = tmp_path / "a.cif"
    path.write_bytes(("# \xe5ngstr\xf6m\n" + block(sites(1, 1))).encode(encoding))
    assert len(read_frames(path)[0]) == 2


def test_cartesian_sites_and_exponents_of_fortran_are_read(tmp_path):
    text = block(["Si1 Si 0.8D+00 1.8 1.5 1"]).replace("fract", "Cartn")
    (atoms,) = read(tmp_path, text)
    np.testing.assert_allclose(atoms.positions, [[0.8, 1.8, 1.5]])


@pytest.mark.parametrize("name", ["P -1", "R -3 m :H", "no such group", "?", "C 1 2/m 1"])
def test_listed_operations_count_whatever_the_name_of_the_group(tmp_path, name):
    symmetry = INVERSION.replace("P -1", name) + "_symmetry_Int_Tables_number 99\n"
    (atoms,) = read(tmp_path, block(sites(1, 1), symmetry=symmetry))
    assert len(atoms) == 4


@pytest.mark.parametrize("operation", ["-x,-y,-z", "1-x,1-y,1-z", "-X, -Y, -Z", "+1/2-x,-y,-z+1/4"])
def test_operations_may_be_written_in_any_way(tmp_path, operation):
    symmetry = INVERSION.replace("-x, -y, -z", operation)
    (atoms,) = read(tmp_path, block(sites(1), symmetry=symmetry))
    assert len(atoms) == 2


def test_a_group_by_its_hall_symbol_only_is_refused(tmp_path):
    symmetry = "_symmetry_space_group_name_Hall '-P 1'\n"
    with pytest.raises(InputError, match="expected symmetry operations, or the name or number"):
        read(tmp_path, block(sites(1), symmetry=symmetry))


def test_operations_that_are_none_cost_the_block(tmp_path):
    symmetry = INVERSION.replace("-x, -y, -z", "-x, what")
    bad, good = read(tmp_path, block(sites(1), "b", symmetry) + block(sites(1), "g"))
    assert isinstance(bad, StructureError)
    assert isinstance(good, Atoms)
