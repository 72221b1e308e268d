"""Slabs, common cell and random region of the interface, against the published counts and cell."""

from collections import Counter

import numpy as np
import pymatgen
import pytest
from ase.geometry import cell_to_cellpar
from ase.neighborlist import neighbor_list

from dismai.base.errors import InputError
from dismai.base.resources import resource
from dismai.datasets.interface import ORDER, random_interface
from dismai.datasets.interface.assembly import blueprint, geometry_of
from dismai.datasets.interface.mpinterfaces import transformations
from dismai.datasets.interface.slabs import LCO_110, LSC_100, lsc_planes, read_crystal
from dismai.metrics.interface import AREA, interface_area

SMALL = {"lco_layers": 2, "lsc_layers": 3}
TINY = {
    **SMALL,
    "region_formula_units": 1,
    "match": {"max_area_A2": 75, "length_tolerance": 0.15, "angle_tolerance": 0.16},
}
CHARGES = {"Li": 1, "Co": 3, "Sc": 3, "Cl": -1, "O": -2}


def counts(atoms, tags):
    return Counter(atoms[np.isin(atoms.get_tags(), tags)].get_chemical_symbols())


def test_the_default_interface_has_the_published_atoms_in_each_part():
    atoms = random_interface(0)
    assert len(atoms) == 264
    assert counts(atoms, range(1, 5)) == {"Li": 36, "Co": 36, "O": 72}
    assert counts(atoms, range(-7, 0)) == {"Li": 27, "Sc": 9, "Cl": 54}
    assert counts(atoms, [0]) == {"Li": 9, "Sc": 3, "Cl": 18}
    assert [sum(counts(atoms, [-k]).values()) for k in range(1, 8)] == [9, 12, 18, 12, 18, 12, 9]
    assert counts(atoms, [1]) == {"Li": 9, "Co": 9, "O": 18}


@pytest.mark.parametrize("engine", ["exact", "mpinterfaces", "zsl"])
def test_both_codes_find_the_published_cell(engine):
    match = blueprint(geometry_of({"match": {"engine": engine}})).match
    assert (match.n_substrate, match.n_film) == (9, 3)
    np.testing.assert_array_equal(match.substrate_matrix, [[-1, 2], [3, 3]])
    np.testing.assert_array_equal(match.film_matrix, [[1, 1], [1, -2]])
    report = match.report()
    found = [report[key] for key in ("a_A", "b_A", "gamma_degrees")]
    np.testing.assert_allclose(found, [12.46997, 17.19967, 75.6674], atol=1e-5)
    assert report["mean_mismatch_percent"] == pytest.approx(2.05, abs=0.005)
    np.testing.assert_allclose(report["lsc_principal_stretches"], [1.0295, 0.9536], atol=1e-4)
    assert report["lsc_area_change_percent"] == pytest.approx(-1.83, abs=0.01)


def test_the_cell_is_the_published_one_with_14_angstrom_of_vacuum():
    atoms = random_interface(1)
    cell = cell_to_cellpar(atoms.cell)
    np.testing.assert_allclose(cell, [12.46997, 17.19967, 33.3, 90, 90, 75.6674], atol=1e-4)
    assert interface_area(atoms) == pytest.approx(AREA, rel=1e-6)
    z = atoms.positions[:, 2]
    assert 33.3 - (z.max() - z.min()) >= 14.0


def test_the_experimental_cell_of_lco_matches_as_well():
    atoms = random_interface(0, substrate="resources/LCO_experimental.cif")
    np.testing.assert_allclose(atoms.cell.lengths()[:2], [12.402, 17.104], atol=1e-3)


def test_looking_for_a_match_leaves_pymatgen_as_it_was():
    transformations()
    assert not hasattr(pymatgen, "Structure")


def test_atoms_stand_in_blocks_region_first_then_lco_downwards_then_lsc_upwards():
    atoms = random_interface(2)
    symbols = atoms.get_chemical_symbols()
    assert list(dict.fromkeys(symbols)) == list(ORDER)
    tags = atoms.get_tags()
    for element in ORDER:
        of_element = tags[atoms.symbols == element]
        expected = [t for t in (0, 1, 2, 3, 4, *range(-1, -8, -1)) if t in of_element]
        assert list(dict.fromkeys(of_element)) == expected
        heights = [atoms.positions[(tags == t), 2].mean() for t in expected]
        lco = [h for h, t in zip(heights, expected, strict=True) if t > 0]
        lsc = [h for h, t in zip(heights, expected, strict=True) if t < 0]
        assert lco == sorted(lco, reverse=True)
        assert lsc == sorted(lsc)
    assert list(tags[:18]) == [0] * 9 + [1] * 9


def test_inner_planes_keep_the_octahedra_of_the_crystals():
    atoms = random_interface(3)
    i, j = neighbor_list("ij", atoms, {("Co", "O"): 2.3, ("Sc", "Cl"): 2.9})
    n = np.bincount(i, minlength=len(atoms))
    tags = atoms.get_tags()
    inner_co = (atoms.symbols == "Co") & np.isin(tags, [2, 3])
    inner_sc = (atoms.symbols == "Sc") & (tags == -4)
    assert set(n[inner_co]) == {6}
    assert set(n[inner_sc]) == {6}


def test_spacings_of_planes_are_those_of_the_crystals():
    lco = read_crystal(resource("LCO.cif"), LCO_110)
    lsc = read_crystal(resource("LSC.cif"), LSC_100)
    assert lco.spacing == pytest.approx(2.829651 / 2, rel=1e-9)
    assert lsc.spacing == pytest.approx(6.398 * np.sin(np.radians(109.89)) / 4, rel=1e-9)


