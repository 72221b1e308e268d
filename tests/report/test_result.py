"""`dismai.evaluate` in Python: lists of structures, tables and figures, nothing on import."""

import json
import subprocess
import sys

import numpy as np
import pytest
from ase.calculators.emt import EMT
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor

import dismai
from dismai.datasets.baselines import random_decoration
from dismai.errors import InputError
from dismai.evaluation.reference import load_shipped
from dismai.files.objects import as_frames
from dismai.files.structures import read_structures, write_structures
from dismai.metrics.clusters import published_expansion
from tests.makers import diamonds, random_crystal


@pytest.fixture(scope="module")
def alloys():
    spec = load_shipped("alloy_300K_wide", published_expansion()).spec
    return random_decoration(spec, 12, seed=1)


@pytest.fixture(scope="module")
def result(alloys):
    return dismai.evaluate(alloys, "alloy_300K_wide", name="random", n_generated=15)


def test_a_list_has_the_numbers_of_its_file(alloys, result, tmp_path):
    write_structures(alloys, tmp_path / "random.extxyz")
    of_file = dismai.evaluate(tmp_path / "random.extxyz", "alloy_300K_wide", n_generated=15)
    np.testing.assert_array_equal(result.table["value"], of_file.table["value"])
    assert (result.n_accepted, result.n_generated) == (12, 15)
    assert result.table.loc["percent_failed", "value"] == 20
    assert result.table.loc["d_cluster", "best"] == "↓ 0"
    assert len(result.fates) == 15
    assert len(result.features) == 12
    assert "random against alloy_300K_wide" in str(result)


def test_figures_and_page_are_at_hand(result, tmp_path):
    assert set(result.figures) == {"sro", "energy", "nearest"}
    assert all(figure.axes for figure in result.figures.values())
    assert "d_cluster" in result._repr_html_()
    path = result.save(tmp_path / "out")
    assert "<h1>random against alloy_300K_wide</h1>" in path.read_text()
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["n_accepted"] == 12


def test_structures_of_pymatgen_are_taken_and_partly_occupied_ones_cost_themselves():
    train = diamonds(14)
    given = [AseAtomsAdaptor.get_structure(atoms) for atoms in diamonds(3, seed=40)]
    given.append(Structure(Lattice.cubic(5), [{"Si": 0.5, "Ge": 0.5}], [[0, 0, 0]]))
    ours = dismai.evaluate(given, "amorphous_si", reference=train)
    plain = dismai.evaluate(diamonds(3, seed=40), "amorphous_si", reference=train, n_generated=4)
    assert ours.table.loc["d_rdf", "value"] == pytest.approx(plain.table.loc["d_rdf", "value"])
    assert ours.table.loc["percent_failed_read", "value"] == 25
    assert "whole atoms" in ours.fates["reason"].iloc[3]


def test_the_training_set_itself_is_recognised():
    train = diamonds(12)
    notes = dismai.evaluate(train, "amorphous_si", reference=train).notes
    assert "The set under evaluation is the training set itself." in notes


def test_several_files_are_one_set(alloys, tmp_path):
    paths = [tmp_path / "a.extxyz", tmp_path / "b.extxyz"]
    write_structures(alloys[:5], paths[0])
    write_structures(alloys[5:], paths[1])
    result = dismai.evaluate(paths, "alloy_300K_wide")
    assert result.n_generated == 12
    assert list(result.fates["source_file"]) == ["a.extxyz"] * 5 + ["b.extxyz"] * 7


def test_calculators_and_constraints_stay_with_the_user(alloys):
    atoms = alloys[0].copy()
    atoms.calc = EMT()
    (frame,) = as_frames([atoms])
    assert frame.calc is None
    assert atoms.calc is not None


def test_partly_occupied_sites_that_ase_notes_are_no_structure(alloys):
    mixed, listed = alloys[0].copy(), alloys[1].copy()
    mixed.info["occupancy"] = {"0": {"Fe": 0.6, "Ni": 0.4}}
    listed.set_array("occupancy", np.full(len(listed), 0.5))
    *bad, good = as_frames([mixed, listed, alloys[2]])
    assert all("partially occupied sites are not supported" in str(frame) for frame in bad)
    assert len(good) == len(alloys[2])


@pytest.mark.parametrize(
    ("structures", "dataset", "message"),
    [
        ([], "alloy_300K_wide", "expected at least one structure"),
        (random_crystal(0), "alloy_300K_wide", "expected a list, found one Atoms"),
        (3, "alloy_300K_wide", "expected a list of structures or a path, found int"),
        ([None], "alloy_300K_wide", "structure 0: expected an ase.Atoms .* found NoneType"),
        ([random_crystal(0)], "alloy_300K_wde", "did you mean alloy_300K_wide"),
        (diamonds(1), "alloy_300K_wide", "expected Cr51 Fe154 Ni51|expected 256"),
    ],
)
def test_what_the_user_can_mend_is_one_line(structures, dataset, message):
    with pytest.raises(InputError, match=message):
        dismai.evaluate(structures, dataset)


def test_importing_reads_no_file_and_brings_nothing_along():
    code = """
import sys
before, opened = set(sys.modules), []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
import dismai
new = {name.partition(".")[0] for name in set(sys.modules) - before}
others = [name for name in opened if not name.endswith((".py", ".pyc"))]
of_ours = [name for name in opened if "dismai/" in name and "__init__" not in name]
assert "evaluate" in dir(dismai)
print(sorted(new - set(sys.stdlib_module_names)), others, of_ours)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['dismai'] [] []"


def test_files_written_are_read_again(alloys, tmp_path):
    write_structures(alloys[:2], tmp_path / "two.extxyz")
    again = dismai.evaluate(read_structures(tmp_path / "two.extxyz"), "alloy_300K_wide")
    assert again.n_accepted == 2
