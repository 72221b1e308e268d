"""Architectures by name, and hyperparameters that are checked before anything is imported."""

import subprocess
import sys
from pathlib import Path

import pytest

import dismai.models
from dismai.base.errors import InputError
from tests.makers import alloy_spec


def test_names():
    assert "cryingan" in dismai.models.names()


def test_every_package_of_an_architecture_is_listed_under_the_name_of_its_class():
    folder = Path(dismai.models.__file__).parent
    packages = {path.parent.name for path in folder.glob("*/hparams.py")}
    assert packages == set(dismai.models.OURS) <= set(dismai.models.names())
    for name in packages:
        dataset = "crystals" if name.startswith("crystal_") else "alloy_300K_wide"
        model = dismai.models.create(name, dismai.models.paper_spec(dataset))
        assert (model.architecture, type(model).__name__) == (name, dismai.models.OURS[name])


def test_checking_hyperparameters_imports_nothing_heavy():
    code = """
import sys
import dismai.models
dismai.models.check_hparams("cryingan", {"batch": 4})
heavy = {"torch", "ase", "pymatgen", "lightning", "scipy"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else 0)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_defaults_are_resolved_for_the_dataset():
    alloy = dismai.models.create("cryingan", alloy_spec()).hparams
    interface = dismai.models.create("cryingan", dismai.models.paper_spec("interface")).hparams
    assert (alloy.lambda_distance, alloy.epochs) == (0.1, 1500)
    assert (interface.lambda_distance, interface.epochs) == (0.05, 100_000)


@pytest.mark.parametrize("name", sorted(dismai.models.OURS))
def test_what_only_sampling_reads_are_hyperparameters(name):
    fields = dismai.models.check_hparams(name, {}).model_dump()
    assert set(type(dismai.models.check_hparams(name, {})).SAMPLING) <= set(fields)
    assert "batch" not in dismai.models.sampling_params(name, fields)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"learing_rate": 1}, "learing_rate: expected a known hyperparameter .learning_rate."),
        ({"batch": "many"}, "batch: expected a valid integer.*found 'many'"),
        ({"batch": 0}, "batch: expected greater than or equal to 1, found 0"),
        ({"coordinate_pooling": "sum"}, "coordinate_pooling: expected 'average', 'max' or 'mix'"),
        ({"generator_channels": [64, "x"]}, "generator_channels.1: expected a valid integer"),
    ],
)
def test_a_wrong_hyperparameter_is_one_line(params, message):
    with pytest.raises(InputError, match=message) as caught:
        dismai.models.create("cryingan", alloy_spec(), **params)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("cryingan: ")


@pytest.mark.parametrize(
    ("former", "new"),
    [("clip_value", "gradient_clip"), ("learning_rate_min", "lowest_learning_rate")],
)
def test_a_renamed_hyperparameter_is_told_its_new_name(former, new):
    with pytest.raises(InputError, match=f"cdvae: {former}: expected its new name, {new}, found"):
        dismai.models.check_hparams("cdvae", {former: 0.5})


def test_architectures_share_names_bounds_and_meanings_of_training_settings():
    """One name means one thing: bounds and, where it is not refined, the description."""
    fields = {
        name: type(dismai.models.check_hparams(name, {})).model_fields
        for name in ("cdvae", "cryingan", "crystens", "diffcsp", "unimat")
    }
    for name in ("batch", "learning_rate", "checkpoint_every"):
        described = {(fields[model][name].description, str(fields[model][name].metadata))
                     for model in fields}  # fmt: skip
        assert len(described) == 1, name
    for former in ("clip_value", "learning_rate_min"):
        assert all(former not in known for known in fields.values())


def test_an_unknown_architecture_is_one_line():
    for call in (
        lambda: dismai.models.create("cryingham", alloy_spec()),
        lambda: dismai.models.check_hparams("cryingham", {}),
        lambda: dismai.models.parameter_count("cryingham", "interface"),
    ):
        with pytest.raises(InputError, match="architecture: expected one of .*, found 'cryingham'"):
            call()


def test_an_unknown_dataset_is_one_line():
    with pytest.raises(InputError, match="dataset: expected one of alloy_300K_narrow, .*'steel'"):
        dismai.models.parameter_count("cryingan", "steel")


def test_a_model_file_that_is_a_pickle_is_refused(tmp_path):
    import torch

    path = tmp_path / "model.safetensors"
    torch.save({"architecture": "cryingan"}, path)
    with pytest.raises(InputError, match="expected a safetensors file"):
        dismai.models.load(path)
    with pytest.raises(InputError, match="found no such file"):
        dismai.models.load(tmp_path / "nothing.safetensors")
