"""The command line where things go wrong: output that cannot be written, names, pipes, signals."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

from dismai.base.atomic import output_folder, printable_name, replacing_in
from dismai.base.resources import resource
from dismai.datasets.amorphous_si.blocks import slice_blocks
from dismai.datasets.amorphous_si.bulk import read_bulk
from dismai.datasets.baselines import random_decoration
from dismai.evaluation.reference import load_shipped
from dismai.files.structures import read_table, write_structures
from dismai.metrics.clusters import published_expansion
from tests.commands import run_dismai

COMMAND = [sys.executable, "-m", "dismai.cli"]
NOT_UTF8 = os.fsdecode(b"sm\xf8rrebr\xf8d")
needs_root = pytest.mark.skipif(
    os.getuid() != 0 or not shutil.which("unshare"),
    reason="needs root, for a file system in a mount namespace",
)


@pytest.fixture(scope="module")
def alloys(tmp_path_factory):
    spec = load_shipped("alloy_300K_narrow", published_expansion()).spec
    path = tmp_path_factory.mktemp("alloys") / "random.extxyz"
    write_structures(random_decoration(spec, 3, seed=1), path)
    return path


def dismai(*words):
    return run_dismai(*words, text=False)  # bytes: what is not UTF-8 is tried, too


def evaluate(file, *words):
    return dismai("evaluate", file, "--dataset", "alloy_300K_narrow", "--jobs", "1", *words)


def is_one_line(result, *parts):
    lines = result.stderr.decode().splitlines()
    assert result.returncode == 2, lines
    assert len(lines) == 1, lines
    assert lines[0].startswith("dismai: ")
    for part in parts:
        assert part in lines[0]


def out_that_cannot_be(kind, folder):
    """A path of each kind at which no folder of results can be made."""
    if kind == "file":
        (folder / "there").write_text("kept")
        return folder / "there"
    if kind == "below a file":
        (folder / "there").write_text("kept")
        return folder / "there" / "x"
    if kind == "loop":
        (folder / "there").symlink_to("there")
        return folder / "there"
    if kind == "dangling":
        (folder / "there").symlink_to("nowhere")
        return folder / "there"
    return {
        "long": folder / ("n" * 300),
        "device": "/dev/null",
        "below a device": "/dev/null/x",
        "kernel": "/proc/out",
        "zero": "/sys/kernel/out",
    }[kind]


@pytest.mark.parametrize(
    "kind",
    ["file", "below a file", "loop", "dangling", "long", "device", "below a device", "kernel",
     "zero"],
)  # fmt: skip
def test_a_folder_that_cannot_be_made_is_said_before_the_work(alloys, tmp_path, kind):
    out = out_that_cannot_be(kind, tmp_path)
    before = sorted(tmp_path.iterdir())
    result = evaluate(alloys, "--out", out)
    is_one_line(result, "expected a file or folder that can be used, found: ")
    assert result.stdout == b""
    assert sorted(tmp_path.iterdir()) == before
    if kind == "file":
        assert out.read_text() == "kept"


def test_folders_made_for_a_failed_run_are_taken_away(tmp_path):
    (tmp_path / "mine").mkdir()
    with ExitStack() as stack:
        stack.enter_context(pytest.raises(KeyError))
        stack.enter_context(output_folder(tmp_path / "a" / "b"))
        stack.enter_context(output_folder(tmp_path / "mine"))
        assert (tmp_path / "a" / "b").is_dir()
        raise KeyError
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_files_of_a_set_are_replaced_together_or_not_at_all(tmp_path):
    (tmp_path / "a").write_text("old")
    with ExitStack() as stack:
        stack.enter_context(pytest.raises(OSError, match="full"))
        part = stack.enter_context(replacing_in(tmp_path))
        (part / "a").write_text("new")
        raise OSError("full")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"
    with replacing_in(tmp_path) as part:
        (part / "a").write_text("new")
        (part / "b").write_text("new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
    assert (tmp_path / "a").read_text() == "new"


@needs_root
@pytest.mark.parametrize(("option", "found"), [("size=64k", "No space left"), ("ro", "Read-only")])
def test_a_full_or_read_only_disk_is_one_line(alloys, tmp_path, option, found):
    disk = tmp_path / "disk"
    disk.mkdir()
    words = [*COMMAND, "evaluate", alloys, "--dataset", "alloy_300K_narrow", "--out", disk / "o"]
    steps = (
        f'mount -t tmpfs -o {option} none "$0"; "$@"; code=$?; find "$0" -type f >&2; exit $code'
    )
    namespace = ["unshare", "--mount", "--propagation", "private"]
    run = [*namespace, "sh", "-c", steps, disk, *words]
    result = subprocess.run(run, capture_output=True)
    is_one_line(result, found)  # and no file: all of them, or none
    # What is only found when the files are written comes after the numbers.
    assert (b"d_cluster" in result.stdout) == (option != "ro")


def test_results_go_into_a_folder_with_other_files_and_beside_the_structures(alloys, tmp_path):
    shutil.copy(alloys, tmp_path / "mine.extxyz")
    (tmp_path / "notes.txt").write_text("kept")
    for _ in range(2):
        result = evaluate(tmp_path / "mine.extxyz", "--out", tmp_path)
        assert result.returncode == 0, result.stderr
    names = ["fates.parquet", "metrics.json", "metrics.parquet", "mine.extxyz", "notes.txt",
             "report.html", "structures.html"]  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_results_do_not_go_among_the_structures_of_a_folder(alloys, tmp_path):
    shutil.copy(alloys, tmp_path / "mine.extxyz")
    is_one_line(evaluate(tmp_path, "--out", tmp_path), "expected another folder")


def test_a_place_of_a_result_that_is_a_folder_is_one_line(alloys, tmp_path):
    (tmp_path / "out" / "metrics.json").mkdir(parents=True)
    result = evaluate(alloys, "--out", tmp_path / "out")
    is_one_line(result, "metrics.json")
    assert b"d_cluster" in result.stdout


@pytest.mark.parametrize("words", [[], ["--model", NOT_UTF8]], ids=["paths", "model"])
def test_names_that_are_not_utf8_are_shown_escaped(alloys, tmp_path, words):
    file, out = tmp_path / f"{NOT_UTF8}.extxyz", tmp_path / NOT_UTF8 / "out"
    shutil.copy(alloys, file)
    result = evaluate(file, "--out", out, *words)
    assert result.returncode == 0, result.stderr.decode()
    expected = r"sm\xf8rrebr\xf8d" + ("" if words else ".extxyz")
    assert json.loads((out / "metrics.json").read_text())["model"] == expected
    assert set(read_table(out / "metrics.parquet")["model"]) == {expected}
    assert expected in result.stdout.decode()
    (out / "mine2").symlink_to(out)
    compared = dismai("compare", out, out / "mine2")
    assert b"Traceback" not in compared.stderr
    missing = evaluate(tmp_path / f"{NOT_UTF8}.none")
    is_one_line(missing, r"sm\xf8rrebr\xf8d.none: expected a file")
    assert dismai("describe", file).returncode == 0


def test_names_are_printable_and_stay_apart():
    assert printable_name("Kügelchen, 球") == "Kügelchen, 球"
    assert printable_name(os.fsdecode(b"\xf8")) != printable_name(os.fsdecode(b"\xf9"))
    printable_name(NOT_UTF8).encode("utf-8")
    assert printable_name("two\nlines, \x1b[31mred") == r"two\nlines, \x1b[31mred"


@pytest.mark.parametrize("command", ["describe", "evaluate", "validate", "compare"])
@pytest.mark.parametrize("kind", ["long", "loop", "below a file"])
def test_paths_that_cannot_be_read_are_one_line(tmp_path, command, kind):
    path = out_that_cannot_be(kind, tmp_path)
    words = ("--dataset", "amorphous_si") if command == "evaluate" else ()
    result = dismai(command, path, *words)
    assert result.returncode == 2
    assert b"Traceback" not in result.stderr
    assert len((result.stdout + result.stderr).splitlines()) <= 2


def test_a_reader_who_leaves_ends_it_without_a_traceback_and_files_are_written(alloys, tmp_path):
    read, write = os.pipe()
    os.close(read)
    result = subprocess.run(
        [*COMMAND, "evaluate", alloys, "--dataset", "alloy_300K_narrow", "--out", tmp_path / "o"],
        stdout=write,
        stderr=subprocess.PIPE,
    )
    os.close(write)
    assert result.stderr == b""
    assert result.returncode != 0
    assert (tmp_path / "o" / "metrics.json").exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_one_line(alloys):
    with open("/dev/full", "wb") as full:
        result = subprocess.run(
            [*COMMAND, "evaluate", alloys, "--dataset", "alloy_300K_narrow"],
            stdout=full,
            stderr=subprocess.PIPE,
        )
    is_one_line(result, "expected room for the results")


@pytest.mark.parametrize(
    ("number", "code", "whole_group"),
    [(signal.SIGINT, 130, True), (signal.SIGTERM, 143, True), (signal.SIGTERM, 143, False)],
)
def test_signals_end_it_and_its_processes_in_silence(tmp_path, number, code, whole_group):
    blocks = slice_blocks(read_bulk(resource("asi_100k.npz")), n_blocks=24, seed=1) * 20
    write_structures(blocks, tmp_path / "many.extxyz")
    words = ["evaluate", tmp_path / "many.extxyz", "--dataset", "amorphous_si", "--jobs", "2"]
    process = subprocess.Popen(
        [*COMMAND, *words],
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # tests that run in the background of a shell inherit that it is ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120
    while len(members(process.pid)) < 5:  # forkserver, resource tracker, two workers
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1.0)
    (os.killpg if whole_group else os.kill)(process.pid, number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code, said.decode()
    assert said == b""
    while members(process.pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def members(group):
    """Processes of a process group that are alive."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as stream:
                    state, _, its_group = stream.read().rpartition(")")[2].split()[:3]
            except OSError:
                continue
            if int(its_group) == group and state not in ("Z", "X"):
                found.append(int(name))
    return found