@pytest.mark.parametrize("n_layers", [3, 5, 7])
def test_half_filled_surfaces_leave_no_dipole(n_layers):
    crystal = read_crystal(resource("LSC.cif"), LSC_100)
    planes = lsc_planes(crystal, n_layers, CHARGES)
    charge = np.concatenate([[CHARGES[s] for s in plane.symbols] for plane in planes])
    height = np.concatenate([plane.heights for plane in planes])
    assert charge.sum() == 0
    assert charge @ height == pytest.approx(0, abs=1e-9)
    assert [len(plane.symbols) for plane in (planes[0], planes[1], planes[-1])] == [3, 4, 3]


@pytest.mark.parametrize("seed", range(4))
def test_atoms_of_the_region_keep_their_distances(seed):
    atoms = random_interface(seed)
    shortest = geometry_of({}).min_distances_A
    inside = atoms.get_tags() == 0
    i, j, d = neighbor_list("ijd", atoms, max(shortest.values()))
    for a, b, distance in zip(i, j, d, strict=True):
        if inside[a]:
            pair = "-".join(sorted((atoms.symbols[a], atoms.symbols[b])))
            assert distance >= shortest[pair] - 1e-9


def test_same_seed_same_structure_and_other_seed_other_place_of_the_slab():
    first, again, other = random_interface(7), random_interface(7), random_interface(8)
    np.testing.assert_array_equal(first.positions, again.positions)
    assert first.info["shift_a"] != other.info["shift_a"]
    assert 4 <= first.info["thickness_A"] <= 6
    lco = np.isin(first.get_tags(), range(1, 5))
    np.testing.assert_allclose(first.positions[lco], other.positions[lco], atol=1e-9)
    np.testing.assert_array_equal(first.cell.array, other.cell.array)
    np.testing.assert_array_equal(first.numbers, other.numbers)


def test_fewer_layers_keep_the_in_plane_cell():
    atoms = random_interface(0, **SMALL)
    assert len(atoms) == 132
    assert atoms.cell.lengths()[0] == pytest.approx(12.46997, abs=1e-5)
    assert counts(atoms, [1, 2]) == {"Li": 18, "Co": 18, "O": 36}
    assert counts(atoms, [-1, -2, -3]) == {"Li": 9, "Sc": 3, "Cl": 18}


@pytest.mark.parametrize("engine", ["exact", "mpinterfaces", "zsl"])
def test_the_smallest_cell_holds_one_formula_unit_of_film_per_plane(engine):
    atoms = random_interface(0, **{**TINY, "match": {**TINY["match"], "engine": engine}})
    assert len(atoms) == 44
    assert atoms.symbols.formula.count() == {"Li": 12, "Co": 6, "Sc": 2, "Cl": 12, "O": 12}
    np.testing.assert_allclose(atoms.cell.lengths()[:2], [5.73322, 12.36825], atol=1e-4)


def test_exchanges_keep_order_and_composition_and_move_atoms_across_the_contact():
    most = {"Sc_Co": 3, "Li_Co": 3, "Cl_O": 6}
    drawn = [random_interface(seed, exchanges=most) for seed in range(6)]
    plain = random_interface(0)
    for atoms in drawn:
        np.testing.assert_array_equal(atoms.numbers, plain.numbers)
        top = np.median(atoms.positions[(atoms.get_tags() == 1), 2])
        cobalt = (atoms.get_tags() == 1) & (atoms.symbols == "Co")
        n_moved = (atoms.positions[cobalt, 2] > top + 1e-3).sum()
        assert n_moved == atoms.info["n_Sc_Co"] + atoms.info["n_Li_Co"]
    assert max(atoms.info["n_Cl_O"] for atoms in drawn) > 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lsc_layers": 6}, "lsc_layers: expected an odd number, found 6"),
        ({"lco_layers": 0}, "lco_layers: expected greater than or equal to 1, found 0"),
        ({"colour": 1}, "colour: expected"),
        ({"thickness": {"low_A": 5, "high_A": 4}}, r"high_A: expected at least 5.0 Å, found 4"),
        ({"oxidation_states": {**CHARGES, "Co": 2}}, "neutral LiCoO2 slab .* charge of -36 e"),
        ({"oxidation_states": {"Li": 1}}, "oxidation_states: expected one for Co, found none"),
        ({"min_distances_A": {"Li-Li": 2.0}}, "min_distances_A.Cl-Cl: expected a distance"),
        ({"match": {"max_area_A2": 100}}, "lattice match: .* found none"),
        ({"substrate": "resources/LSC.cif"}, r"LSC.cif: expected the cell of LiCoO2\(110\)"),
        ({"film": "nowhere.cif"}, "nowhere.cif: expected a crystal structure, found no such file"),
        (
            {"thickness": {"low_A": 1, "high_A": 1}, "n_attempts": 3},
            "room for 30 atoms .* region of 1.00 Å, found none in 3 attempts",
        ),
    ],
)
def test_wrong_settings_are_refused_in_one_line(settings, message):
    with pytest.raises(InputError, match=message) as error:
        random_interface(0, **settings)
    assert "\n" not in str(error.value)


def test_an_empty_file_is_no_crystal(tmp_path):
    path = tmp_path / "empty.cif"
    path.write_text("data_nothing\n")
    with pytest.raises(InputError, match="empty.cif: expected a crystal structure, found"):
        random_interface(0, film=str(path))
