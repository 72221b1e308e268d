"""The three models of crystals behind their contract: seeds, resuming, files, what they say."""

import importlib
import logging
import subprocess
import sys

import numpy as np
import pytest
import torch
from ase import Atoms

import dismai.models
from dismai.base.card import CrystalSpec
from dismai.base.columns import PUBLISHED_STEPS
from dismai.base.errors import InputError
from dismai.evaluation.self_reports import self_report_scores
from dismai.files.structures import read_set, write_structures
from dismai.models.crystals import model as shared
from dismai.models.crystals.decode import BEFORE_MERGING
from dismai.models.crystals.model import STEPS
from dismai.models.crystals.pictures import SIDE, encode, picture_scales
from dismai.models.crystals.reading import SAID
from tests.makers import common_crystals
from tests.models.conftest import outcome

NARROW = {"width": 1 / 16, "batch": 2, "epochs": 2, "checkpoint_every": 1, "sampling_batch": 2}
SMALL = {
    "crystal_gan": {**NARROW, "learning_rate": 1e-3},
    "crystal_wgan": {**NARROW, "generator_every": 3, "learning_rate": 1e-3},
    "crystal_diffusion": {
        **{f"{stage}_channels": 8 for stage in ("base", "sr")},
        **{f"{stage}_multipliers": (1, 2) for stage in ("base", "sr")},
        **{f"{stage}_blocks": (1, 1) for stage in ("base", "sr")},
        **{f"{stage}_attention": ("none", "full") for stage in ("base", "sr")},
        **{f"{stage}_cross_attention": (False, True) for stage in ("base", "sr")},
        "heads": 2,
        "head_width": 8,
        "norm_groups": 4,
        "batch": 2,
        "base_epochs": 2,
        "sr_epochs": 2,
        "checkpoint_every": 1,
        "steps": 2,
        "sampling_batch": 2,
    },
}
MODULES = {
    "crystal_gan": ("crystal_gan.module", "CrystalGANModule"),
    "crystal_wgan": ("crystal_wgan.module", "CrystalWGANModule"),
    "crystal_diffusion": ("crystens.module", "StageModule"),
}

pytestmark = pytest.mark.usefixtures("one_thread")


def create(name, **changes):
    spec = CrystalSpec(name="crystals", kind="crystals", n_train=4, n_val=2)
    return dismai.models.create(name, spec, **{**SMALL[name], **changes})


def train(name, workdir, seed=3, **changes):
    model, structures = create(name, **changes), common_crystals(6)
    model.fit(structures[:4], structures[4:], workdir, seed)
    model.save(workdir / "model.safetensors")
    return model


