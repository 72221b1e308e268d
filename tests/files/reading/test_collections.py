"""Folders and archives: natural order, foreign files left out and said, nothing goes outside."""

import gzip
import io
import tarfile
import zipfile

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from dismai.base.errors import InputError, StructureError
from dismai.files.reading import files
from dismai.files.structures import count_frames, read_frames, read_set, write_structures

CELL = 'Lattice="9 0 0 0 9 0 0 0 9" Properties=species:S:1:pos:R:3'


def xyz(n_atoms):
    """A file of one structure, told from others by its number of atoms."""
    atoms = "".join(f"Si {k} 0 0\n" for k in range(n_atoms))
    return f"{n_atoms}\n{CELL}\n{atoms}"


def sizes(frames):
    return [len(frame) if isinstance(frame, Atoms) else str(frame) for frame in frames]


NAMES = ["gen_10.extxyz", "gen_2.extxyz", "gen_1.extxyz", "gen_03.extxyz"]
IN_ORDER = [1, 2, 3, 10]
FOREIGN = {
    "energies.csv": "a,b\n1,2\n", "README": "x", "README.md": "x", ".DS_Store": "\0",
    "x.json": "{}", ".hidden.cif": "data_", "._gen_1.extxyz": "\0", "gen_1.extxyz~": "x",
    "log.txt": "1\n", "picture.png": "\0", "Thumbs.db": "\0", "run.py": "1/0",
    "features.npz": "\0", "fates.parquet": "",
}  # fmt: skip


def fill(folder, names=NAMES):
    folder.mkdir(exist_ok=True)
    for name in names:
        number = int("".join(letter for letter in name if letter.isdecimal()))
        (folder / name).write_text(xyz(number))
    return folder


