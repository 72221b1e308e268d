"""Entries of the configuration that are like another one, and the runs of studies."""

import copy
import json

import jsonschema
import pytest
import yaml

from dismai.base.errors import InputError
from dismai.models import sampling_params
from dismai.pipeline.config import Config, run_table, study_runs, validate


@pytest.fixture
def paper(root):
    return yaml.safe_load((root / "config" / "config.yaml").read_text())


def with_variants(data, **models):
    data = copy.deepcopy(data)
    data["models"] |= models
    data["datasets"]["interface_loose"] = {"like": "interface", "n_structures": 20}
    return data


def test_a_variant_has_every_key_that_it_does_not_give_itself(paper):
    paper["models"]["cryingan"]["params"] = {"batch": 8, "lambda_distance": 0.2}
    lighter = {"like": "cryingan", "params": {"lambda_distance": 0.0}}
    config = validate(with_variants(paper, lighter=lighter))
    assert config.models["lighter"].architecture == "cryingan"
    assert config.models["lighter"].hparams("interface") == {"batch": 8, "lambda_distance": 0.0}
    assert config.models["cryingan"].hparams("interface")["lambda_distance"] == 0.2
    assert config.datasets["interface_loose"].n_structures == 20
    assert config.datasets["interface_loose"].potential == config.datasets["interface"].potential


def test_a_ready_made_set_leaves_the_variant_that_the_engine_relaxes_to_be_made(paper):
    paper["datasets"]["interface"] |= {"source": "mine.extxyz", "sha256": "0" * 64}
    config = validate(with_variants(paper))
    assert config.datasets["interface"].source == "mine.extxyz"
    assert config.datasets["interface_loose"].source == "mine.extxyz"
    assert config.datasets["interface_dft"].source is None
    assert config.datasets["interface_dft"].engine_stage is not None


def test_hyperparameters_on_a_dataset_hold_on_its_variants_but_for_their_own(paper):
    paper["models"]["cryingan"]["dataset_params"] = {
        "interface": {"epochs": 5, "batch": 2},
        "interface_loose": {"epochs": 7},
    }
    config = validate(with_variants(paper, lighter={"like": "cryingan"}))
    for name in ("cryingan", "lighter"):
        assert config.models[name].hparams("interface_loose") == {"epochs": 7, "batch": 2}
        assert config.models[name].hparams("interface") == {"epochs": 5, "batch": 2}


def test_what_a_variant_says_for_all_datasets_wins_over_what_its_model_says_of_one(paper):
    paper["models"]["cryingan"]["dataset_params"] = {"interface": {"epochs": 5, "batch": 2}}
    entry = {
        "like": "cryingan",
        "params": {"epochs": 9},
        "dataset_params": {"amorphous_si": {"epochs": 3}},
    }
    model = validate(with_variants(paper, longer=entry)).models["longer"]
    assert model.hparams("interface_loose") == {"epochs": 9, "batch": 2}
    assert model.hparams("amorphous_si") == {"epochs": 3}


def test_a_variant_in_sampling_alone_has_the_hyperparameters_of_its_model(paper):
    paper["models"]["unimat"]["params"] = {"channels": 32, "steps": 40}
    quick = {"weights_of": "unimat", "params": {"steps": 10}}
    models = validate(with_variants(paper, quick=quick)).models
    assert models["quick"].hparams("interface") == {"channels": 32, "steps": 10}
    assert sampling_params("unimat", models["quick"].hparams("interface")) == {"steps": 10}


