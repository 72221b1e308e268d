"""UniMat behind its contract: same seed same weights, files, resuming, failed structures."""

import logging

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

import dismai.models
from dismai.base.card import DatasetSpec
from dismai.base.errors import InputError
from dismai.datasets.options import Options
from dismai.evaluation.process import load_generated, process
from dismai.files.structures import write_structures
from dismai.metrics.self_reports import SPECIES
from dismai.models.image.orders import RegionOrders
from dismai.models.image.scales import Scales
from dismai.models.unimat.module import UniMatModule
from dismai.training.callbacks import states
from tests.makers import alloy_spec, permuted_alloys
from tests.models.conftest import check_seeds, fit_and_save, outcome

SMALL = {
    "side": 2,
    "channels": 8,
    "multipliers": [1],
    "blocks": 1,
    "joint_attention": [True],
    "cross_attention": [True],
    "heads": 1,
    "head_width": 8,
    "time_frequencies": 2,
    "batch": 4,
    "epochs": 4,
    "validate_every": 2,
    "checkpoint_every": 2,
    "steps": 3,
    "sampling_batch": 3,
}
LEARNING = {
    **SMALL,
    "side": 3,
    "channels": 16,
    "multipliers": [2],
    "joint_attention": [False],
    "learned_places": True,
    "learning_rate": 5e-3,
    "epochs": 200,
    "validate_every": 50,
    "checkpoint_every": 1000,
    "steps": 25,
}


pytestmark = pytest.mark.usefixtures("one_thread")


def create(**changes):
    return dismai.models.create("unimat", alloy_spec(), **{**SMALL, **changes})


def train(workdir, seed=3, **changes):
    return fit_and_save(create(**changes), workdir, seed)


def module_of(model, **orders):
    orders = RegionOrders(model.spec, **{"region": {}, "n_copies": 1, "seed": 0, **orders})
    return UniMatModule(model.new_networks(0), model.mask, orders, model.hparams, seed=0)


def interface_spec():
    composition = {"Li": 4, "Co": 3, "Sc": 1, "Cl": 5, "O": 3}
    cell = ((9.0, 0.0, 0.0), (2.0, 11.0, 0.0), (0.0, 0.0, 25.0))
    return DatasetSpec(name="interface", kind="interface", composition=composition, cell_A=cell)


def test_same_seed_same_bytes_and_another_seed_others(tmp_path):
    check_seeds(train, tmp_path, epochs=2)


def test_a_run_stopped_in_an_epoch_resumes_to_the_same_bytes(tmp_path, monkeypatch, caplog):
    train(tmp_path / "undisturbed")
    step = UniMatModule.training_step

    def stop(self, batch, batch_idx):
        if self.current_epoch == 2 and batch_idx == 1:
            raise KeyboardInterrupt
        return step(self, batch, batch_idx)

    monkeypatch.setattr(UniMatModule, "training_step", stop)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        train(tmp_path / "stopped")
    monkeypatch.undo()
    with caplog.at_level(logging.INFO):
        train(tmp_path / "stopped")
    assert "resuming" in caplog.text
    assert outcome(tmp_path / "stopped") == outcome(tmp_path / "undisturbed")
    newest = [states(tmp_path / name / "state")[0] for name in ("stopped", "undisturbed")]
    assert newest[0].read_bytes() == newest[1].read_bytes()


def test_a_loaded_model_draws_the_same_structures_in_any_number(tmp_path, caplog):
    model = train(tmp_path)
    with caplog.at_level(logging.INFO):
        drawn = model.sample(7, seed=5)
    assert "of the atoms are right, in" in caplog.text
    again = dismai.models.load(tmp_path / "model.safetensors").sample(2, seed=5)
    for first, second in zip(drawn, again, strict=False):
        np.testing.assert_array_equal(first.positions, second.positions)
        np.testing.assert_array_equal(first.numbers, second.numbers)
    assert len(drawn) == 7
    assert not np.array_equal(drawn[0].positions, drawn[1].positions)
    assert_allclose(drawn[0].cell.array, alloy_spec().cell)
    assert "architecture: unimat" in (tmp_path / "hparams.yaml").read_text()


def test_a_killed_generation_goes_on_after_the_last_finished_batch(tmp_path, monkeypatch):
    model = train(tmp_path, epochs=1)
    expected = model.sample(7, seed=5)
    model.state_folder = tmp_path / "state_of_generation"
    model.sample(4, seed=5)  # two of three batches
    calls = []
    forward = model.networks.forward
    monkeypatch.setattr(model.networks, "forward", lambda *a: calls.append(1) or forward(*a))
    for first, second in zip(model.sample(7, seed=5), expected, strict=True):
        np.testing.assert_array_equal(first.positions, second.positions)
    assert len(calls) == SMALL["steps"]  # of the third batch alone


def test_history_has_the_loss_and_every_second_epoch_the_validation(tmp_path):
    train(tmp_path)
    lines = (tmp_path / "history.csv").read_text().splitlines()
    assert lines[0] == "epoch,step,loss,validation"
    assert [line.endswith(",") for line in lines[1:]] == [True, False, True, False]
    assert lines[-1].startswith("4,8,")


