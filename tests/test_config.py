"""The configuration: what is accepted, and one line for what is not."""

import copy
import json
import subprocess
import sys

import pytest
import yaml

from dismai.config import Config, load, n_generated, run_table, validate
from dismai.config_docs import documentation
from dismai.errors import InputError


@pytest.fixture(scope="module")
def paper(root):
    return yaml.safe_load((root / "config" / "config.yaml").read_text())


def changed(data, place, value):
    data = copy.deepcopy(data)
    section = data
    *parents, last = place.split(".")
    for key in parents:
        section = section.setdefault(key, {}) if isinstance(section, dict) else section[int(key)]
    if isinstance(section, list):
        section[int(last)] = value
    else:
        section[last] = value
    return data


@pytest.mark.parametrize(
    "overlay",
    [
        "config/demo.yaml",
        "config/mini.yaml",
        "config/interface_small.yaml",
        "tests/config/tiny.yaml",
    ],
)
def test_every_overlay_is_valid(root, overlay):
    config = load(str(root / "config" / "config.yaml"), str(root / overlay))
    assert config.run in overlay


def test_the_paper_configuration_has_the_papers_sizes(paper):
    config = validate(paper)
    assert (config.alloy.n_runs, config.alloy.n_passes, config.alloy.interval) == (10, 50_000, 10)
    assert sum(config.alloy.composition.values()) == 256
    assert {dataset.n_structures for dataset in config.datasets.values()} == {1500}
    runs = run_table(config)
    trained = [run for run in runs if run.kind == "trained"]
    pairs = sum(len(selection.datasets) * len(selection.models) for selection in config.runs)
    assert len(trained) == 3 * pairs  # three seeds
    assert {n_generated(config, run) for run in trained} == {1000}
    held_out = [run for run in runs if run.model == "held_out"]
    assert {n_generated(config, run) for run in held_out} == {300}


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("sed", 1, "sed: expected one of the keys alloy, amorphous_si, .*, found 'sed'"),
        ("alloy.n_pass", 1, "alloy.n_pass: expected one of the keys burn_in_passes, .*n_passes"),
        ("alloy.n_passes", "many", "alloy.n_passes: expected a valid integer, found 'many'"),
        ("alloy.n_runs", 0, "alloy.n_runs: expected greater than or equal to 1, found 0"),
        ("alloy.engine", "atat", "alloy.engine: expected 'numba' or 'icet', found 'atat'"),
        ("alloy.composition", {"Cr": 51, "Fe": 154, "Ni": 50},
         "alloy.composition: expected positive counts that sum to 256 sites, found 51 \\+"),
        ("alloy.supercell", [1, 4, 4], "alloy.supercell: expected at least 2 cells"),
        ("datasets.alloy_300K_narrow.temperature_K", -300,
         "datasets.alloy_300K_narrow.temperature_K: expected greater than 0, found -300"),
        ("datasets.alloy_300K_narrow.temprature", 3,
         "datasets.alloy_300K_narrow.temprature: expected one of the keys kind, n_structures"),
        ("datasets.alloy_300K_narrow.selection", "tight",
         "selection: expected 'narrow' or 'wide', found 'tight'"),
        ("models.cryingan.architecture", "crygan",
         "models.cryingan.architecture: expected one of .*cryingan.*, found 'crygan'"),
        ("models.cryingan.params.epoch", 5, "models.cryingan.params: cryingan: epoch: expected"),
        ("models.cryingan.params.epochs", "x", "cryingan: epochs: expected a valid integer"),
        ("models.cryingan.dataset_params.alloy", {}, "dataset_params: expected one of alloy_300K"),
        ("datasets.amorphous_si.potential", "eam",
         "datasets.amorphous_si.potential: expected one of sw_si, .*found 'eam'"),
        ("datasets.amorphous_si.source", "set.zip",
         "datasets.amorphous_si.source: expected a sha256 beside it, found none for 'set.zip'"),
        ("datasets.amorphous_si.kind", "glass",
         "datasets.amorphous_si.kind: expected alloy, amorphous_si, .*found 'glass'"),
        ("datasets.amorphous_si.n_atoms", 4,
         "datasets.amorphous_si.n_atoms: expected greater than or equal to 8, found 4"),
        ("amorphous_si.source", "melt_quench",
         "amorphous_si.source: expected a file with a sha256, or melt_quench without, found "),
        ("amorphous_si.sha256", None, "amorphous_si.source: expected a file with a sha256"),
        ("amorphous_si.melt_quench.stages", [],
         "amorphous_si.melt_quench.stages: expected List should have at least 1 item"),
        ("models.mine", {"kind": "file"}, "models.mine.path: expected a value, found none"),
        ("models.mine", {"kind": "file", "path": "a", "n": 1}, "models.mine.n: expected one of"),
        ("models.held_out", {"architecture": "cryingan"}, "found that of a baseline"),
        ("models.a/b", {"architecture": "cryingan"}, "expected letters, digits"),
        ("runs.0.datasets", ["glass"],
         "runs.0.datasets: expected one of alloy_300K_narrow, .*, found 'glass'"),
        ("runs.0.models", ["vae"], "runs.0.models: expected one of cryingan, .*, found 'vae'"),
        ("potentials.x", {"kind": "eam"}, "potentials.x.kind: expected gap, sw, .*, found 'eam'"),
        ("potentials.x", {}, "potentials.x.kind: expected a value, found none"),
        ("potentials.x", {"kind": "gap"}, "potentials.x.file: expected either file or fit"),
        ("potentials.x", {"kind": "gap", "fit": {"labels": "gap_si"}},
         "potentials.x.fit.labels: expected a potential that is not fitted .*sw_si.*'gap_si'"),
        ("potentials.gap_si.fit.n_train", [9, 3], "fit.n_train: expected ascending positive"),
        ("potentials.gap_si.fit.n_atoms", 12, "potentials.gap_si.fit.n_atoms: expected a multiple"),
        ("potentials.x", {"kind": "sw", "a": 1}, "potentials.x.a: expected one of the keys .*kind"),
        ("potentials.a-b", {"kind": "sw"}, "potentials.a-b: expected letters, digits"),
        ("relaxation.fmax_eV_per_A", 0, "relaxation.fmax_eV_per_A: expected greater than 0"),
        ("relaxation.optimizer", "cg", "relaxation.optimizer: expected 'scipy_cg', 'fire' or"),
        ("run", "a b", "run: expected"),
        ("shards", None, "shards: expected a valid integer, found None"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_one_line(paper, place, value, message):
    with pytest.raises(InputError, match=message) as error:
        validate(changed(paper, place, value))
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("configuration: ")


def test_a_model_of_kind_file_is_a_run(paper):
    data = changed(
        paper, "models.mine", {"kind": "file", "path": "x/{dataset}.xyz", "n_generated": 7}
    )
    data["runs"].append({"datasets": ["alloy_300K_wide"], "models": ["mine"], "seeds": [0]})
    config = validate(data)
    (run,) = [run for run in run_table(config) if run.model == "mine"]
    assert (run.kind, n_generated(config, run)) == ("file", 7)


def test_a_model_with_other_parameters_is_another_entry(paper):
    entry = {
        "architecture": "cryingan",
        "dataset_params": {"alloy_300K_wide": {"lambda_distance": 0}},
    }
    config = validate(changed(paper, "models.cryingan_single", entry))
    assert config.models["cryingan_single"].hparams("alloy_300K_wide") == {"lambda_distance": 0}
    assert config.models["cryingan_single"].hparams("alloy_300K_narrow") == {}


def test_the_schema_for_editors_is_in_step(root):
    written = json.loads((root / "config" / "schema.json").read_text())
    assert written == json.loads(json.dumps(Config.model_json_schema()))


def test_the_snakefile_imports_nothing_heavy():
    code = (
        "import sys, dismai.config, dismai.versions, dismai.errors;"
        "from dismai.config import load; load('config/config.yaml');"
        "heavy = {'torch', 'ase', 'pymatgen', 'numba', 'lightning'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_documentation_is_in_step(root):
    assert (root / "docs" / "configuration.md").read_text() == documentation()
