"""From files to fates and references: file names are kept, folders mean one set."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from dismai.base.errors import InputError
from dismai.datasets.baselines import random_decoration
from dismai.datasets.options import Options
from dismai.evaluation.file import evaluate_file
from dismai.evaluation.given import given_files
from dismai.evaluation.process import check, import_file, load_generated, process
from dismai.evaluation.reference import notes_on_overlap, training_file
from dismai.files.structures import write_structures
from dismai.postprocess.separation import move_apart
from tests.makers import alloy_spec

SPEC = alloy_spec()
DATASET = "alloy_300K_narrow"


@pytest.fixture(scope="module")
def structures():
    return random_decoration(SPEC, 8, seed=1)


@pytest.fixture
def reference(structures, tmp_path):
    """A folder of a dataset: training and held-out structures."""
    folder = tmp_path / "dataset"
    folder.mkdir()
    write_structures(structures[:4], folder / "train.extxyz")
    write_structures(structures[4:6], folder / "val.extxyz")
    return folder


def folder_of(structures, path):
    path.mkdir()
    for number, atoms in enumerate(structures):
        atoms.write(path / f"gen_{number + 8}.cif")
    return path


def test_fates_name_the_file_of_every_structure(structures, tmp_path):
    folder = folder_of(structures[:4], tmp_path / "set")
    (folder / "gen_9.cif").write_text("nonsense")
    fates = process(load_generated(folder), SPEC, Options()).fates
    assert fates["source_file"].tolist() == ["gen_8.cif", "gen_9.cif", "gen_10.cif", "gen_11.cif"]
    assert fates["status"].tolist() == ["accepted", "rejected", "accepted", "accepted"]


def test_imported_structures_keep_their_files_and_reasons(structures, tmp_path, caplog):
    folder = folder_of(structures[:3], tmp_path / "set")
    (folder / "gen_9.cif").write_text("nonsense")
    (folder / "notes.txt").write_text("x")
    direct = process(load_generated(folder, 4), SPEC, Options()).fates
    import_file(folder, 4, tmp_path / "raw.extxyz")
    imported = process(load_generated(tmp_path / "raw.extxyz", 4), SPEC, Options()).fates
    assert imported.equals(direct)
    assert "gen_9.cif: expected" in imported["reason"][1]
    assert imported["reason"][3] == "expected 4 structures, found 3"
    assert "Not read: 1 file that is no structure (notes.txt)" in caplog.text


def test_compositions_are_told_in_one_order(structures):
    atoms = structures[0].copy()
    atoms.symbols[list(atoms.symbols).index("Fe")] = "Ni"
    spec = SPEC.model_copy(update={"composition": {"Ni": 6, "Cr": 6, "Fe": 20}})
    with pytest.raises(ValueError, match="expected Ni6 Cr6 Fe20, found Ni7 Cr6 Fe19"):
        check(atoms, spec)


def test_an_atom_close_to_its_own_image_is_not_called_two_atoms():
    atoms = Atoms("Si", cell=np.diag([1.0, 5.0, 5.0]), pbc=True)
    _, said = move_apart(atoms, 1.5, 5)
    assert said == (
        "atom 0: expected its images 1.5 Å apart, found them closer: the cell is too thin"
    )


def evaluated(path, reference):
    return evaluate_file(path, DATASET, reference, n_jobs=1)


def test_a_folder_as_reference_means_its_training_set(structures, reference, tmp_path):
    write_structures(structures[6:], tmp_path / "mine.extxyz")
    write_structures(structures[6:], reference / "old_generated.extxyz")
    by_folder = evaluated(tmp_path / "mine.extxyz", reference)
    by_file = evaluated(tmp_path / "mine.extxyz", reference / "train.extxyz")
    assert by_folder.spec.n_train == 4
    assert len(by_folder.reference.held_out) == 2
    assert by_folder.metrics.equals(by_file.metrics)
    assert by_folder.notes == by_file.notes


@pytest.mark.parametrize(
    ("name", "said"), [("val", "the held-out set itself"), ("train", "the training set itself")]
)
def test_a_set_that_is_its_own_reference_is_said(reference, tmp_path, name, said):
    copy = tmp_path / "copy.extxyz"
    shutil.copy(reference / f"{name}.extxyz", copy)
    for path in (reference / f"{name}.extxyz", copy):
        (note,) = notes_on_overlap(path, reference)
        assert said in note
    assert any(said in note for note in evaluated(copy, reference).notes)


def test_a_set_among_its_training_structures_is_refused(structures, tmp_path):
    folder = folder_of(structures, tmp_path / "training")
    write_structures(structures[:2], folder / "mine.extxyz")
    with pytest.raises(InputError, match="expected a set apart from the training structures"):
        evaluated(folder / "mine.extxyz", folder)


def test_a_folder_of_training_structures_one_a_file_is_a_reference(structures, tmp_path):
    folder = folder_of(structures[:5], tmp_path / "training")
    write_structures(structures[5:], tmp_path / "mine.extxyz")
    assert evaluated(tmp_path / "mine.extxyz", folder).spec.n_train == 5
    assert training_file(folder) == folder


def test_a_folder_of_several_sets_is_no_reference(structures, tmp_path):
    folder = folder_of(structures[:2], tmp_path / "training")
    write_structures(structures[:3], folder / "set.extxyz")
    write_structures(structures[5:], tmp_path / "mine.extxyz")
    with pytest.raises(InputError, match=r"expected train.extxyz, or .*, found several in set"):
        evaluated(tmp_path / "mine.extxyz", folder)


def test_what_was_lost_or_left_out_is_said(structures, reference, tmp_path):
    folder = folder_of(structures[5:], tmp_path / "set")
    (folder / "energies.csv").write_text("x")
    (folder / "gen_1.cif").write_text("x")
    notes = evaluated(folder, reference).notes
    assert "Not read: 1 file that is no structure (energies.csv)." in notes
    assert "1 of 4 structures could not be read; they count as failed." in notes


@pytest.mark.parametrize("kind", ["zip", "gztar"])
def test_an_archive_scores_as_its_folder_does(structures, reference, tmp_path, kind):
    folder = folder_of(structures[5:], tmp_path / "set")
    packed = shutil.make_archive(tmp_path / "packed", kind, folder)
    ours, theirs = evaluated(Path(packed), reference), evaluated(folder, reference)
    assert ours.fates["status"].equals(theirs.fates["status"])
    assert ours.metrics["value"].equals(theirs.metrics["value"])


@pytest.mark.parametrize("place", ["file", "reference"])
def test_paths_that_the_system_refuses_are_one_line(structures, tmp_path, place):
    write_structures(structures[5:], tmp_path / "mine.extxyz")
    long = tmp_path / ("a" * 300)
    paths = (long, tmp_path) if place == "file" else (tmp_path / "mine.extxyz", long)
    with pytest.raises(InputError, match="expected a file of structures, found .*name") as error:
        evaluated(*paths)
    assert "\n" not in str(error.value)


def test_a_bad_file_of_several_costs_only_itself(structures, tmp_path):
    good, bad, foreign = (tmp_path / name for name in ("a.extxyz", "b.cif", "energies.csv"))
    write_structures(structures[:2], good)
    bad.write_text("data_x\n_cell_length_a 5\n")
    foreign.write_text("file,energy\n")
    given = given_files([good, bad, foreign])
    assert [isinstance(frame, Atoms) for frame in given.frames] == [True, True, False]
    assert given.frames[2].source_file == "b.cif"
    assert str(given.frames[2]).startswith("b.cif: ")
    (note,) = given.notes
    assert note.startswith(f"{foreign}: not read, no structures: expected a structure file")
    with pytest.raises(InputError, match=r"nofile\.cif: expected a file of structures, found no"):
        given_files([good, tmp_path / "nofile.cif"])
    for others in ([bad, bad], [foreign, foreign]):
        with pytest.raises(InputError, match="and others: "):
            given_files(others)
