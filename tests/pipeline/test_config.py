"""The configuration: what is accepted, and one line for what is not."""

import copy
import json
import subprocess
import sys
from importlib import import_module
from typing import Annotated, Literal, get_args, get_origin

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from dismai.base.errors import InputError
from dismai.models import OURS
from dismai.pipeline.config import Config, load, n_generated, run_table, validate
from dismai.pipeline.config_docs import documentation, hyperparameters, places_of_sections


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
        "config/interface_paper_cell.yaml",
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
         "datasets.alloy_300K_narrow.temprature: expected one of the keys kind, member"),
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
        ("datasets.amorphous_si.source", 5,
         "datasets.amorphous_si.source: expected a path, a URL, or train and val, found 5"),
        ("datasets.alloy_300K_wide.source", {"train": {"path": "a.zip", "sha256": "0" * 64}},
         "datasets.alloy_300K_wide.source.val: expected a value, found none"),
        ("datasets.alloy_300K_wide.source", {"train": {"path": "a.zip"}},
         "datasets.alloy_300K_wide.source.train.sha256: expected a value, found none"),
        ("datasets.alloy_300K_wide.source",
         {part: {"path": "a.zip", "sha256": "0" * 64, "file": "b"} for part in ("train", "val")},
         "alloy_300K_wide.source.train.file: expected one of the keys member, path, sha256, found"),
        ("datasets.alloy_300K_wide.member", "a",
         "datasets.alloy_300K_wide.member: expected none without a source, found 'a'"),
        ("datasets.interface.potential", None,
         "datasets.interface.potential: expected a name under potentials, found none; only a rea"),
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
        *((f"datasets.{name}.validation_share", 1e-4,
           f"datasets.{name}.validation_share: expected training and held-out .*, found 0 held out")
          for name in ("alloy_300K_wide", "amorphous_si", "interface")),
        ("datasets.crystals", {"kind": "crystals", "n_structures": 4, "source": "x",
                               "validation_share": 0.9},
         "datasets.crystals.validation_share: expected training .*, found 4 held out of 4"),
        ("models.mine", {"kind": "file", "path": ""}, "models.mine.path: expected String should"),
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
        ("potentials.engine", {"kind": "sw"},
         "potentials.engine: expected another name, found that of the engine of dft"),
        ("potentials.gap_si.fit.labels", "engin",
         r"or engine, found 'engin' \(did you mean engine"),
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


def test_a_property_that_crystals_do_not_have_is_one_line(paper):
    with pytest.raises(InputError) as caught:
        validate(changed(paper, "properties.gap", {"kind": "cgcnn", "file": "gap.safetensors"}))
    assert str(caught.value).startswith("configuration: properties.gap: expected one of formation_")
    validate(changed(paper, "properties.band_gap", {"kind": "cgcnn", "file": "gap.safetensors"}))


def test_the_schema_for_editors_is_in_step(root):
    written = json.loads((root / "config" / "schema.json").read_text())
    assert written == json.loads(json.dumps(Config.model_json_schema()))