@pytest.fixture(scope="module", params=SMALL)
def trained(request, tmp_path_factory):
    """Name and folder of a finished training."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp(request.param)
    train(request.param, folder)
    return request.param, folder


def test_a_run_stopped_within_an_epoch_resumes_to_the_same_bytes(
    trained, tmp_path, monkeypatch, caplog
):
    name, finished = trained
    path, class_name = MODULES[name]
    module = getattr(importlib.import_module(f"dismai.models.{path}"), class_name)
    step = module.training_step

    def stop(self, batch, batch_idx):
        if (self.current_epoch, batch_idx) == (1, 1):
            raise KeyboardInterrupt
        return step(self, batch, batch_idx)

    monkeypatch.setattr(module, "training_step", stop)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        train(name, tmp_path)
    assert not (tmp_path / "model.safetensors").exists()
    monkeypatch.undo()
    with caplog.at_level(logging.INFO):
        train(name, tmp_path)
    assert caplog.text.count("resuming") == 1
    assert outcome(tmp_path) == outcome(finished)


@pytest.mark.parametrize("name", SMALL)
def test_weights_follow_from_the_seed_alone(name):
    """Also the singular vectors of a spectral norm, which torch draws from the process."""
    states = []
    for seed, other in ((3, 0), (3, 1), (4, 1)):
        torch.manual_seed(other)
        states.append(create(name).new_networks(seed).state_dict())
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert any(not torch.equal(states[0][key], states[2][key]) for key in states[0])


def test_a_loaded_model_draws_the_same_crystals_in_any_number(trained):
    name, folder = trained
    model = dismai.models.load(folder / "model.safetensors")
    assert (model.architecture, model.parameter_count()) == (name, parameters(model.networks))
    drawn, again = model.sample(3, seed=5), model.sample(1, seed=5)
    np.testing.assert_array_equal(drawn[0].positions, again[0].positions)
    assert drawn[0].info == again[0].info
    assert drawn[0].info != drawn[1].info
    assert set(drawn[0].info) == {*SAID, "space_group", BEFORE_MERGING, PUBLISHED_STEPS}
    steps = {"crystal_gan": 4, "crystal_wgan": 4, "crystal_diffusion": 8}[name]
    assert model.spec.statistics[STEPS] == steps
    published = {"crystal_gan": 42_000, "crystal_wgan": 420_500, "crystal_diffusion": 500_000}
    assert drawn[0].info[PUBLISHED_STEPS] == pytest.approx(100 * steps / published[name])


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_clusters_are_a_choice_of_sampling_that_needs_no_other_weights(trained):
    name, folder = trained
    assert dismai.models.sampling_params(name, {"clustering": "none", "batch": 3}) == {
        "clustering": "none"
    }
    model = dismai.models.load(folder / "model.safetensors")
    assert model.hparams.clustering == "published"
    (published,) = model.sample(1, seed=5)
    (plain,) = dismai.models.with_hparams(model, {"clustering": "none"}).sample(1, seed=5)
    assert len(set(published.numbers)) <= 3 < len(set(plain.numbers)) + len(plain)
    sites = [np.unique(one.get_scaled_positions(wrap=False).round(9)) for one in (published, plain)]
    assert len(sites[0]) <= 6 < len(sites[1])
    assert {name: published.info[name] for name in SAID} == {
        name: plain.info[name] for name in SAID
    }


def test_pictures_that_are_no_crystals_are_empty_structures_and_fail(
    trained, monkeypatch, caplog, tmp_path
):
    """What the others say of themselves stays."""
    name, folder = trained
    model = dismai.models.load(folder / "model.safetensors")
    crystals = common_crystals(4)
    model.spec = picture_scales(crystals).on_card(model.spec)
    pictures = encode(crystals, shared.Scales.of_card(model.spec)).float()
    pictures[1] = 0.0
    pictures[2] = torch.nan
    monkeypatch.setattr(type(model), "draw", lambda self, *_: pictures[:2])
    first = model.sample(2, seed=0)
    monkeypatch.setattr(type(model), "draw", lambda self, *_: pictures[2:])
    drawn = [*first, *model.sample(2, seed=0)]
    assert [len(one) > 0 for one in drawn] == [True, False, False, True]
    assert "1 of 2 pictures are no crystals" in caplog.text
    assert drawn[3].numbers.tolist() == crystals[3].numbers.tolist()
    write_structures(drawn, tmp_path / "raw.extxyz")
    frames = read_set(tmp_path / "raw.extxyz").frames
    assert [isinstance(frame, Atoms) for frame in frames] == [True, False, False, True]
    scores = self_report_scores(dict(enumerate(frames)))
    assert scores["coordinate_disagreement_per_atom"][1].value == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", SMALL)
def test_sets_and_settings_that_cannot_be_trained_on_are_one_line(name, tmp_path):
    with pytest.raises(InputError, match="training set of crystals: expected structures, found no"):
        create(name).fit([], common_crystals(1), tmp_path, 0)
    spec = CrystalSpec(name="large", kind="crystals", max_atoms=60)
    with pytest.raises(InputError, match=f"{name}: max_atoms of large: expected at most the 52"):
        dismai.models.create(name, spec)
    without = common_crystals(4)
    del without[2].info["space_group"]
    with pytest.raises(InputError, match=r"crystal 2: expected info\['space_group'\], found none"):
        create(name).fit(without, common_crystals(1), tmp_path, 0)


def test_a_wrong_pair_is_one_line_and_needs_no_torch():
    code = """
import sys
import dismai.models
from dismai.base.errors import InputError
for pair in (("cdvae", "crystals"), ("crystal_gan", "interface"), ("crystal_wgan", "crystals")):
    try:
        dismai.models.check_kind(*pair)
    except InputError as error:
        print(error)
print({"torch", "ase", "sklearn"} & set(sys.modules))
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = said.stdout.splitlines()
    assert lines[0].startswith("cdvae models alloy, amorphous_si, interface")
    assert (
        ", not crystals; on crystals there are crystal_diffusion, crystal_gan, crystal_wgan"
        in (lines[0])
    )
    assert lines[1].startswith("crystal_gan models crystals, not interface; on interface there are")
    assert lines[2:] == ["set()"]


def test_a_picture_of_a_set_is_that_of_its_crystal():
    from dismai.models.crystals.data import PictureSet

    crystals = common_crystals(3)
    scales = picture_scales(crystals)
    pictures = PictureSet(crystals, scales, "a set")[[2, 0]]
    assert (pictures.shape, pictures.dtype) == ((2, 4, SIDE, SIDE), torch.float32)
    torch.testing.assert_close(pictures[0], encode(crystals[2:], scales)[0].float())