def test_the_loss_starts_at_the_mean_weight():
    cell = ((5.0, 0.0, 0.0), (0.0, 5.0, 0.0), (0.0, 0.0, 5.0))
    spec = DatasetSpec(name="one", kind="amorphous_si", composition={"Si": 1}, cell_A=cell)
    module = module_of(dismai.models.create("unimat", spec, **SMALL))
    scaled = torch.rand(4000, 1, 3, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        loss = module.loss(scaled, "step", 0, 0)
    assert_allclose(loss.item(), 0.82, atol=0.02)


def test_an_epoch_shows_another_order_of_the_region(monkeypatch):
    spec = interface_spec()
    region = {"Li": 3, "Sc": 1, "Cl": 4}
    model = dismai.models.create("unimat", spec, **{**SMALL, "side": 3, "region": region})
    assert model.hparams.copies == 50
    module = module_of(model, region=region, n_copies=50, seed=1)
    seen = {}
    monkeypatch.setattr(module, "loss", lambda scaled, *names: scaled)
    scaled = torch.arange(16.0).expand(1, 3, -1).mT
    for epoch in range(3):
        monkeypatch.setattr(UniMatModule, "current_epoch", epoch)
        batch = (torch.tensor([0]), scaled)
        seen[epoch] = module.training_step(batch, 0)["loss"][0, :, 0].tolist()
    assert seen[0] == list(range(16))
    assert len({tuple(order) for order in seen.values()}) == 3
    for order in seen.values():
        fixed = [3, 4, 5, 6, 12, 13, 14, 15]
        assert [order[i] for i in fixed] == fixed
        assert sorted(order[:3]) == [0, 1, 2]
        assert sorted(order[8:12]) == [8, 9, 10, 11]


def test_a_wrong_frame_costs_its_structure_and_says_so(tmp_path):
    model = create()
    structures = permuted_alloys(3)
    f = torch.tensor(np.array([atoms.get_scaled_positions() for atoms in structures]))
    scales = Scales(f.amin(dim=(0, 1)), f.amax(dim=(0, 1)))
    model.spec = scales.on_card(model.spec)
    right = np.ones((3, 32), dtype=bool)
    right[1, [0, 1, 7]] = False
    made = model._structures(scales.down(f), right)
    assert [atoms.info[SPECIES] for atoms in made] == [1, 29 / 32, 1]
    write_structures(made, tmp_path / "raw.extxyz")
    fates = process(
        load_generated(tmp_path / "raw.extxyz", 3), alloy_spec(), Options(align="none")
    ).fates
    assert fates.status.tolist() == ["accepted", "rejected", "accepted"]
    assert fates.stage[1] == "check"
    assert fates.reason[1] == "composition: expected Cr6 Fe20 Ni6, found Cr4 Fe19 Ni6 X3"


def test_a_network_that_gives_nan_costs_structures_not_the_set(tmp_path, caplog):
    model = train(tmp_path, epochs=1)
    model.networks.out.bias.data[:] = torch.nan
    drawn = model.sample(3, seed=0)
    assert "3 of 3 structures are not finite" in caplog.text
    assert [atoms.info[SPECIES] for atoms in drawn] == [0] * 3


def test_a_diverged_run_stops_with_one_line(tmp_path):
    with pytest.raises(InputError, match="expected a finite number, found (nan|inf)") as caught:
        train(tmp_path, learning_rate=1e30)
    assert "\n" not in str(caught.value)


def test_structures_of_another_composition_are_refused(tmp_path):
    structures = permuted_alloys(3)
    structures[1].symbols[0] = "Fe"
    with pytest.raises(InputError, match="structure 1: expected blocks of species Cr6 Fe20 Ni6"):
        create().fit(structures, structures[:1], tmp_path, 0)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"side": 3, "multipliers": [1, 2]}, "side a multiple of 2, since 2 levels halve"),
        ({"side": 6}, "side a multiple of 4, since 3 levels"),
        ({"channels": 60}, "channels a multiple of norm_groups .8."),
        ({"channels": 2}, "channels: expected greater than or equal to 4, found 2"),
        ({"joint_attention": [True]}, "3 values of joint_attention, one for each of multipliers"),
        ({"multipliers": [1, 0, 2]}, "multipliers.1: expected greater than 0"),
        ({"threshold": "some"}, "threshold: expected 'masked', 'all' or 'off', found 'some'"),
        ({"region": {"Li": 0}}, "region.Li: expected greater than 0, found 0"),
        ({"region": {"Li": 99}, "epochs": 1}, "region.Li: expected at most the 4 Li"),
        ({"multipliers": [1], "side": 2, "joint_attention": [True], "cross_attention": [True]},
         "side: expected at least 5 pixels for the species of interface, found 2 x 2"),
    ],
)  # fmt: skip
def test_a_wrong_hyperparameter_is_one_line(params, message):
    with pytest.raises(InputError, match=message) as caught:
        dismai.models.create("unimat", interface_spec(), **params)
    assert "\n" not in str(caught.value)


def test_the_papers_settings_follow_from_the_dataset():
    interface = dismai.models.create("unimat", dismai.models.paper_spec("interface")).hparams
    alloy = dismai.models.create("unimat", dismai.models.paper_spec("alloy_300K_wide")).hparams
    assert (interface.region, interface.copies) == ({"Li": 9, "Sc": 3, "Cl": 18}, 50)
    assert (alloy.region, alloy.copies) == ({}, 1)


@pytest.mark.slow
def test_four_structures_are_learned_in_200_steps(tmp_path):
    """The loss fell from 1.0 to 0.03 and all of 30 structures had the right species."""
    model = create(**LEARNING)
    structures = permuted_alloys(4)
    model.fit(structures, structures, tmp_path, seed=0)
    losses = np.loadtxt(tmp_path / "history.csv", delimiter=",", skiprows=1, usecols=2)
    assert losses[-10:].mean() < losses[0] / 10
    right = [atoms.info[SPECIES] for atoms in model.sample(30, seed=0)]
    assert np.mean(np.array(right) == 1) >= 0.95
