"""A library of stub POTCAR files and a fake VASP."""

import stat
import sys

import pytest

from dismai.dft import vasp_program
from dismai.dft.potcar import VARIABLE
from tests.dft.install import install_library, install_stand_in


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Stubs: the title and the number of valence electrons, nothing of a real potential."""
    root = install_library(tmp_path / "potentials")
    monkeypatch.setenv(VARIABLE, str(root))
    return root


@pytest.fixture
def fake_vasp(tmp_path, monkeypatch):
    """A program of that name which copies one file a call into its folder, in order."""
    folder = tmp_path / "bin"
    answers = tmp_path / "answers"
    folder.mkdir()
    answers.mkdir()
    program = folder / "vasp_gam"
    program.write_text(
        f"#!{sys.executable}\n"
        "import pathlib, shutil\n"
        f"answer = sorted(pathlib.Path({str(answers)!r}).iterdir())[0]\n"
        "shutil.move(answer, 'vasprun.xml')\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return answers


@pytest.fixture
def stand_in(library, tmp_path, monkeypatch):
    """The stand-in on the PATH; returns a function that gives the calls so far, one list each."""
    install_stand_in(tmp_path / "programs")
    monkeypatch.setattr(vasp_program, "POLLING_S", 0.05)
    monkeypatch.setenv("PATH", str(tmp_path / "programs"), prepend=":")
    calls = tmp_path / "calls"
    monkeypatch.setenv("STAND_IN_CALLS", str(calls))
    monkeypatch.setenv("STAND_IN_DIES", str(tmp_path / "dies"))
    return lambda: [line.split() for line in calls.read_text().splitlines()]
