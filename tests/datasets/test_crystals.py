"""Crystals from files of every kind: what is read, what is left out and why, how it is split."""

import json
import tarfile
import zipfile
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk
from ase.spacegroup import crystal as spaced

from dismai.base.errors import InputError, StructureError
from dismai.base.resources import resource
from dismai.datasets.crystals.build import build, grouped_split
from dismai.datasets.crystals.describe import (
    ATOMS_OF,
    DESCRIBED,
    LATTICE,
    SIZES,
    SPECIES,
    clean,
    describe,
    resample_headline,
    score,
)
from dismai.datasets.crystals.filter import (
    closest_over_radii,
    crystal,
    fates,
    flags,
    in_their_places,
    without_flagged_and_copies,
)
from dismai.datasets.crystals.read import read
from dismai.datasets.crystals.settings import CrystalsDataset
from dismai.datasets.options import Options
from dismai.evaluation.file import evaluate_file
from dismai.evaluation.reference import load_shipped
from dismai.files.structures import write_structures
from dismai.models import paper_spec
from dismai.report.crystals import plot_lattice

ROCK_SALT = """data_{name}
_cell_length_a {a}
_cell_length_b {a}
_cell_length_c {a}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_Int_Tables_number 225
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Na1 Na 0 0 0 {occupancy}
Cl1 Cl 0.5 0.5 0.5 1.0
"""
SETTINGS = CrystalsDataset(kind="crystals", n_structures=2, validation_share=0.5)


def rock_salt(a=5.64, name="salt", occupancy=1.0):
    return ROCK_SALT.format(a=a, name=name, occupancy=occupancy)


ENTRY = {
    **dict.fromkeys("abc", 5.64), "alpha": 90, "beta": 90, "gamma": 90, "sg": 225,
    "siteList": [
        *(["Na", list(site)] for site in [(0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)]),
        *([17, list(site)]
          for site in [(0.5, 0.5, 0.5), (0.5, 0, 0), (0, 0.5, 0), (0, 0, 0.5)]),
    ],
}  # fmt: skip


def sources(folder):
    """The same two crystals, or one, in all forms that are read."""
    cifs = folder / "cifs"
    cifs.mkdir()
    for number, a in enumerate((5.64, 5.7), 1):
        (cifs / f"salt_{number}.cif").write_text(rock_salt(a))
    with zipfile.ZipFile(folder / "cifs.zip", "w") as archive:
        for file in sorted(cifs.iterdir()):
            archive.write(file, file.name)
    with tarfile.open(folder / "cifs.tar.gz", "w:gz") as archive:
        for file in sorted(cifs.iterdir()):
            archive.add(file, file.name)
    rows = {"material_id": ["mp-1", "mp-2"], "cif": [rock_salt(), rock_salt(5.7)]}
    pd.DataFrame(rows).to_csv(folder / "mp_20.csv", index=False)
    wider = {**ENTRY, **dict.fromkeys("abc", 5.7)}
    (folder / "dictionary.jsonl").write_text(json.dumps({"1": ENTRY, "2": wider}))
    cells = [bulk("NaCl", "rocksalt", a=a, cubic=True) for a in (5.64, 5.7)]
    write_structures(cells, folder / "cells.extxyz")
    return [
        cifs,
        *(
            folder / name
            for name in ("cifs.zip", "cifs.tar.gz", "mp_20.csv", "dictionary.jsonl", "cells.extxyz")
        ),
    ]


