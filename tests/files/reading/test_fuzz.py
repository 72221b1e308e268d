"""Damaged files of any format: structures and errors in their places, or one line."""

import gzip
import tarfile
import zipfile

import ase.io
import numpy as np
import pytest
from ase.build import bulk

from dismai.base.errors import InputError, StructureError
from dismai.base.resources import resource
from dismai.files.structures import read_frames

N_CASES = 30
WORDS = (b"nan", b"inf", b"1e300", b"0", b"", b"x", b"-1", b"9" * 30, b"?", b"'", b"loop_", b";",
         b"\xff\xfe", b"\0")  # fmt: skip
DUMP = (b"ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n2\nITEM: BOX BOUNDS pp pp pp\n0 9\n0 9\n0 9\n"
        b"ITEM: ATOMS id element x y z\n1 Si 0 0 0\n2 Si 1 1 1\n")  # fmt: skip
NAMES = ("x.cif", "x.vasp", "x.extxyz", "x.xyz", "x.lammpstrj", "x.traj", "x.zip", "x.tar",
         "x.tar.gz", "x.tar.xz", "x.extxyz.gz")  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Bytes of a whole file of every format, by its name."""
    folder = tmp_path_factory.mktemp("whole")
    silicon, salt = bulk("Si", cubic=True), bulk("NaCl", "rocksalt", 5.6, cubic=True)
    for name in ("x.cif", "x.vasp"):
        silicon.write(folder / name)
    for name in ("x.extxyz", "x.traj"):
        ase.io.write(folder / name, [silicon, salt, silicon])
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    files["x.cif"] += resource("LSC.cif").read_bytes()
    files["x.xyz"] = b"".join(b"2\nc %d\nSi 0 0 0\nSi 1 1 1\n" % k for k in range(4))
    files["x.lammpstrj"] = 3 * DUMP
    files["x.extxyz.gz"] = gzip.compress(files["x.extxyz"])
    for name, mode in (("x.tar", "w:"), ("x.tar.gz", "w:gz"), ("x.tar.xz", "w:xz")):
        with tarfile.open(folder / name, mode) as archive:
            for k in range(3):
                archive.add(folder / "x.cif", f"gen_{k}.cif")
    with zipfile.ZipFile(folder / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for k in range(3):
            archive.write(folder / "x.extxyz", f"gen_{k}.extxyz")
    packed = {path.name: path.read_bytes() for path in folder.glob("x.[tz]*")}
    return files | packed


def damaged(data, rng):
    """The bytes with one thing wrong: cut, hit, other words, a line less or more, or noise."""
    what = rng.integers(6)
    if what == 0:
        return data[: rng.integers(len(data))]
    if what == 1:
        hit = bytearray(data)
        for _ in range(rng.integers(1, 20)):
            hit[rng.integers(len(hit))] = rng.integers(256)
        return bytes(hit)
    if what == 2:
        words = data.split(b" ")
        for _ in range(rng.integers(1, 4)):
            words[rng.integers(len(words))] = WORDS[rng.integers(len(WORDS))]
        return b" ".join(words)
    lines = data.split(b"\n")
    if what == 3:
        del lines[rng.integers(len(lines))]
    elif what == 4:
        lines.insert(rng.integers(len(lines)), lines[rng.integers(len(lines))])
    else:
        return rng.bytes(rng.integers(500))
    return b"\n".join(lines)


@pytest.mark.parametrize("name", NAMES)
def test_damage_is_a_structure_an_error_or_one_line(tmp_path, whole, name):
    rng = np.random.default_rng(17)
    for case in range(N_CASES):
        path = tmp_path / name
        path.write_bytes(damaged(whole[name], rng))
        try:
            frames = read_frames(path)
        except InputError as error:
            said = [str(error)]
        else:
            said = [str(frame) for frame in frames if isinstance(frame, StructureError)]
            assert frames
        assert all("\n" not in one and one for one in said), case