def test_the_snakefile_imports_nothing_heavy():
    code = (
        "import sys, dismai.pipeline.config, dismai.base.versions, dismai.base.errors;"
        "from dismai.pipeline.config import load; load('config/config.yaml');"
        "heavy = {'torch', 'ase', 'pymatgen', 'numba', 'lightning'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_documentation_is_in_step(root):
    assert (root / "docs" / "configuration.md").read_text() == documentation()


def every_section():
    """Sections by an independent way: the definitions of the schema, and the hyperparameters."""
    found = {"Config": Config.model_json_schema()}
    found |= Config.model_json_schema()["$defs"]
    for name in OURS:
        module = import_module(f"dismai.models.{name}.hparams")
        found[name] = module.Hparams.model_json_schema()
    return found


def test_every_key_of_every_section_has_its_row_in_the_documentation():
    parts = documentation().split("\n## ")
    missing = []
    for name, section in every_section().items():
        summary = section["description"].splitlines()[0]
        own = [part for part in parts if part.split("\n\n")[1].startswith(summary)]
        missing += [f"{name}.{key}" for key in section["properties"]
                    if not any(f"\n| `{key}` |" in part for part in own)]  # fmt: skip
    assert not missing
    assert len(every_section()) >= 30


def test_every_row_of_the_documentation_has_a_meaning():
    rows = [line for line in documentation().splitlines() if line.startswith("| `")]
    assert len(rows) > 250
    assert not [row for row in rows if row.endswith("|  |")]


def integer_fields():
    """All fields of integers, with a negative value in each integer's place."""
    sections = [*places_of_sections(), *hyperparameters().values()]
    for section in sections:
        for name, field in section.model_fields.items():
            negative = negatives(field.annotation)
            if negative is not None and (section.__name__, name) not in CHARGES:
                yield pytest.param(field, negative, id=f"{section.__name__}.{name}")


CHARGES = {("InterfaceGeometry", "oxidation_states")}


def negatives(annotation):
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is int:
        return -1
    if origin is dict:
        inner = negatives(arguments[1])
        return None if inner is None else {"Cr": inner}
    if origin in (list, tuple):
        inner = [negatives(argument) for argument in arguments if argument is not Ellipsis]
        return None if None in inner else inner
    if arguments and origin is not Literal:
        return next((found for found in map(negatives, arguments) if found is not None), None)
    return None


@pytest.mark.parametrize(("field", "value"), list(integer_fields()))
def test_every_integer_is_bounded_below(field, value):
    bounded = TypeAdapter(Annotated[field.annotation, field])
    with pytest.raises(ValidationError):
        bounded.validate_python(value)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("runs.0.seeds", [-1], "runs.0.seeds.0: expected greater than or equal to 0, found -1"),
        ("runs.0.seeds", [0, 1, 0], "runs.0.seeds: expected each once, found 0 twice"),
        ("runs.0.seeds", [1.5], "runs.0.seeds.0: expected a valid integer"),
        ("runs.0.seeds", ["first"], "runs.0.seeds.0: expected a valid integer"),
        ("runs.0.seeds", [2**63], "runs.0.seeds: expected at most"),
        ("runs.0.seeds", 3, "runs.0.seeds: expected a valid list"),
        ("runs.0.models", ["cryingan", "cryingan"], "models: expected each once, found 'cryingan'"),
        ("runs.0.datasets", [], "runs.0.datasets: expected List should have at least 1 item"),
        ("seed", 10**30, "seed: expected at most"),
        ("n_generated", 10**25, "n_generated: expected at most"),
        ("labels.n_plain", -1, "labels.n_plain: expected greater than or equal to 0, found -1"),
        ("relaxation.fmax_eV_per_A", float("inf"), "relaxation.fmax_eV_per_A: expected a finite"),
        ("relaxation.fmax_eV_per_A", float("nan"), "relaxation.fmax_eV_per_A: expected a finite"),
        ("models.cryingan.params.epochs", -3, "cryingan: epochs: expected greater than"),
        ("models", {"a b": {"architecture": "cryingan"}}, "models.a b: expected letters"),
        ("models", {"{seed}": {"architecture": "cryingan"}}, "expected letters, digits and _"),
        ("models", {"a" * 65: {"architecture": "cryingan"}}, "expected letters, digits and _"),
        ("models", {"../a": {"architecture": "cryingan"}}, "expected letters, digits and _"),
        ("datasets.{dataset}", {"kind": "alloy", "temperature_K": 300, "selection": "wide"},
         "expected letters, digits and _"),
        ("run", "../up", "run: expected"),
        ("run", "{seed}", "run: expected"),
        ("run", "a/b", "run: expected"),
        ("run", "r" * 300, "run: expected"),
        ("run", "a\n", "run: expected"),
    ],
)  # fmt: skip
def test_numbers_and_names_that_cannot_be_are_one_line(paper, place, value, message):
    with pytest.raises(InputError, match=message) as error:
        validate(changed(paper, place, value))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("place", "value", "meant"),
    [
        ("n_genrated", 3, "n_generated"),
        ("alloy.n_pases", 3, "n_passes"),
        ("alloy.engine", "nunba", "numba"),
        ("datasets.alloy_300K_wide.selection", "wyde", "wide"),
        ("datasets.amorphous_si.kind", "amorphous_Si", "amorphous_si"),
        ("datasets.amorphous_si.potential", "sw_Si", "sw_si"),
        ("potentials.x", {"kind": "chgnt"}, "chgnet"),
        ("potentials.gap_si.fit.n_sparce", 3, "n_sparse"),
        ("models.cryingan.architecture", "crygan", "cryingan"),
        ("models.cryingan.dataset_params", {"alloy_300K_wyde": {}}, "alloy_300K_wide"),
        ("runs.0.models", ["cryngan"], "cryingan"),
        ("runs.0.datasets", ["alloy_300k_wide"], "alloy_300K_wide"),
    ],
)
def test_a_wrong_word_suggests_the_right_one(paper, place, value, meant):
    with pytest.raises(InputError, match=rf"\(did you mean {meant}\?\)"):
        validate(changed(paper, place, value))


def test_a_wrong_hyperparameter_suggests_the_right_one(paper):
    with pytest.raises(InputError, match=r"epoch: expected a known hyperparameter \(epochs\)"):
        validate(changed(paper, "models.cryingan.params", {"epoch": 3}))
