"""DiffCSP behind its contract: same seed same weights, files, resuming, learning."""

import logging

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

import dismai.models
from dismai.base.errors import InputError
from dismai.models.diffcsp import network
from dismai.models.diffcsp.hparams import Hparams
from dismai.models.diffcsp.module import DiffCSPModule
from dismai.models.diffcsp.network import Diffusion
from dismai.training.callbacks import states
from tests.makers import alloy_spec, permuted_alloys
from tests.models.conftest import check_seeds, fit_and_save, outcome

SMALL = {
    "layers": 2,
    "hidden": 16,
    "frequencies": 6,
    "time_features": 8,
    "batch": 4,
    "epochs": 4,
    "validate_every": 2,
    "plateau_patience": 0,
    "checkpoint_every": 2,
    "timesteps": 20,
    "steps": 5,
    "sampling_batch": 3,
}


pytestmark = pytest.mark.usefixtures("one_thread")


def create(**changes):
    return dismai.models.create("diffcsp", alloy_spec(), **{**SMALL, **changes})


def train(workdir, seed=3, **changes):
    return fit_and_save(create(**changes), workdir, seed)


def test_same_seed_same_bytes_and_another_seed_others(tmp_path):
    check_seeds(train, tmp_path)


@pytest.mark.parametrize(
    "settings",
    [{}, {"ema_decay": 0.9, "cost_lattice": 1.0}, {"ema_decay": 0.9, "precision": "bf16-mixed"}],
)
def test_a_run_stopped_in_an_epoch_resumes_to_the_same_bytes(
    tmp_path, monkeypatch, caplog, settings
):
    train(tmp_path / "undisturbed", **settings)
    step = DiffCSPModule.training_step

    def stop(self, batch, batch_idx):
        if self.current_epoch == 2 and batch_idx == 1:
            raise KeyboardInterrupt
        return step(self, batch, batch_idx)

    monkeypatch.setattr(DiffCSPModule, "training_step", stop)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        train(tmp_path / "stopped", **settings)
    assert not (tmp_path / "stopped" / "model.safetensors").exists()
    monkeypatch.undo()
    with caplog.at_level(logging.INFO):
        train(tmp_path / "stopped", **settings)
    assert "resuming" in caplog.text
    assert outcome(tmp_path / "stopped") == outcome(tmp_path / "undisturbed")
    newest = [states(tmp_path / name / "state")[0] for name in ("stopped", "undisturbed")]
    assert newest[0].read_bytes() == newest[1].read_bytes()


def test_a_loaded_model_draws_the_same_structures_in_any_number(tmp_path):
    model = train(tmp_path)
    drawn = model.sample(7, seed=5)
    again = dismai.models.load(tmp_path / "model.safetensors").sample(2, seed=5)
    for first, second in zip(drawn, again, strict=False):
        np.testing.assert_array_equal(first.positions, second.positions)
    assert drawn[0].get_chemical_symbols() == alloy_spec().symbols
    assert_allclose(drawn[0].cell.array, alloy_spec().cell)
    assert not np.array_equal(drawn[0].positions, drawn[1].positions)
    text = (tmp_path / "hparams.yaml").read_text()
    assert "architecture: diffcsp" in text
    assert "sigma_end: 0.179" in text


def test_another_number_of_steps_is_drawn_with_the_same_weights():
    def drawn(model):
        model.networks = model.new_networks(seed=1)
        return [atoms.positions for atoms in model.sample(2, seed=5)]

    few = drawn(dismai.models.with_hparams(create(), {"steps": 3}))
    np.testing.assert_array_equal(few, drawn(create(steps=3)))
    assert not np.array_equal(few, drawn(create()))
    with pytest.raises(InputError, match="expected steps up to timesteps"):
        dismai.models.with_hparams(create(), {"steps": 21})


