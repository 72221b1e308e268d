"""Ready-made sets: from a file, an archive or a URL; only what was asked for is taken."""

import functools
import http.server
import io
import tarfile
import threading
import zipfile

import numpy as np
import pytest
from ase.build import bulk

from dismai.base.atomic import sha256
from dismai.base.errors import InputError
from dismai.files.archive import extract, fetch, read_ready_made
from dismai.files.structures import write_structures


@pytest.fixture
def xyz(tmp_path):
    path = tmp_path / "set.extxyz"
    write_structures([bulk("Si", cubic=True) for _ in range(3)], path)
    return path


def test_a_file_is_copied_if_its_checksum_is_right(xyz, tmp_path):
    fetch(str(xyz), sha256(xyz), tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == xyz.read_bytes()
    with pytest.raises(InputError, match=f"set.extxyz: expected SHA-256 {'0' * 64}, found"):
        fetch(str(xyz), "0" * 64, tmp_path / "other")
    assert not (tmp_path / "other").exists()
    with pytest.raises(InputError, match="no.zip: expected a file, found .*No such file"):
        fetch(str(tmp_path / "no.zip"), "0" * 64, tmp_path / "other")


def test_a_url_is_fetched_and_checked(xyz, tmp_path):
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(xyz.parent))
    handler.func.log_message = lambda *arguments: None
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        fetch(f"{address}/set.extxyz", sha256(xyz), tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == xyz.read_bytes()
        with pytest.raises(InputError, match="no.zip: expected a file, found .*404"):
            fetch(f"{address}/no.zip", "0" * 64, tmp_path / "other")
    finally:
        server.shutdown()


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_one_member_of_an_archive_is_taken(xyz, tmp_path, kind):
    path = tmp_path / f"all.{kind}"
    names = ["../outside.extxyz", "data/train.extxyz"]
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, xyz.read_text())
    else:
        with tarfile.open(path, "w:gz") as archive:
            for name in names:
                info = tarfile.TarInfo(name)
                info.size = xyz.stat().st_size
                archive.addfile(info, io.BytesIO(xyz.read_bytes()))
    extract(path, "data/train.extxyz", tmp_path / "out" / "train.extxyz")
    assert (tmp_path / "out" / "train.extxyz").read_bytes() == xyz.read_bytes()
    assert not (tmp_path / "outside.extxyz").exists()
    with pytest.raises(
        InputError, match=r"expected 'val.extxyz', found ../outside.extxyz, data/tr"
    ):
        extract(path, "val.extxyz", tmp_path / "val.extxyz")
    with pytest.raises(InputError, match="expected a member to be named"):
        extract(path, None, tmp_path / "val.extxyz")


def test_a_plain_file_has_no_members(xyz, tmp_path):
    extract(xyz, None, tmp_path / "same.extxyz")
    assert (tmp_path / "same.extxyz").read_bytes() == xyz.read_bytes()
    with pytest.raises(InputError, match="expected a zip or tar with 'a', found another file"):
        extract(xyz, "a", tmp_path / "a")


def spoil_cell(structures):
    structures[1].set_cell(structures[1].cell * 1.01, scale_atoms=True)


def spoil_species(structures):
    structures[2].symbols[0] = "Ge"


def spoil_number(structures):
    del structures[2][0]


def spoil_positions(structures):
    structures[1].positions[0, 0] = np.nan


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_cell, "structure 1: expected the cell of structure 0, found one of 5.484"),
        (spoil_species, "structure 2: expected Si8, found Si7 Ge1"),
        (spoil_number, "structure 2: expected Si8, found Si7"),
        (spoil_positions, "structure 1: expected finite positions, found NaN"),
        (lambda structures: structures.pop(), "expected 3 structures, found 2"),
    ],
)
def test_a_ready_made_set_is_checked(tmp_path, spoil, message):
    structures = [bulk("Si", cubic=True) for _ in range(3)]
    path = tmp_path / "set.extxyz"
    write_structures(structures, path)
    assert len(read_ready_made(path, {"Si": 8}, 3)) == 3
    spoil(structures)
    write_structures(structures, path)
    with pytest.raises(InputError, match=message) as error:
        read_ready_made(path, {"Si": 8}, 3)
    assert "\n" not in str(error.value)
