"""Melt behind its contract: same seed same bytes, files, resuming, learning, cells of any size."""

import logging

import numpy as np
import pytest
import torch
from ase.build import sort
from numpy.testing import assert_allclose

import dismai.models
from dismai.base.errors import InputError
from dismai.base.kept import state_of
from dismai.models.melt.hparams import Hparams, epochs_of
from dismai.models.melt.model import Melt
from dismai.models.melt.module import MoverModule, NamerModule
from dismai.training.callbacks import states
from tests.makers import MAKERS, alloy_spec, card, diamonds, permuted_alloys
from tests.models.conftest import check_seeds, fit_and_save, outcome

SMALL = {
    "hidden": 16,
    "channels": 2,
    "layers": 1,
    "waves": 7,
    "neighbours": 12,
    "most_neighbours": 18,
    "namer_hidden": 8,
    "namer_channels": 2,
    "namer_layers": 1,
    "namer_neighbours": 12,
    "batch": 4,
    "namer_batch": 8,
    "steps": 8,
    "namer_steps": 3,
    "validations": 2,
    "checkpoint_every": 2,
    "levels": 6,
    "correctors": 1,
    "settle_levels": 2,
    "repairs": 1,
    "sampling_batch": 3,
}
MODULES = {"mover": MoverModule, "namer": NamerModule}

pytestmark = pytest.mark.usefixtures("one_thread")


def create(spec=None, **changes):
    return Melt(spec or alloy_spec(), Hparams(**{**SMALL, **changes}))


def train(workdir, seed=3, **changes):
    return fit_and_save(create(**changes), workdir, seed, n_train=12, n_val=2)


def drawn(model, *arguments, **keywords):
    return np.array([atoms.positions for atoms in model.sample(*arguments, **keywords)])


def test_same_seed_same_bytes_and_another_seed_others(tmp_path):
    check_seeds(train, tmp_path)


@pytest.mark.parametrize(
    ("stage", "precision"), [("mover", "32-true"), ("namer", "32-true"), ("mover", "bf16-mixed")]
)
def test_a_run_stopped_in_either_stage_resumes_to_the_same_bytes(
    tmp_path, monkeypatch, caplog, stage, precision
):
    settings = {"namer_steps": 6, "precision": precision}
    train(tmp_path / "undisturbed", **settings)
    step = MODULES[stage].training_step

    def stop(self, batch, batch_idx):
        if self.current_epoch == 1 and batch_idx == 1:
            raise KeyboardInterrupt
        return step(self, batch, batch_idx)

    monkeypatch.setattr(MODULES[stage], "training_step", stop)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        train(tmp_path / "stopped", **settings)
    assert not (tmp_path / "stopped" / "model.safetensors").exists()
    monkeypatch.undo()
    with caplog.at_level(logging.INFO):
        train(tmp_path / "stopped", **settings)
    assert "resuming" in caplog.text
    assert outcome(tmp_path / "stopped") == outcome(tmp_path / "undisturbed")
    newest = [
        states(state_of(tmp_path / name) / stage / "state")[0].read_bytes()
        for name in ("stopped", "undisturbed")
    ]
    assert newest[0] == newest[1]


def test_a_loaded_model_draws_the_same_structures_in_any_number(tmp_path):
    model = train(tmp_path)
    assert model.networks.mover.field.n_waves > 20  # sizes that follow from the training set
    every = model.sample(7, seed=5)
    loaded = Melt.load(tmp_path / "model.safetensors")
    for first, second in zip(every, loaded.sample(2, seed=5), strict=False):
        np.testing.assert_array_equal(first.positions, second.positions)
    assert every[0].get_chemical_symbols() == alloy_spec().symbols
    assert_allclose(every[0].cell.array, alloy_spec().cell)
    assert np.isfinite(every[0].positions).all()
    assert not np.array_equal(every[0].positions, every[1].positions)
    assert "architecture: melt" in (tmp_path / "hparams.yaml").read_text()


def test_a_killed_generation_goes_on_after_the_last_finished_batch(tmp_path, monkeypatch):
    model = train(tmp_path)
    expected = drawn(model, 7, seed=5)
    model.state_folder = tmp_path / "state_of_generation"
    model.sample(4, seed=5)  # two of three batches
    calls = []
    forward = model.networks.mover.forward
    monkeypatch.setattr(model.networks.mover, "forward", lambda *a: calls.append(1) or forward(*a))
    np.testing.assert_array_equal(drawn(model, 7, seed=5), expected)
    of_third = len(calls)
    model.state_folder = tmp_path / "another"
    calls.clear()
    model.sample(7, seed=5)
    assert 0 < of_third < len(calls) / 2
    model.state_folder = tmp_path / "state_of_generation"  # of smaller cells: not taken for these
    assert drawn(model, 1, seed=5, repeat=(1, 1, 2)).shape == (1, 64, 3)


def test_history_has_the_losses_of_both_stages(tmp_path):
    train(tmp_path)
    lines = (tmp_path / "history.csv").read_text().splitlines()
    assert lines[0] == "epoch,step,mover,mover_validation,namer,namer_validation"
    assert len(lines) == 1 + epochs_of(8, 12, 4) + epochs_of(3, 12, 8)