def test_a_wrong_word_suggests_the_right_one(alloys):
    words = [
        (("--dataset", "alloy_300k_narow"), "did you mean alloy_300K_narrow?"),
        (("--dataset", "amorphous_si", "--relax", "chgnt"), "did you mean chgnet?"),
    ]
    for options, expected in words:
        is_one_line(dismai("evaluate", alloys, *options), expected)


def test_requests_are_checked_before_anything_heavy_is_imported(alloys, tmp_path):
    code = """
import sys
from pathlib import Path
from dismai.errors import InputError
from dismai.evaluation.early import check_request
wrong = [
    dict(dataset="alloy"),
    dict(dataset="alloy_300K_wide", relax="sw"),
    dict(dataset="amorphous_si", relax="sv"),
    dict(dataset="mine", reference=Path("nowhere")),
]
for request in wrong:
    try:
        check_request([Path(sys.argv[1])], **request)
    except InputError:
        continue
    raise SystemExit(f"accepted {request}")
heavy = {"torch", "ase", "pandas", "numba", "pyarrow", "scipy", "matplotlib"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code, str(alloys)], check=True)
    is_one_line(evaluate(alloys, "--n-generated", "2"), "at most --n-generated 2", "found 3")


def test_help_lists_the_datasets_and_shows_examples(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "dumb")
    text = dismai("evaluate", "--help").stdout.decode()
    for name in ("alloy_300K_narrow", "alloy_1500K_wide", "amorphous_si", "interface"):
        assert name in text
    assert "dismai evaluate mine.extxyz --dataset" in text
    assert "dismai compare" in dismai("compare", "--help").stdout.decode()


def test_completion_knows_the_datasets():
    words = {"COMP_WORDS": "dismai evaluate x --dataset alloy_15", "COMP_CWORD": "4"}
    asked = {**os.environ, **words, "_DISMAI_COMPLETE": "complete_bash"}
    code = "import sys; sys.argv[0] = 'dismai'; from dismai.cli import main; main()"
    result = subprocess.run([sys.executable, "-c", code], env=asked, capture_output=True, text=True)
    assert result.stdout.split() == ["alloy_1500K_narrow", "alloy_1500K_wide"]


def test_the_version_and_what_there_is_can_be_asked_for():
    from dismai import __version__
    from dismai.models import names

    assert dismai("--version").stdout.decode() == f"dismai {__version__}\n"
    assert dismai("models").stdout.decode().split() == names()
    listed = dismai("datasets").stdout.decode()
    assert "amorphous_si" in listed
    assert "Si256" in listed