def test_the_whole_configuration_gives_itself_again(paper):
    quick = {"weights_of": "unimat", "params": {"steps": 10}}
    config = validate(with_variants(paper, lighter={"like": "cryingan"}, quick=quick))
    written = config.model_dump(mode="json")
    assert "like" not in written["models"]["lighter"]
    assert written["models"]["quick"]["weights_of"] == "unimat"
    assert validate(written).model_dump(mode="json") == written


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ({"like": "cryingam"}, "models.mine.like: expected one of .*'cryingam'.*cryingan"),
        ({"like": "mine"}, "models.mine.like: expected one of .*'mine'"),
        (
            {"like": "cryingan", "params": {"lamda": 1}},
            "models.mine.params: cryingan: lamda: expected a known hyperparameter",
        ),
        ({"weights_of": "unimad"}, "models.mine.weights_of: expected one of .*'unimad'.*unimat"),
        (
            {"weights_of": "unimat", "params": {"steps": 9, "channels": 32}},
            "models.mine.params: channels: expected the hyperparameters of unimat .*found 32",
        ),
        (
            {"weights_of": "unimat", "architecture": "cdvae"},
            "models.mine.architecture: expected unimat, that of unimat, found cdvae",
        ),
        ({"like": "cryingan", "parms": {}}, "models.mine.parms: expected one of the keys .*like"),
        ({}, "models.mine.architecture: expected a value, found none"),
    ],
)
def test_a_wrong_variant_is_one_line(paper, entry, line):
    with pytest.raises(InputError, match=line):
        validate(with_variants(paper, mine=entry))


def test_editors_take_a_variant_and_still_want_the_keys_of_others(paper):
    def errors(data):
        whole = json.loads(json.dumps(data))
        return list(jsonschema.Draft202012Validator(Config.model_json_schema()).iter_errors(whole))

    quick = {"weights_of": "unimat"}
    assert not errors(with_variants(paper, lighter={"like": "cryingan"}, quick=quick))
    assert errors(with_variants(paper, lighter={}))
    del paper["datasets"]["interface"]["potential"]
    assert errors(paper)


def test_runs_of_a_study_are_none_of_the_tables_and_have_no_baselines(paper):
    selection = {"datasets": ["interface"], "models": ["lighter", "cryingan"], "seeds": [0, 1]}
    data = with_variants(paper, lighter={"like": "cryingan"})
    tables = run_table(validate(data))
    data["studies"] = {"gan": [selection, selection]}
    config = validate(data)
    assert run_table(config) == tables
    runs = study_runs(config)["gan"]
    assert [(run.model, run.seed) for run in runs] == [
        *(("lighter", seed) for seed in (0, 1)),
        *(("cryingan", seed) for seed in (0, 1)),
    ]
    assert {run.kind for run in runs} == {"trained"}


@pytest.mark.parametrize(
    ("models", "datasets", "line"),
    [
        (["mine"], ["interface"], r"0\.models: expected models that the workflow trains.*'mine'"),
        (["gan"], ["mp20"], r"0\.datasets: expected datasets of one composition, found 'mp20'"),
    ],
)
def test_ablations_are_of_trained_models_on_one_composition(paper, models, datasets, line):
    paper["models"]["mine"] = {"kind": "file", "path": "mine.extxyz"}
    paper["models"]["gan"] = {"architecture": "crystal_gan"}
    paper["datasets"]["mp20"] = {"kind": "crystals", "source": "crystals"}
    paper["studies"]["ablation"] = [{"datasets": datasets, "models": models, "seeds": [0]}]
    with pytest.raises(InputError, match=rf"studies\.ablation\.{line}"):
        validate(paper)


def test_a_study_of_an_unknown_model_is_one_line(paper):
    paper["studies"] = {"gan": [{"datasets": ["interface"], "models": ["gan"], "seeds": [0]}]}
    with pytest.raises(InputError, match=r"studies\.gan\.0\.models: expected one of .*'gan'"):
        validate(paper)


@pytest.mark.parametrize(
    ("study", "dataset", "model", "line"),
    [
        ("gan", "interface", "melt", r"gan\.0\.models: expected models of architecture cryingan"),
        ("interface", "interface", "gan_close", "datasets: expected datasets with an engine_stage"),
    ],
)
def test_a_study_says_what_it_needs(paper, study, dataset, model, line):
    paper["studies"] = {study: [{"datasets": [dataset], "models": [model], "seeds": [0]}]}
    with pytest.raises(InputError, match=line):
        validate(paper)
