"""What makes a potential: a change of any file that its entry leads to is another potential."""

import json
import os
import sys
from importlib.metadata import packages_distributions

import numpy as np
import pytest
import torch
from ase.build import bulk

from dismai.base.errors import InputError
from dismai.potentials import (
    check_entry,
    entry_from_word,
    load,
    name_of,
    packages,
    potential_digest,
)
from dismai.potentials.files import distributions
from dismai.potentials.m3gnet.network import build, save
from dismai.potentials.m3gnet.settings import M3gnet
from dismai.potentials.resumable import Relaxer, relax_resumably
from dismai.potentials.settings import RelaxationSettings

FACTORY = """
from pathlib import Path
from ase.calculators.lj import LennardJones

def make(**arguments):
    from helper import strength
    return LennardJones(sigma=2.1, rc=3.0, epsilon=strength(arguments))
"""
HELPER = """
from pathlib import Path

def strength(arguments):
    return float(Path(__file__).with_name("constants.txt").read_text())
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a factory of one's own, from which the command is run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    (tmp_path / "lj_factory.py").write_text(FACTORY)
    (tmp_path / "helper.py").write_text(HELPER)
    (tmp_path / "constants.txt").write_text("0.1")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "a.bin").write_bytes(b"\x80\x00")
    (tmp_path / "model.txt").write_text("1.0")
    (tmp_path / "outer.yaml").write_text("weights: inner.yaml")
    (tmp_path / "inner.yaml").write_text("{file: 'deep.pt', scale: 2}")
    (tmp_path / "deep.pt").write_bytes(b"\x80\x01")
    (tmp_path / "Ni.eam").write_text("1 2 3")
    return tmp_path


def ase_entry(**params):
    return check_entry({"kind": "ase", "calculator": "lj_factory:make", "params": params})


ALL = {
    "model": "model.txt",
    "nested": [{"config": "outer.yaml"}],
    "folder": "weights",
    "commands": ["pair_style eam/alloy", "pair_coeff * * Ni.eam Ni"],
}


@pytest.mark.parametrize(
    "file",
    ["model.txt", "outer.yaml", "inner.yaml", "deep.pt", "weights/a.bin", "Ni.eam"]
    + ["lj_factory.py", "helper.py", "constants.txt"],
)
def test_a_changed_file_anywhere_below_an_entry_is_another_potential(place, file):
    before = potential_digest(ase_entry(**ALL))
    assert potential_digest(ase_entry(**ALL)) == before
    changed = place / file
    changed.write_bytes(changed.read_bytes() + b"\n# other")
    assert potential_digest(ase_entry(**ALL)) != before


def test_a_new_file_in_a_folder_is_another_potential(place):
    before = potential_digest(ase_entry(**ALL))
    (place / "weights" / "b.bin").write_bytes(b"1")
    assert potential_digest(ase_entry(**ALL)) != before


def test_files_that_nothing_names_and_outputs_change_nothing(place):
    entry = ase_entry(**ALL, directory="run", txt="log.txt", x="", dot=".", long="a b" * 3000)
    before = potential_digest(entry)
    (place / "other.txt").write_text("not named")
    (place / "run").mkdir()
    (place / "run" / "output").write_text("1")
    (place / "log.txt").write_text("1")
    assert potential_digest(entry) == before


def test_a_module_in_a_package_counts_with_what_it_imports(place):
    package = place / "mine"
    package.mkdir()
    for name, text in {
        "__init__": "A = 1\n",
        "calculator": "from . import inner\nfrom .other import B\n",
        "inner": "C = 1\n",
        "other": "B = 1\n",
    }.items():
        (package / f"{name}.py").write_text(text)
    entry = check_entry({"kind": "ase", "calculator": "mine.calculator:make"})
    seen = {potential_digest(entry)}
    for name in ("__init__", "calculator", "inner", "other"):
        file = package / f"{name}.py"
        file.write_text(file.read_text() + "D = 2\n")
        seen.add(potential_digest(entry))
    assert len(seen) == 5


def test_installed_packages_count_by_their_version(monkeypatch):
    emt = check_entry({"kind": "ase", "calculator": "ase.calculators.emt:EMT"})
    assert packages(emt)["ase"]
    for entry in ({"kind": "chgnet"}, {"kind": "sw"}, emt.model_dump()):
        relaxers = []
        for number in ("1.0", "2.0"):
            monkeypatch.setattr("dismai.potentials.version", lambda name, number=number: number)
            relaxers.append(Relaxer(check_entry(entry), RelaxationSettings()))
            assert relaxers[-1]._origin["packages"]["ase"] == number
        assert relaxers[0]._name(bulk("Cu")) != relaxers[1]._name(bulk("Cu"))


@pytest.mark.parametrize("module", ["ase", "numpy", "six", "yaml", "scipy", "matgl", "none"])
def test_the_packages_of_a_factory_are_those_that_hold_its_module(module):
    entry = check_entry({"kind": "ase", "calculator": f"{module}.some:Calculator"})
    assert distributions(entry) == sorted(set(packages_distributions().get(module, [])))


def test_a_relaxation_is_made_again_after_a_model_file_was_replaced(place, caplog):
    atoms = bulk("Cu", "fcc", a=3.0, cubic=True)
    atoms.rattle(0.05, seed=1)
    settings = RelaxationSettings(optimizer="fire", max_steps=5, fmax_eV_per_A=1e-4)

    def energy():
        _, table = relax_resumably([atoms], ase_entry(), settings, place / "state")
        return table["energy_eV"].iloc[0]

    first = energy()
    assert "not used" not in caplog.text
    (place / "constants.txt").write_text("0.2")
    second = energy()
    assert "finished relaxations of another potential" in caplog.text
    assert second != first
    (place / "constants.txt").write_text("0.1")
    assert energy() == first
    assert len(list((place / "state").iterdir())) == 2


def test_a_potential_trained_again_under_the_same_name_is_another_one(tmp_path):
    small = M3gnet(units=8, n_blocks=1)
    entry = check_entry({"kind": "m3gnet", "folder": str(tmp_path)})
    digests = []
    for seed in (0, 1):
        path = tmp_path / "model.safetensors"
        save(path, build(["Si"], small, np.zeros(1), 1.0, seed), small)
        (tmp_path / "history.csv").write_text(f"{seed}")
        digests.append(potential_digest(entry))
        as_file = entry.model_copy(update={"folder": str(path)})
        assert potential_digest(as_file) == digests[-1]  # by its folder or its file
        (tmp_path / "history.csv").write_text("a log is no part of it")
        assert potential_digest(entry) == digests[-1]
    assert digests[0] != digests[1]


def test_sparse_files_are_part_of_a_gap(tmp_path):
    text = (
        '<GAP_params label="x"><descriptor>soap species_Z={14}</descriptor>'
        '<gpCoordinates sparseX_filename="x.sparse"/></GAP_params>'
    )
    (tmp_path / "gap.xml").write_text(text)
    (tmp_path / "x.sparse").write_text("1 2")
    entry = check_entry({"kind": "gap", "file": str(tmp_path / "gap.xml")})
    before = potential_digest(entry)
    (tmp_path / "x.sparse").write_text("1 3")
    assert potential_digest(entry) != before


def test_arguments_of_a_yaml_file_start_at_its_folder(place, tmp_path_factory, monkeypatch):
    text = '{kind: ase, calculator: "lj_factory:make", params: {m: model.txt, size: small}}'
    (place / "lj.yaml").write_text(text)
    assert entry_from_word("lj.yaml").params == {"m": "model.txt", "size": "small"}
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    entry = entry_from_word(str(place / "lj.yaml"))
    assert entry.params == {"m": str(place / "model.txt"), "size": "small"}


DAMAGE = {
    "bad.xml": '<GAP_params label="x" gap_version="1"><GAP_data do_core="F"><e0 Z="14" value=".0"/>'
    '</GAP_data><gpSparse label="x" n_coordinate="1"><gpCoordinates label="x1" dimensions="2" '
    'n_permutations="1" n_sparseX="2" covariance_type="2" zeta="4"><theta>1.0</theta><descriptor>'
    "soap cutoff=5.0 l_max=8 n_max=8 atom_sigma=0.5 zeta=4 Z=14 n_species=1 species_Z={14 }"
    "</descriptor></gpCoordinates></gpSparse></GAP_params>",
    "no_gap.xml": "<a/>",
    "empty.xml": "",
    "cut.xml": '<GAP_params label="x"><descr',
    "numbers.xml": "\x00\x01",
}


@pytest.mark.parametrize("file", DAMAGE)
def test_a_gap_that_cannot_be_loaded_is_one_line(tmp_path, file, capfd):
    (tmp_path / file).write_text(DAMAGE[file])
    entry = check_entry({"kind": "gap", "file": str(tmp_path / file)})
    one_line(entry, file, capfd, in_a_process=file == "bad.xml")


def one_line(entry, said, capfd, in_a_process):
    """A potential that cannot be had is one line that names it, and nothing else is printed."""
    relaxer = Relaxer(entry, RelaxationSettings())
    with pytest.raises(InputError, match="expected") as error:
        relaxer.relax(bulk("Si")) if in_a_process else load(entry)
    relaxer.close()
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("damage", ["cut", "no header", "other sizes", "missing", "empty"])
def test_a_damaged_m3gnet_is_one_line(tmp_path, damage, capfd):
    small = M3gnet(units=8, n_blocks=1)
    path = tmp_path / "model.safetensors"
    if damage == "other sizes":
        save(path, build(["Si"], M3gnet(units=16, n_blocks=1), np.zeros(1), 1.0, 0), small)
    elif damage != "missing":
        save(path, build(["Si"], small, np.zeros(1), 1.0, 0), small)
    content = b"" if damage == "missing" else path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "no header":
        torch.save({"a": torch.zeros(1)}, path)
    elif damage == "empty":
        path.write_bytes(b"")
    entry = check_entry({"kind": "m3gnet", "folder": str(tmp_path)})
    one_line(entry, "model.safetensors", capfd, in_a_process=False)


@pytest.mark.parametrize(
    "module",
    [
        "",
        "def make():\n    raise RuntimeError('two\\nlines')",
        "def make():\n    return 3",
        "import os, sys\ndef make():\n    print('x', file=sys.stderr, flush=True)\n    os.abort()",
        "raise KeyError('at import')",
        "this is no Python",
    ],
)
def test_a_factory_that_makes_no_calculator_is_one_line(place, monkeypatch, module, capfd):
    monkeypatch.syspath_prepend(place)
    monkeypatch.delitem(sys.modules, "broken", raising=False)
    (place / "broken.py").write_text(module)
    entry = check_entry({"kind": "ase", "calculator": "broken:make"})
    one_line(entry, name_of(entry), capfd, in_a_process="abort" in module)


def test_an_element_that_an_m3gnet_was_not_trained_on_is_named(tmp_path):
    small = M3gnet(units=8, n_blocks=1)
    save(tmp_path / "model.safetensors", build(["Si"], small, np.zeros(1), 1.0, 0), small)
    entry = check_entry({"kind": "m3gnet", "folder": str(tmp_path)})
    with pytest.raises(InputError, match="expected one for Ge, found one for Si"):
        load(entry, ["Ge", "Si"])


def test_what_a_potential_says_after_loading_is_for_the_log(place, capfd):
    text = FACTORY.replace("    from helper", "    print('while loading')\n    from helper")
    text += """
class Loud(LennardJones):
    def calculate(self, *arguments, **keywords):
        print("while relaxing")
        super().calculate(*arguments, **keywords)
"""
    (place / "lj_factory.py").write_text(text.replace("return LennardJones", "return Loud"))
    relaxer = Relaxer(ase_entry(), RelaxationSettings(max_steps=1))
    relaxer.relax(bulk("Cu", a=3.0))
    relaxer.close()
    said = capfd.readouterr()
    assert said.out == ""
    assert "while relaxing" in said.err
    assert "while loading" not in said.err


def test_kept_results_name_their_origin_and_hold_the_result(tmp_path):
    atoms = bulk("Si")
    relax_resumably([atoms], check_entry({"kind": "sw"}), RelaxationSettings(), tmp_path)
    (kept,) = tmp_path.iterdir()
    content = json.loads(kept.read_text())
    assert len(content["origin"]) == 64
    del content["steps"]
    kept.write_text(json.dumps(content))  # no result without all of its numbers
    _, table = relax_resumably([atoms], check_entry({"kind": "sw"}), RelaxationSettings(), tmp_path)
    assert table["status"].tolist() == ["ok"]
    assert "steps" in json.loads(kept.read_text())
