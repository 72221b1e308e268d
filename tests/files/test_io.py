"""Files of structures, whole and damaged; tables with schema and footer."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from ase import Atoms

from dismai.base.errors import InputError, StructureError
from dismai.files.structures import (
    FATES_SCHEMA,
    features_schema,
    read_frames,
    read_structures,
    read_table,
    replacing,
    write_structures,
    write_table,
)
from tests.makers import random_crystal

SMALL = (2, 2, 2)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "set.extxyz"
    write_structures([random_crystal(seed, SMALL) for seed in range(4)], path)
    return path


def test_structures_come_back(path):
    structures = read_structures(path)
    assert len(structures) == 4
    original = random_crystal(2, SMALL)
    assert structures[2].get_chemical_symbols() == original.get_chemical_symbols()
    np.testing.assert_allclose(structures[2].positions, original.positions, atol=1e-8)
    np.testing.assert_allclose(structures[2].cell, original.cell)


def test_the_same_structures_give_the_same_bytes(path, tmp_path):
    other = tmp_path / "other.extxyz"
    write_structures([random_crystal(seed, SMALL) for seed in range(4)], other)
    assert other.read_bytes() == path.read_bytes()


def test_a_truncated_file_costs_the_last_structure(path):
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-10]))
    frames = read_frames(path)
    assert [isinstance(frame, Atoms) for frame in frames] == [True] * 3 + [False]
    assert "line 103: expected 32 atoms, found 22 before the end of the file" in str(frames[3])
    with pytest.raises(InputError, match="structure 3: line 103: expected 32 atoms"):
        read_structures(path)


def test_a_damaged_line_costs_its_structure_only(path):
    lines = path.read_text().splitlines()
    lines[40] = "Fe what is this"
    path.write_text("\n".join(lines))
    frames = read_frames(path)
    assert [isinstance(frame, StructureError) for frame in frames] == [False, True, False, False]


def test_a_lost_header_costs_its_structure_only(path):
    lines = path.read_text().splitlines()
    del lines[68]
    path.write_text("\n".join(lines))
    frames = read_frames(path)
    assert [isinstance(frame, Atoms) for frame in frames] == [True, True, False, True]
    assert "line 69: expected a number of atoms" in str(frames[2])


def test_only_the_wanted_structures_are_parsed(path):
    frames = read_frames(path, range(1, 3))
    assert [frame is None for frame in frames] == [True, False, False, True]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("no.extxyz", None, "found no such file"),
        ("empty.extxyz", b"", "expected at least one structure, found none"),
        ("noise.extxyz", bytes(range(256)) * 40, "found binary data"),
        ("words.extxyz", b"hello\nworld\n", "structure 0: line 1: expected a number of atoms"),
        ("huge.extxyz", b"99999999999\n\n", "expected 1 to 1000000 atoms"),
        ("noise.cif", bytes(range(256)) * 40, "expected a structure file that ASE reads"),
    ],
)
def test_unreadable_files_are_one_line(tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        read_frames(path)
    assert "\n" not in str(error.value)


def test_a_folder_is_read_file_by_file(tmp_path):
    for seed in range(3):
        random_crystal(seed, SMALL).write(tmp_path / f"{seed}.cif")
    (tmp_path / "9.cif").write_text("nonsense")
    frames = read_frames(tmp_path)
    assert [isinstance(frame, Atoms) for frame in frames] == [True, True, True, False]


def test_a_table_keeps_schema_and_footer(tmp_path):
    path = tmp_path / "fates.parquet"
    columns = {"source_file": [""], "reason": [""], "stage": [""], "status": ["accepted"]}
    table = pd.DataFrame({**columns, "structure": [3]})
    write_table(table, path, FATES_SCHEMA, {"dismai": "{}"})
    schema = pq.read_schema(path)
    assert schema.names == ["structure", "status", "stage", "reason", "source_file"]
    assert schema.metadata[b"dismai"] == b"{}"
    assert read_table(path)["structure"].tolist() == [3]
    (tmp_path / "x.parquet").write_text("x")
    with pytest.raises(InputError, match="expected a Parquet table"):
        read_table(tmp_path / "x.parquet")


def test_an_empty_table_of_features_has_its_columns(tmp_path):
    path = tmp_path / "features.parquet"
    write_table(pd.DataFrame({"structure": [], "a": []}), path, features_schema(["a"]))
    assert list(read_table(path)) == ["structure", "a"]


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
