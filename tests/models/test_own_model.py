"""Models of third parties: found by entry points, checked in one line, saved by the base class."""

import sys
import textwrap

import pandas as pd
import pytest
import yaml

from dismai import models
from dismai.base.errors import InputError
from dismai.models.weights import read_header
from tests.makers import alloy_spec, permuted_alloys

WHOLE = """
import numpy as np
from dismai.models.base import GenerativeModel
from dismai.base.section import Section

class Mine(GenerativeModel):
    def fit(self, train, val, workdir, seed):
        self.x = np.array([atoms.positions for atoms in train])
    def sample(self, n, seed):
        return [self.like(self.x[i % len(self.x)]) for i in range(n)]
    def like(self, x):
        from ase import Atoms
        return Atoms(self.spec.symbols, positions=x, cell=self.spec.cell, pbc=True)
    def tensors(self):
        return {"x": self.x}
    def take_tensors(self, tensors):
        self.x = tensors["x"].numpy()
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Write a module and register its class Mine, as an installed package would."""

    def install(text, group="dismai.models", value="own_package:Mine"):
        (tmp_path / "own_package.py").write_text(textwrap.dedent(text))
        info = tmp_path / "own_package-1.0.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: own-package\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{group}]\nmine = {value}\n")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "own_package", raising=False)
        sys.path_importer_cache.clear()

    return install


def trained(folder):
    model = models.create("mine", alloy_spec())
    structures = permuted_alloys(4)
    models.train(model, structures[:3], structures[3:], folder / "model.safetensors", seed=0)
    return model


def test_a_model_without_hyperparameters_trains_saves_and_comes_back(package, tmp_path):
    package(WHOLE)
    assert "mine" in models.names()
    trained(tmp_path)
    assert (tmp_path / "history.csv").read_text() == "step\n"
    assert yaml.safe_load((tmp_path / "hparams.yaml").read_text()) == {"architecture": "mine"}
    back = models.load(tmp_path / "model.safetensors")
    drawn = models.sample(back, 2, seed=1)
    assert [atoms.get_chemical_symbols() for atoms in drawn] == [alloy_spec().symbols] * 2
    with pytest.raises(InputError, match="mine: width: expected a known hyperparameter"):
        models.check_hparams("mine", {"width": 1})


def test_what_a_model_logs_is_its_history(package, tmp_path):
    package(
        WHOLE.replace("self.x = np.array", "self.log(step=1, loss=2.0)\n        self.x = np.array")
    )
    trained(tmp_path)
    assert pd.read_csv(tmp_path / "history.csv").to_dict("list") == {"step": [1], "loss": [2.0]}


def test_save_and_load_of_its_own_need_the_header_only(package, tmp_path):
    own = (
        WHOLE.split("    def tensors")[0]
        + """
    def save(self, path):
        from dismai.models.weights import write_model
        write_model(path, self, {"x": self.x})
    @classmethod
    def load(cls, path):
        from dismai.models.weights import read_model
        spec, hparams, tensors = read_model(path, "mine")
        model = cls(spec, cls.Hparams(**hparams))
        model.x = tensors["x"].numpy()
        return model
"""
    )
    package(own)
    trained(tmp_path)
    assert read_header(tmp_path / "model.safetensors")["architecture"] == "mine"
    assert len(models.load(tmp_path / "model.safetensors").sample(2, 0)) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (WHOLE.replace("def sample", "def draw"), "mine: own_package:Mine: expected the methods"),
        (WHOLE.replace("def tensors", "def a"), "expected the methods tensors (or save)"),
        (WHOLE.replace("def take_tensors", "def b"), "take_tensors (or load), found none"),
        ("class Mine: pass", "expected a subclass of dismai.models.base.GenerativeModel"),
        ("Mine = 3", "expected a subclass of dismai.models.base.GenerativeModel"),
        ("import nowhere", "mine: expected own_package:Mine to import, found ModuleNotFoundError"),
        ("raise KeyError('two\\nlines')", "mine: expected own_package:Mine to import"),
        ("Other = 1", "mine: expected own_package:Mine to import, found AttributeError"),
        (WHOLE.replace("    def fit", "    Hparams = dict\n    def fit"), "mine: Hparams: expec"),
    ],
)  # fmt: skip
def test_a_class_that_is_no_model_is_one_line(package, text, message):
    package(text)
    for call in (models.create, lambda name, spec: models.check_hparams(name, {})):
        with pytest.raises(InputError) as error:
            call("mine", alloy_spec())
        assert message in str(error.value)
        assert "\n" not in str(error.value)


def saving(lines):
    text = WHOLE.split("    def tensors")[0] + "    def save(self, path):\n"
    return text + textwrap.indent(textwrap.dedent(lines), "        ") + (
        "\n    @classmethod\n    def load(cls, path):\n        return None\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            "pass",
            "mine: save: expected model.safetensors, found no such file; dismai.models.weights",
        ),
        (
            "np.savez(path.open('wb'), x=self.x)",
            "mine: save: model.safetensors: expected a safeten",
        ),
        ("path.write_bytes(b'')", "mine: save: model.safetensors: expected a safetensors file"),
        (
            "from safetensors.numpy import save_file\nsave_file({'x': self.x}, path)",
            "mine: save: model.safetensors: header: expected an entry of dismai, found none",
        ),
        (
            "import torch\nfrom dismai.files.tensors import write_tensors\n"
            "write_tensors(path, {'x': torch.as_tensor(self.x)}, {'mine': 1})",
            "mine: save: model.safetensors: header: expected architecture, hparams, card",
        ),
    ],
)
def test_a_model_file_that_cannot_be_loaded_by_name_is_one_line(package, tmp_path, lines, message):
    package(saving(lines))
    with pytest.raises(InputError) as error:
        trained(tmp_path)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("[]", "mine: sample: expected 2 structures, found 0"),
        ("None", "mine: sample: expected a list, found NoneType"),
        ("[1, 2]", "mine: sample: structure 0: expected ase.Atoms, found int"),
        ("[self.like(self.x[0])] * 3", "mine: sample: expected 2 structures, found 3"),
    ],
)
def test_what_is_no_set_of_structures_is_one_line(package, tmp_path, returned, message):
    start, end = WHOLE.split("return [self.like")[0], WHOLE.split("range(n)]")[1]
    package(f"{start}return {returned}{end}")
    model = trained(tmp_path)
    with pytest.raises(InputError) as error:
        models.sample(model, 2, seed=0)
    assert str(error.value) == message


def test_too_few_structures_are_said_and_left_to_the_evaluation(package, tmp_path, caplog):
    package(WHOLE.replace("range(n)]", "range(n - 1)]"))
    assert len(models.sample(trained(tmp_path), 3, seed=0)) == 2
    assert "mine: sample: expected 3 structures, found 2" in caplog.text
