"""The page on adding a potential, followed to the letter with a toy from this folder."""

import os
import re
import textwrap

import numpy as np
import pytest
import yaml
from ase.build import bulk

from dismai import potentials
from dismai.pipeline.config import validate
from dismai.potentials.resumable import relax_resumably
from dismai.potentials.settings import RelaxationSettings
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "add_a_potential.md").read_text()
SETTINGS = RelaxationSettings(optimizer="fire", max_steps=20)


def block(language):
    """The only block of the page in a language."""
    (text,) = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    return textwrap.dedent(re.sub("^   ", "", text, flags=re.MULTILINE))


@pytest.fixture
def entry(tmp_path, monkeypatch):
    """The entry of the page, its module in a folder that Python and its children look into."""
    (tmp_path / "my_potential.py").write_text(block("python"))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    return yaml.safe_load(block("yaml"))["potentials"]["pairs"]


@pytest.fixture
def argon():
    atoms = bulk("Ar", "fcc", a=3.3, cubic=True)
    atoms.rattle(0.05, seed=1)
    return atoms


def test_the_page_is_short():
    assert PAGE.count("\n") <= 40


def test_its_forces_are_the_derivative_of_its_energy(entry, argon):
    argon.calc = potentials.load(entry)
    force, step = argon.get_forces()[0, 0], 1e-4
    energies = []
    for sign in (1, -1):
        moved = argon.copy()
        moved.positions[0, 0] += sign * step
        moved.calc = argon.calc
        energies.append(moved.get_potential_energy())
    np.testing.assert_allclose(force, (energies[1] - energies[0]) / (2 * step), rtol=1e-5)


def test_structures_relax_in_it_and_what_is_finished_is_taken_over(entry, argon, tmp_path):
    checked = potentials.check_entry(entry)
    _, first = relax_resumably([argon], checked, SETTINGS, tmp_path / "state")
    assert first["status"].tolist() == ["ok"]
    (kept,) = (tmp_path / "state").iterdir()
    time = kept.stat().st_mtime_ns
    _, again = relax_resumably([argon], checked, SETTINGS, tmp_path / "state")
    assert again.equals(first)
    assert kept.stat().st_mtime_ns == time


def test_a_command_takes_it_as_a_file(entry, tmp_path):
    path = tmp_path / "pairs.yaml"
    path.write_text(yaml.safe_dump(entry))
    assert potentials.entry_from_word(str(path)) == potentials.check_entry(entry)


def test_a_dataset_of_the_configuration_relaxes_in_it(entry):
    raw = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    raw["potentials"]["pairs"] = entry
    raw["datasets"]["amorphous_si"]["potential"] = "pairs"
    assert validate(raw).potentials["pairs"].params == {"sigma": 2.1}


@pytest.mark.parametrize(
    "place", ["potentials/settings.py", "potentials/predictions.py", "report/potential.py"]
)
def test_the_files_that_the_page_names_are_there(place):
    assert place in PAGE
    assert (ROOT / "src" / "dismai" / place).exists()