def test_cells_that_were_never_seen_have_as_many_times_the_atoms(tmp_path):
    model = train(tmp_path)
    (atoms,) = model.sample(1, seed=0, repeat=(2, 1, 3))
    assert atoms.symbols.formula.count() == {"Cr": 36, "Fe": 120, "Ni": 36}
    assert atoms.get_chemical_symbols() == ["Cr"] * 36 + ["Fe"] * 120 + ["Ni"] * 36
    assert_allclose(atoms.cell.array, alloy_spec().cell * np.array([[2], [1], [3]]))
    f = atoms.get_scaled_positions(wrap=False)
    assert f.min() >= 0
    assert f.max() <= 1 + 1e-6
    (again,) = dismai.models.sample(model, 1, 0, (2, 1, 3))
    np.testing.assert_array_equal(again.positions, atoms.positions)
    with pytest.raises(InputError, match="melt: repeat: expected three numbers from 1 on"):
        model.sample(1, seed=0, repeat=(2, 0, 1))


def test_one_species_needs_no_names(tmp_path):
    structures, spec = diamonds(10), card("amorphous_si")
    model = create(spec, steps=3)
    model.fit(structures[:8], structures[8:], tmp_path, 0)
    model.save(tmp_path / "model.safetensors")
    assert model.networks.namer is None
    header = (tmp_path / "history.csv").read_text().splitlines()[0]
    assert header == "epoch,step,mover,mover_validation"
    again = Melt.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(drawn(again, 1, seed=0), drawn(model, 1, seed=0))


@pytest.mark.parametrize("kind", ["alloy", "interface"])
def test_a_few_structures_are_enough_to_begin_with(tmp_path, kind):
    spec = card(kind)
    structures = [sort(atoms, [spec.species.index(s) for s in atoms.symbols])
                  for atoms in MAKERS[kind](4)]  # fmt: skip
    model = create(spec, steps=1, namer_steps=1, levels=3)
    model.fit(structures[:3], structures[3:], tmp_path, 0)
    (atoms,) = model.sample(1, seed=0)
    assert atoms.get_chemical_symbols() == spec.symbols
    assert np.isfinite(atoms.positions).all()


def test_a_mover_learns_where_atoms_of_a_lattice_belong(tmp_path):
    """The loss of a mover that says nothing is the variance of its target, about 1."""
    structures = permuted_alloys(40)
    model = create(hidden=32, steps=100, namer_steps=1, validations=1, checkpoint_every=1000)
    model.fit(structures[:32], structures[32:], tmp_path, 0)
    losses = np.genfromtxt(tmp_path / "history.csv", delimiter=",", names=True)["mover"]
    losses = losses[np.isfinite(losses)]
    assert losses[0] > 0.7
    assert losses[-3:].mean() < 0.5


def test_a_structure_that_is_not_finite_is_reported_and_costs_only_itself(tmp_path, caplog):
    model = train(tmp_path, repairs=0)  # which moves others than the second
    forward = model.networks.mover.forward

    def spoil(*arguments):
        eps = forward(*arguments)
        eps[1] = float("nan")
        return eps

    expected = drawn(model, 3, seed=0)
    model.networks.mover.forward = spoil
    found = drawn(model, 3, seed=0)
    assert not np.isfinite(found[1]).any()
    assert "1 of 3 structures are not finite" in caplog.text
    for i in (0, 2):
        np.testing.assert_array_equal(found[i], expected[i])


def test_a_diverged_run_stops_with_one_line(tmp_path):
    with pytest.raises(InputError, match="expected a finite number, found (nan|inf)") as caught:
        train(tmp_path, learning_rate=1e30, gradient_norm=1e30)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"hiden": 4}, "Extra inputs are not permitted"),
        ({"sigma_order": (0.4, 0.06)}, "sigma_order with 0 < low < high, found 0.4, 0.06"),
        ({"sigma_min": 0.1}, "sigma_min below sigma_order .0.06."),
        ({"levels": 2}, "greater than or equal to 3"),
    ],
)
def test_a_wrong_hyperparameter_is_refused(params, message):
    with pytest.raises(ValueError, match=message):
        Hparams(**params)


def test_batches_hold_512_atoms_whatever_the_dataset():
    for dataset, batch in (("alloy_300K_wide", 2), ("interface", 2)):
        h = Hparams().resolved(dismai.models.paper_spec(dataset))
        assert (h.batch, h.namer_batch, h.sampling_batch) == (batch, 4 * batch, batch)
    assert Hparams().resolved(alloy_spec()).batch == 16
    assert Hparams(batch=5).resolved(alloy_spec()).batch == 5


def test_the_number_of_parameters_is_that_of_a_set_in_which_nothing_is_shared():
    model = Melt(card("amorphous_si"), Hparams())
    networks = model.new_networks(0)
    assert model.parameter_count() == sum(p.numel() for p in networks.parameters())
    assert networks.mover.field.linear is None
    assert torch.isnan(networks.lengths).all()