def test_a_killed_generation_goes_on_after_the_last_finished_batch(tmp_path, monkeypatch):
    model = train(tmp_path)
    expected = model.sample(7, seed=5)
    model.state_folder = tmp_path / "state_of_generation"
    model.sample(4, seed=5)  # two of three batches
    calls = []
    monkeypatch.setattr(
        model.networks.network, "forward", lambda *a: calls.append(1) or forward(*a)
    )
    forward = type(model.networks.network).forward.__get__(model.networks.network)
    for first, second in zip(model.sample(7, seed=5), expected, strict=True):
        np.testing.assert_array_equal(first.positions, second.positions)
    assert len(calls) == 2 * SMALL["steps"]  # of the third batch alone


def test_history_has_the_loss_and_every_second_epoch_the_validation(tmp_path):
    train(tmp_path)
    lines = (tmp_path / "history.csv").read_text().splitlines()
    assert lines[0] == "epoch,step,coordinates,validation"
    assert [line.endswith(",") for line in lines[1:]] == [True, False, True, False]
    assert lines[-1].startswith("4,8,")


def test_joint_diffusion_draws_a_lattice_for_every_structure(tmp_path):
    model = train(tmp_path, cost_lattice=1.0, teacher_forcing_epochs=2, lattice_unit_A=7.2)
    header = (tmp_path / "history.csv").read_text().splitlines()[0]
    assert header == "epoch,step,coordinates,lattice,validation"
    cells = [atoms.cell.array for atoms in model.sample(2, seed=0)]
    assert not np.allclose(cells[0], cells[1])
    assert model.networks.network.lattice.weight.grad is not None


def test_a_forced_lattice_teaches_its_head_nothing():
    model = create(cost_lattice=1.0, teacher_forcing_epochs=2)
    model.networks = model.new_networks(0)
    module = DiffCSPModule(model.networks, model._lattice(), model.hparams, seed=0)
    losses = module.losses(torch.rand(2, 32, 3), "test")
    losses["loss"].backward()
    assert "lattice" not in losses
    assert model.networks.network.lattice.weight.grad is None


def test_a_diverged_run_stops_with_one_line(tmp_path):
    with pytest.raises(InputError, match="expected a finite number, found (nan|inf)") as caught:
        train(tmp_path, learning_rate=1e30)
    assert "\n" not in str(caught.value)


def test_the_published_switch_skips_steps_that_are_not_finite(tmp_path, monkeypatch):
    losses = DiffCSPModule.losses
    broken = ("step", 1, 0)

    def nan_once(self, f, *names):
        found = losses(self, f, *names)
        return {k: v * float("nan") for k, v in found.items()} if names == broken else found

    monkeypatch.setattr(DiffCSPModule, "losses", nan_once)
    model = train(tmp_path / "skipped", skip_bad_steps=True)
    assert all(p.isfinite().all() for p in model.networks.parameters())
    with pytest.raises(InputError, match="loss in epoch 1: expected a finite number"):
        train(tmp_path / "stopped")


def test_a_structure_that_is_not_finite_is_reported_and_costs_only_itself(tmp_path, caplog):
    model = train(tmp_path)
    forward = model.networks.network.forward

    def spoil(f, t, lattice):
        p, p_lattice = forward(f, t, lattice)
        p[1] = float("nan")
        return p, p_lattice

    expected = model.sample(3, seed=0)
    model.networks.network.forward = spoil
    drawn = model.sample(3, seed=0)
    assert not np.isfinite(drawn[1].positions).any()
    assert "1 of 3 structures are not finite" in caplog.text
    for i in (0, 2):
        np.testing.assert_array_equal(drawn[i].positions, expected[i].positions)