def test_every_source_gives_the_same_crystals_with_names_of_their_places(tmp_path):
    for source in sources(tmp_path):
        found = [crystal(frame, SETTINGS) for frame in read(source)]
        assert [one.info["space_group"] for one in found] == [225, 225], source
        assert [len(one) for one in found] == [8, 8]
        np.testing.assert_allclose([one.cell.lengths()[0] for one in found], [5.64, 5.7])
        parts = [one for shard in range(3) for one in read(source, shard, 3)]
        assert [one.info for one in parts] == [one.info for one in read(source)]
    found = [crystal(frame, SETTINGS) for frame in read(tmp_path / "cifs")]
    assert [one.info["name"] for one in found] == ["salt_1", "salt_2"]
    assert read(tmp_path / "mp_20.csv")[1].info["source_file"] == "mp-2"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no CIF at all", "expected a structure, found none"),
        (rock_salt(occupancy=0.5), "site Na1: expected occupancy 1, found 0.5"),
        (rock_salt().replace("_cell_length_a 5.64", "_cell_length_a nan"), "expected"),
        (rock_salt(2.0), "expected atoms at least 0.6 covalent radii apart, found 0.37"),
        (rock_salt().replace("Na1 Na 0 0 0 1.0", "Na1 Na 0 x 0 1.0"), "expected a coordinate"),
        ("data_1\n# Pearson's Crystal Data\n_chemical_formula NaCl\n", "expected"),
    ],
)
def test_a_bad_file_costs_itself_alone_and_says_why(tmp_path, text, reason):
    (tmp_path / "bad.cif").write_text(text)
    (tmp_path / "good.cif").write_text(rock_salt())
    table = fates([crystal(frame, SETTINGS) for frame in read(tmp_path)])
    assert table["crystal"].tolist() == ["bad", "good"]
    assert table["status"].tolist() == ["rejected", "accepted"]
    assert reason in table["reason"][0]
    assert "\n" not in table["reason"][0]


def test_cells_of_more_atoms_than_a_picture_takes_are_left_out(tmp_path):
    write_structures([bulk("Si", cubic=True), bulk("Si", cubic=True)], tmp_path / "a.extxyz")
    frames = read(tmp_path / "a.extxyz")
    rng = np.random.default_rng(0)
    frames[1] = frames[1].repeat((1, 1, 7))[:53]
    frames[1].positions += rng.normal(0, 0.2, (53, 3))
    frames[1].info["source_file"] = "large"
    kept, left = (crystal(frame, SETTINGS) for frame in frames)
    assert len(kept) == 8
    assert str(left) == "large: expected 1 to 52 atoms, found 53"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "x,y\n1,2\n", "expected a column 'cif', found x, y"),
        ("a.json", "[1]", "expected a dictionary of crystals, found list"),
        ("a.json", "{", "expected a dictionary of crystals, found"),
        ("a.zip", "PK no archive", "expected a zip or tar archive"),
        ("gone.zip", None, "expected a file of structures, found no such file"),
    ],
)
def test_a_source_of_another_form_is_one_line(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path / name)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_archive_is_one_line(tmp_path):
    zipfile.ZipFile(tmp_path / "a.zip", "w").close()
    with pytest.raises(InputError, match="expected files of structures"):
        read(tmp_path / "a.zip")


def test_an_entry_without_a_key_is_a_fate(tmp_path):
    (tmp_path / "d.json").write_text(json.dumps({"x": {**ENTRY, "beta": None}, "y": {"a": 1}}))
    reasons = fates([crystal(frame, SETTINGS) for frame in read(tmp_path / "d.json")])["reason"]
    assert reasons[0].startswith("expected cell and sites, found TypeError")
    assert reasons[1] == "expected the key 'b', found a"


def test_primitive_and_shifted_cells_become_the_conventional_one():
    primitive = bulk("Cu", "fcc", a=3.61)
    primitive.positions += [0.3, 0.2, 0.1]
    primitive.info["source_file"] = "Cu.cif"
    one = crystal(primitive, SETTINGS)
    assert len(one) == 4
    np.testing.assert_allclose(one.cell.cellpar(), [3.61] * 3 + [90] * 3)
    as_given = crystal(primitive, SETTINGS.model_copy(update={"conventional": False}))
    assert len(as_given) == 1
    assert as_given.info == {"name": "Cu", "space_group": 225}