def zipped(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path, files, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            data = content.encode() if isinstance(content, str) else content
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


ARCHIVES = {
    "set.zip": zipped,
    "set.tar.gz": tarred,
    "set.tgz": tarred,
    "set.tar": lambda path, files: tarred(path, files, "w"),
    "set.tar.bz2": lambda path, files: tarred(path, files, "w:bz2"),
    "set.tar.xz": lambda path, files: tarred(path, files, "w:xz"),
    "a@1.ZIP": zipped,
}


def content(prefix=""):
    return {f"{prefix}{name}": xyz(int("".join(filter(str.isdecimal, name)))) for name in NAMES}


def test_files_of_a_folder_are_in_natural_order(tmp_path):
    frames = read_frames(fill(tmp_path / "set"))
    assert sizes(frames) == IN_ORDER
    assert [frame.info["source_file"] for frame in frames] == [
        "gen_1.extxyz",
        "gen_2.extxyz",
        "gen_03.extxyz",
        "gen_10.extxyz",
    ]


def test_foreign_files_are_left_out_and_said(tmp_path):
    folder = fill(tmp_path / "set")
    for name, text in FOREIGN.items():
        (folder / name).write_text(text)
    (folder / "old").mkdir()
    (folder / "old" / "gen_5.extxyz").write_text(xyz(5))
    found = read_set(folder)
    assert sizes(found.frames) == IN_ORDER
    (note,) = found.notes
    assert note.startswith(f"Not read: {len(FOREIGN)} files that are no structures (")
    assert note.endswith(" and 1 folder (old).")


@pytest.mark.parametrize(
    "name", ["bad.cif", "bad.extxyz", "bad.xyz", "bad.vasp", "POSCAR_9", "bad.traj"]
)
@pytest.mark.parametrize("text", ["", "nonsense\n", "\n\n"])
def test_a_broken_structure_file_counts_as_failed(tmp_path, name, text):
    folder = fill(tmp_path / "set")
    (folder / name).write_text(text)
    frames = read_frames(folder)
    bad = [frame for frame in frames if isinstance(frame, StructureError)]
    assert (len(frames), len(bad)) == (5, 1)
    assert str(bad[0]).startswith(f"{name}: ")
    assert bad[0].source_file == name


def test_a_link_to_nowhere_counts_as_failed(tmp_path):
    folder = fill(tmp_path / "set")
    (folder / "gen_4.cif").symlink_to(folder / "nowhere.cif")
    assert "found no such file" in sizes(read_frames(folder))[3]


def test_structures_of_a_file_with_several_are_numbered(tmp_path):
    folder = fill(tmp_path / "set", NAMES[:1])
    (folder / "gen_2.extxyz").write_text(xyz(2) + xyz(3))
    names = [frame.info["source_file"] for frame in read_frames(folder)]
    assert names == ["gen_2.extxyz [0]", "gen_2.extxyz [1]", "gen_10.extxyz"]


def test_an_odd_name_stays_on_its_line(tmp_path):
    folder = fill(tmp_path / "set", NAMES[:1])
    (folder / 'a"b\n{c\\.extxyz').write_text(xyz(7))
    frames = read_frames(folder)
    write_structures(frames, tmp_path / "copy.extxyz")
    back = read_frames(tmp_path / "copy.extxyz")
    assert back[0].info["source_file"] == frames[0].info["source_file"] == "a?b??c?.extxyz"


def test_a_folder_of_folders_says_what_to_do(tmp_path):
    fill(tmp_path / "seed0")
    fill(tmp_path / "seed1")
    with pytest.raises(InputError, match=r"found none, but folders \(seed0, seed1\): give one"):
        read_frames(tmp_path)


def test_an_empty_folder_and_one_of_foreign_files_are_one_line(tmp_path):
    with pytest.raises(InputError, match="expected files of structures .*, found none"):
        read_frames(tmp_path)
    (tmp_path / "x.csv").write_text("1")
    with pytest.raises(InputError, match=r"found none\. Not read: 1 file .* \(x.csv\)"):
        read_frames(tmp_path)


@pytest.mark.parametrize("names", [("train", "val"), ("raw", "clean"), ("train", "gen_1")])
def test_a_folder_of_several_sets_is_refused(tmp_path, names):
    for name in names:
        (tmp_path / f"{name}.extxyz").write_text(xyz(2))
    with pytest.raises(InputError, match="expected one set of structures, found .*: give one file"):
        read_frames(tmp_path)


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.parametrize("prefix", ["", "data/", "./"])
def test_an_archive_is_read_as_a_folder(tmp_path, name, prefix):
    files = content(prefix) | {f"{prefix}{name}": text for name, text in FOREIGN.items()}
    files["__MACOSX/gen_1.extxyz"] = "x"
    found = read_set(ARCHIVES[name](tmp_path / name, files))
    assert sizes(found.frames) == IN_ORDER
    assert found.frames[0].info["source_file"] == f"{prefix}gen_1.extxyz"
    assert found.notes[0].startswith(f"Not read: {len(FOREIGN) + 1} files")


@pytest.mark.parametrize("name", ["set.zip", "set.tar.gz"])
def test_nothing_is_written_outside(tmp_path, name):
    place = tmp_path / "deep" / "er"
    place.mkdir(parents=True)
    files = {"../gen_1.extxyz": xyz(1), "../gen_2.extxyz": xyz(2)}
    assert sizes(read_frames(ARCHIVES[name](place / name, files))) == [1, 2]
    files = {f"{tmp_path}/gen_1.extxyz": xyz(1)}
    assert sizes(read_frames(ARCHIVES[name](place / name, files))) == [1]
    assert [entry.name for entry in tmp_path.iterdir()] == ["deep"]
    assert [entry.name for entry in place.iterdir()] == [name]


def test_links_in_an_archive_are_not_followed(tmp_path):
    secret = tmp_path / "secret.extxyz"
    secret.write_text(xyz(5))
    with tarfile.open(tmp_path / "set.tar", "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo(f"{kind.decode()}.extxyz")
            info.type, info.linkname = kind, str(secret)
            archive.addfile(info)
        info = tarfile.TarInfo("gen_1.extxyz")
        info.size = len(xyz(1))
        archive.addfile(info, io.BytesIO(xyz(1).encode()))
    assert sizes(read_frames(tmp_path / "set.tar")) == [1]


@pytest.mark.parametrize("name", ["set.zip", "set.tar.gz"])
def test_an_archive_that_unpacks_to_far_too_much_is_refused(tmp_path, name):
    path = ARCHIVES[name](tmp_path / name, {"gen_1.extxyz": "0" * 30_000_000})
    with pytest.raises(InputError, match="expected at most .* MiB more in the archive"):
        read_frames(path)


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.parametrize("data", [b"", b"hello", bytes(range(256)) * 30])
def test_what_is_no_archive_is_one_line(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match="expected") as error:
        read_frames(tmp_path / name)
    assert "\n" not in str(error.value)


def test_a_damaged_member_costs_itself(tmp_path):
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, text in content().items():
            archive.writestr(name, text)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"2\nLattice", b"2\nLattuce", 1))
    frames = read_frames(path)
    assert [isinstance(frame, Atoms) for frame in frames] == [True, False, True, True]