def test_a_validation_set_is_needed(tmp_path):
    with pytest.raises(InputError, match="validation set of .*: expected structures, found none"):
        create().fit(permuted_alloys(2), [], tmp_path, 0)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"hiden": 4}, "hiden: expected a known hyperparameter .hidden"),
        ({"time_features": 7}, "time_features: expected a multiple of 2, found 7"),
        ({"sigma_end": 0.001}, r"hyperparameters: expected sigma_end above sigma_begin"),
        ({"steps": 21}, r"expected steps up to timesteps .20."),
        ({"teacher_forcing_epochs": 2}, "expected teacher_forcing_epochs only with a cost_lattice"),
        ({"teacher_forcing_epochs": 4, "cost_lattice": 1}, "expected teacher_forcing_epochs below"),
        ({"precision": "64"}, "precision: expected '32-true'"),
    ],
)
def test_a_wrong_hyperparameter_is_one_line(params, message):
    with pytest.raises(InputError, match=message) as caught:
        create(**params)
    assert "\n" not in str(caught.value)


def test_the_highest_noise_follows_the_size_of_the_cell():
    large = dismai.models.paper_spec("alloy_300K_wide")
    for spec, end in (
        (large, 0.1),
        (dismai.models.paper_spec("amorphous_si"), 0.05),
        (dismai.models.paper_spec("interface"), 0.1),
        (alloy_spec(), 0.179),
    ):
        assert Hparams().resolved(spec).sigma_end == pytest.approx(end, abs=5e-4)
    assert Hparams(sigma_end=0.3).resolved(large).sigma_end == 0.3


def test_the_defaults_are_the_papers():
    h = Hparams()
    assert (h.layers, h.hidden, h.frequencies, h.time_features) == (4, 256, 128, 256)
    assert (h.batch, h.epochs, h.learning_rate, h.gradient_clip) == (4, 1000, 1e-3, 0.5)
    assert (h.timesteps, h.steps, h.sampling_batch, h.sigma_begin) == (1000, 1000, 20, 0.005)
    assert h.corrector == pytest.approx(1e-5 / 0.005**2)


class Silicon:
    """One structure of four atoms at the density of amorphous silicon, with its published noise."""

    def __init__(self, seed=0):
        hparams = Hparams().resolved(dismai.models.paper_spec("amorphous_si"))
        self.diffusion = Diffusion([14] * 4, hparams, torch.Generator().manual_seed(seed))
        self.module = DiffCSPModule(self.diffusion, 4.3 * torch.eye(3), hparams, seed=0)
        self.f = torch.rand(4, 3, generator=torch.Generator().manual_seed(1))

    def loss(self, n_draws, *names):
        return self.module.losses(self.f.expand(n_draws, -1, -1), *names)["loss"]

    @torch.no_grad()
    def judge(self, n_draws=1024):
        """Mean over noise draws, the same each time; that of 32 is off by some 0.05."""
        return self.loss(n_draws, "judge").item()


@pytest.fixture
def four_atoms(monkeypatch):
    monkeypatch.setattr(DiffCSPModule, "current_epoch", 0)
    monkeypatch.setattr(network, "SMALLEST_TILES", 1)  # the same numbers, sooner


def test_the_loss_of_random_weights(four_atoms):
    """The published network was seen at 1.16; ours are at 1.39 +- 0.26, by the weights drawn."""
    losses = [Silicon(seed).judge(128) for seed in range(8)]
    assert np.mean(losses) == pytest.approx(1.16, rel=0.3)


@pytest.mark.slow
def test_one_structure_is_learned_down_to_the_floor_of_translations(four_atoms):
    """The atom mean of the noise is invisible: the loss falls towards 1/N and not below.

    The published network with N = 4 was seen at 0.63, 0.34, 0.30 after 400, 1000, 1500 steps of 32
    draws; ours at 0.52, 0.33, 0.30.
    """
    silicon = Silicon()
    parameters = list(silicon.diffusion.parameters())
    optimizer = torch.optim.Adam(parameters, lr=1e-3)
    judged = []
    for step in range(1, 1501):
        optimizer.zero_grad()
        silicon.loss(32, "overfit", step).backward()
        torch.nn.utils.clip_grad_value_(parameters, 0.5)
        optimizer.step()
        if step in (400, 1000, 1500):
            judged.append(silicon.judge())
    assert_allclose(judged, [0.63, 0.34, 0.30], rtol=0.3)
    assert judged == sorted(judged, reverse=True)
    assert judged[-1] > 0.25