def made(n=12):
    """Crystals of three formulae in rock salt, many lattice constants each."""
    result = []
    for i in range(n):
        formula = ("NaCl", "MgO", "LiF")[i % 3]
        atoms = bulk(formula, "rocksalt", a=(5.64, 4.21, 4.03)[i % 3] * (1 + 0.05 * (i // 3)))
        atoms.info["source_file"] = f"{i}.cif"
        result.append(crystal(atoms, SETTINGS))
    return result


def test_the_same_crystal_twice_and_flagged_ones_are_left_out(tmp_path):
    crystals = made(6)  # pymatgen scales volumes: 3 to 5 are 0 to 2 again
    (tmp_path / "flags.csv").write_text("label,flag\n1,no energy\n2,\n")
    left = without_flagged_and_copies(crystals, flags(tmp_path / "flags.csv"))
    table = fates(left).set_index("crystal")["reason"]
    assert table.to_dict() == {
        "0": "", "1": "no energy", "2": "", "3": "the same crystal as 0", "4": "",
        "5": "the same crystal as 2",
    }  # fmt: skip
    read_again = in_their_places([one for one in left if isinstance(one, Atoms)], fates(left))
    pd.testing.assert_frame_equal(fates(read_again), fates(left))
    (tmp_path / "flags.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="expected a CSV with the columns label and flag"):
        flags(tmp_path / "flags.csv")


def test_groups_stay_together_and_the_number_is_exact():
    groups = [("A", k) for k in (1, 1, 1, 2, 3, 3, 4, 5, 6, 7)]
    for seed in range(20):
        held = grouped_split(groups, 3, np.random.default_rng(seed))
        assert held.sum() == 3
        of_group = {}
        for group, value in zip(groups, held, strict=True):
            of_group.setdefault(group, set()).add(bool(value))
        assert all(len(values) == 1 for values in of_group.values())
    with pytest.raises(InputError, match="found 0 of 4: change validation_share"):
        grouped_split([("A", 1)] * 4, 1, np.random.default_rng(0))


def test_a_built_set_has_a_card_and_no_formula_in_both_parts():
    crystals = [*made(12), StructureError("x")]
    settings = SETTINGS.model_copy(update={"n_structures": 12, "validation_share": 0.34})
    train, val, spec = build(crystals, "crystals", settings, {}, seed=1)
    assert (len(train), len(val), spec.n_train, spec.n_val) == (8, 4, 8, 4)
    assert spec.elements == ("Li", "O", "F", "Na", "Mg", "Cl")
    assert (spec.statistics["n_read"], spec.statistics["n_accepted"]) == (13, 12)
    formulas = [{str(one.symbols) for one in part} for part in (train, val)]
    assert not formulas[0] & formulas[1]
    assert build(crystals, "crystals", settings, {}, seed=1)[2] == spec
    with pytest.raises(InputError, match="datasets.crystals.n_structures: expected at most the 12"):
        build(crystals, "crystals", settings.model_copy(update={"n_structures": 13}), {}, 0)


def test_distances_are_told_in_covalent_radii():
    assert closest_over_radii(bulk("Cu", "fcc", a=3.61)) == pytest.approx(2.5527 / 2.64, abs=1e-3)
    assert closest_over_radii(Atoms("He", cell=[9, 9, 9], pbc=True)) == 2.0


def test_features_of_rock_salt():
    spec = paper_spec("crystals")
    atoms = bulk("NaCl", "rocksalt", a=5.64, cubic=True)
    row = dict(zip(DESCRIBED, describe(atoms, spec, Options()), strict=True))
    assert np.isnan(row["space_group_said"])
    assert row["space_group_found"] == 225
    assert (row["n_Z11"], row["n_Z17"], sum(row[name] for name in ATOMS_OF)) == (4, 4, 8)
    assert row["density_g_per_cm3"] == pytest.approx(2.164, abs=2e-3)
    assert row["volume_A3_per_atom"] == pytest.approx(5.64**3 / 8)
    atoms.info["space_group"] = 225
    assert (
        dict(zip(DESCRIBED, describe(atoms, spec, Options()), strict=True))["space_group_said"]
        == 225
    )
    close = Atoms("H2", positions=[[0, 0, 0], [0.4, 0, 0]], cell=[5, 5, 5], pbc=True)
    with pytest.raises(StructureError, match="at least 0.5 Å apart, found 0.40"):
        clean(close, spec, Options())


def test_a_supercell_has_the_intensive_features_of_its_cell():
    spec, atoms = paper_spec("crystals"), bulk("NaCl", "rocksalt", a=5.64)
    one, two = (pd.Series(describe(a, spec, Options()), DESCRIBED)
                for a in (atoms, atoms.repeat((2, 1, 1))))  # fmt: skip
    same = [*SPECIES, "space_group_found", "n_elements", *SIZES[2:]]
    np.testing.assert_allclose(one[same], two[same])
    np.testing.assert_allclose(two[ATOMS_OF], 2 * one[ATOMS_OF])


def table_of(crystals):
    rows = [describe(one, paper_spec("crystals"), Options()) for one in crystals]
    return pd.DataFrame(rows, columns=DESCRIBED)


@pytest.mark.parametrize("said", ["F m -3 m", "Fm-3m", np.nan, [1, 2], None])
def test_a_space_group_that_is_no_number_is_not_said(said):
    (crystal,) = made(1)
    crystal.info["space_group"] = said
    found = table_of([crystal])
    assert found["space_group_said"].isna().all()
    assert found["space_group_found"].notna().all()


def test_a_set_against_itself_and_against_another_one():
    spec = paper_spec("crystals")
    one = table_of(made(6))
    tin = spaced("Sn", [(0, 0, 0)], spacegroup=141, cellpar=[5.83, 5.83, 3.18, 90, 90, 90])
    tin.info["space_group"] = 1
    other = table_of([tin])
    same = {name: interval.value for name, (_, interval) in score(one, one, spec).items()}
    assert all(same[name] == 0 for name in same if name.startswith("ks_"))
    assert same["percent_with_symmetry"] == 100
    assert same["space_group_agreement"] == 1
    apart = {name: interval.value for name, (_, interval) in score(other, one, spec).items()}
    assert apart["ks_space_group"] == apart["ks_atomic_number"] == apart["ks_c"] == 1
    assert apart["ks_alpha"] == 0
    assert apart["space_group_agreement"] == 0
    none = score(one.iloc[:0], one, spec)
    assert all(np.isnan(interval.value) for _, interval in none.values())
    assert set(none) == set(score(one, one, spec))


def test_the_resampled_headline_and_the_figures_compare_as_the_score_does():
    """Angles that differ by rounding are one angle."""
    spec, one = paper_spec("crystals"), table_of(made(12))
    other = one.assign(**{name: one[name] * (1 + 1e-15) for name in LATTICE[3:]})
    assert (other["alpha_deg"] != one["alpha_deg"]).any()
    assert score(other, one, spec)["ks_mean"][1].value == 0
    assert resample_headline(other, one, spec).value == 0
    figure = plot_lattice(one, {"turned": other})
    assert [text.get_text() for axes in figure.axes for text in axes.texts] == ["0.00"] * 6


def test_shipped_files_are_read_as_they_are_described():
    """Every twentieth part of the shipped crystals: group and atoms are those of their table."""
    frames = read(resource("crystals/aflow_cifs.zip"), 7, 20)
    exact = SETTINGS.model_copy(update={"symprec_A": 0.001})  # they have eight digits
    table = fates([crystal(frame, exact) for frame in frames]).set_index("crystal")
    index = pd.read_csv(resource("crystals/aflow_index.csv")).set_index("label").loc[table.index]
    accepted = table["status"] == "accepted"
    assert accepted.sum() >= 65
    assert (table["space_group"] == index["space_group"])[accepted].all()
    assert (table["n_atoms"] == index["n_atoms"])[accepted].all()
    close = index["flag"].eq("closer than 0.6 x covalent radii")
    assert Counter(~accepted) == Counter(close)


def test_the_shipped_reference_holds_the_features_of_its_crystals():
    reference = load_shipped("crystals", Options().expansion)
    spec = reference.spec
    assert (spec.n_train, spec.n_val) == (len(reference.train), len(reference.held_out))
    assert spec.n_train + spec.n_val == 1340
    assert (len(spec.elements), spec.statistics["n_read"]) == (82, 1396)
    assert reference.train["n_atoms"].max() == 52
    frames = read(resource("crystals/aflow_cifs.zip"), 0, 200)
    exact = SETTINGS.model_copy(update={"symprec_A": 0.001})
    kept = pd.concat([reference.train, reference.held_out])[DESCRIBED].to_numpy()
    rows = [describe(crystal(frame, exact), spec, Options()) for frame in frames]
    apart = [np.abs(kept - row).max(axis=1).min() for row in rows]
    assert sum(distance < 1e-6 for distance in apart) >= len(frames) - 2  # some have a flag


def test_a_folder_of_cifs_is_scored_against_the_shipped_reference(tmp_path):
    folder = tmp_path / "my_cifs"
    folder.mkdir()
    (folder / "salt.cif").write_text(rock_salt())
    (folder / "bad.cif").write_text("nothing")
    found = evaluate_file(folder, "crystals")
    metrics = found.metrics.set_index("metric")["value"]
    assert metrics["percent_failed"] == 50
    assert 0.2 < metrics["ks_mean"] < 1
    assert metrics["percent_with_symmetry"] == 100
    assert found.fates["source_file"].tolist() == ["bad.cif", "salt.cif"]