def test_an_archive_that_ends_early_says_so(tmp_path):
    path = tarred(tmp_path / "set.tar", content(), "w")
    path.write_bytes(path.read_bytes()[:2900])
    frames = read_frames(path)
    assert isinstance(frames[0], Atoms)
    assert isinstance(frames[-1], StructureError)


def test_an_archive_of_several_folders_is_refused(tmp_path):
    path = zipped(tmp_path / "set.zip", {"a/gen_1.cif": "x", "b/gen_1.cif": "x"})
    with pytest.raises(InputError, match="expected structures in one folder, found 2: a, b"):
        read_frames(path)


@pytest.mark.parametrize("name", ["set.extxyz.gz", "set.xyz.gz", "set.cif.gz", "set.vasp.gz"])
def test_a_packed_file_is_read_as_what_it_holds(tmp_path, name):
    plain = tmp_path / name.removesuffix(".gz")
    bulk("Si", cubic=True).write(plain, format="extxyz" if "xyz" in name else None)
    with gzip.open(tmp_path / name, "wb") as stream:
        stream.write(plain.read_bytes())
    assert sizes(read_frames(tmp_path / name)) == [8]
    data = (tmp_path / name).read_bytes()
    for damaged in (data[:40], data[:20] + bytes(range(100, 160)) + data[60:], b"plain"):
        (tmp_path / name).write_bytes(damaged)
        with pytest.raises(InputError) as error:
            read_frames(tmp_path / name)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("ending", [".gz", ".xz"])
def test_a_packed_file_that_ends_early_keeps_its_first_structures(tmp_path, ending):
    text = "".join(
        f'8\nLattice="5.43 0 0 0 5.43 0 0 0 5.43" noise={number}\n'
        + "".join(f"Si {' '.join(map(str, place))}\n" for place in places)
        for number, places in enumerate(np.random.default_rng(1).random((300, 8, 3)))
    )
    path = tmp_path / f"set.extxyz{ending}"
    with files.OPENERS[ending](path, "wb") as stream:
        stream.write(text.encode())
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    *first, last = read_frames(path)
    assert 100 < sum(isinstance(frame, Atoms) for frame in first) < 300
    assert sum(isinstance(frame, StructureError) for frame in first) <= 1
    assert str(last).startswith("what follows: expected compressed text, found Compressed file")
    assert count_frames(path) == len(first) + 1


def test_a_text_beyond_the_limit_is_refused(tmp_path, monkeypatch):
    bulk("Si", cubic=True).write(tmp_path / "set.extxyz")
    monkeypatch.setattr(files, "MAX_TEXT_BYTES", 100)
    with pytest.raises(InputError, match="GiB of text, found more"):
        read_frames(tmp_path / "set.extxyz")
