"""Validation, clipping, plateau, averaged weights: what they do, and that a resume keeps them."""

import contextlib

import numpy as np
import pandas as pd
import pytest
import torch
from lightning.pytorch import LightningModule

from dismai.base import stopping
from dismai.base.errors import InputError
from dismai.base.seeds import seed_for
from dismai.files.tensors import read_tree
from dismai.training.callbacks import states
from dismai.training.run import Training, run_training
from dismai.training.schedule import Ema, Plateau, Validation


class Line(torch.utils.data.Dataset):
    """Points (x, 3 x) with x = 1..n."""

    def __init__(self, n):
        self.x = torch.arange(1.0, n + 1)[:, None]

    def __len__(self):
        return len(self.x)

    def __getitem__(self, items):
        return self.x[items], 3 * self.x[items]


class Slope(LightningModule):
    """Learns the slope of a line; its noise follows from (seed, epoch, index of the batch)."""

    def __init__(self, scale=1.0, rate=0.01, skipped=()):
        super().__init__()
        self.linear = torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.zeros_(self.linear.weight)
        self.scale, self.rate, self.skipped = scale, rate, skipped

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.rate)

    def loss(self, batch, *names):
        random = torch.Generator().manual_seed(seed_for(0, *names))
        x, y = batch
        y = y + torch.randn(y.shape, generator=random)
        return self.scale * (self.linear(x) - y).square().mean()

    def training_step(self, batch, batch_idx):
        if batch_idx in self.skipped:
            return None
        return {"loss": self.loss(batch, "step", self.current_epoch, batch_idx)}

    def validation_step(self, batch, index):
        return {"validation": self.loss(batch, "validate", index)}


def run(module, workdir, epochs, **steering):
    run_training(
        Training(module, Line(12), columns=("loss",), epochs=epochs, seed=1, **steering),
        workdir,
        batch=4,
        made_for="same",
        checkpoint_every=1,
        precision="32-true",
        device="cpu",
    )


def train(module, workdir, epochs, every=2, fresh=True, **settings):
    validation = Validation(Line(5), batch=2, every=every, columns=("validation",))
    plateau = Plateau(
        validation, "validation", factor=0.5, patience=0, min_lr=1e-3, every_epoch=not fresh
    )
    run(module, workdir, epochs, validation=validation, plateau=plateau, **settings)
    return pd.read_csv(workdir / "history.csv")


def rate(workdir):
    newest = read_tree(states(workdir / "state")[0])
    return newest["optimizer_states"][0]["param_groups"][0]["lr"]


def average():
    return Ema(lambda step: 0.5 if step > 2 else 0.0, every=2)


def test_a_resumed_run_has_the_bytes_of_an_undisturbed_one(tmp_path):
    outcomes = []
    for name, stops in (("whole", [8]), ("parts", [2, 4, 6, 8])):
        for epochs in stops:
            module = Slope(rate=0.5)
            train(module, tmp_path / name, epochs, gradient_clip=0.5, ema=average())
        state = states(tmp_path / name / "state")[0].read_bytes()
        history = (tmp_path / name / "history.csv").read_bytes()
        outcomes.append((state, history, module.linear.weight.item(), rate(tmp_path / name)))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][3] < 0.5  # the learning rate was lowered on the way


def test_a_run_that_is_ended_after_every_step_has_the_bytes_of_an_undisturbed_one(
    tmp_path, monkeypatch
):
    whole, parts = Slope(rate=0.5), None
    train(whole, tmp_path / "whole", 4, gradient_clip=0.5, ema=average())
    monkeypatch.setattr(stopping, "asked", lambda: True)
    for _ in range(12):  # three steps an epoch; the last one ends by itself
        parts = Slope(rate=0.5)
        with contextlib.suppress(SystemExit):
            train(parts, tmp_path / "parts", 4, gradient_clip=0.5, ema=average())
    histories = [(tmp_path / name / "history.csv").read_bytes() for name in ("whole", "parts")]
    assert histories[0] == histories[1]
    assert whole.linear.weight.item() == parts.linear.weight.item()
    assert rate(tmp_path / "whole") == rate(tmp_path / "parts") < 0.5


def test_validation_is_in_every_second_row_of_the_history(tmp_path):
    history = train(Slope(), tmp_path, 5)
    assert list(history.columns) == ["epoch", "step", "loss", "validation"]
    assert history["validation"].notna().tolist() == [False, True, False, True, True]
    module = Slope(rate=1e-12)
    frozen = train(module, tmp_path / "frozen", 4)["validation"].dropna()
    np.testing.assert_allclose(frozen, frozen.iloc[0], rtol=1e-6)  # the same noise every time
    batches = [Line(5)[items] for items in ([0, 1], [2, 3], [4])]
    losses = [module.loss(batch, "validate", i).item() for i, batch in enumerate(batches)]
    assert frozen.iloc[0] == pytest.approx((2 * losses[0] + 2 * losses[1] + losses[2]) / 5)


def test_the_rate_falls_on_a_plateau_and_not_below_its_floor(tmp_path):
    # The weight does not move: every judgement after the first one finds no improvement.
    still = {"scale": 0.0, "rate": 0.008}
    train(Slope(**still), tmp_path / "validations", 6)
    assert rate(tmp_path / "validations") == pytest.approx(0.008 * 0.5**2)
    train(Slope(**still), tmp_path / "epochs", 4, fresh=False)
    assert rate(tmp_path / "epochs") == pytest.approx(0.008 * 0.5**2)
    train(Slope(**still), tmp_path / "floor", 20)
    assert rate(tmp_path / "floor") == pytest.approx(1e-3)


def test_gradients_are_cut_by_value(tmp_path, monkeypatch):
    seen = []
    step = torch.optim.Adam.step

    def spy(self, closure=None):
        result = step(self, closure)
        seen.append(self.param_groups[0]["params"][0].grad.abs().max().item())
        return result

    monkeypatch.setattr(torch.optim.Adam, "step", spy)
    train(Slope(scale=1e6), tmp_path, 1, gradient_clip=0.5)
    assert seen == [0.5] * 3


def test_the_average_is_that_of_every_second_step(tmp_path):
    class Ramp(Slope):
        def on_train_batch_end(self, outputs, batch, batch_idx):
            step = 3 * self.current_epoch + batch_idx + 1
            torch.nn.init.constant_(self.linear.weight, 0.0 if step == 6 else float(step))

    module = Ramp()
    train(module, tmp_path, 2, ema=average())
    # Lightning asks callbacks before the module: at step n they see what step n - 1 left, moved a
    # little by the optimiser. Updates at 1 (copy), 2 (copy), 4, 6.
    assert module.linear.weight.item() == pytest.approx((1 / 4 + 3 / 4 + 5 / 2), abs=0.05)


def test_a_step_may_be_skipped(tmp_path):
    history = train(Slope(skipped=(0, 1)), tmp_path, 2)
    assert np.isfinite(history["loss"]).all()


def test_a_validation_that_is_not_finite_stops_the_run(tmp_path):
    class Broken(Slope):
        def validation_step(self, batch, index):
            return {"validation": torch.tensor(float("nan"))}

    with pytest.raises(InputError, match="validation loss in epoch 1: expected a finite number"):
        train(Broken(), tmp_path, 3)


def test_the_average_of_the_lowest_validation_is_kept_also_over_a_resume(tmp_path):
    class Scripted(Slope):
        def validation_step(self, batch, index):
            return {"validation": torch.tensor([3.0, 1.0, 2.0, 4.0][self.current_epoch])}

    weights = {}
    for name, stops in (("first two", [2]), ("whole", [4]), ("parts", [3, 4])):
        for epochs in stops:
            module = Scripted(rate=0.1)
            validation = Validation(Line(5), batch=2, every=1, columns=("validation",))
            average = Ema(lambda step: 0.5, best_of=validation)
            run(module, tmp_path / name, epochs, validation=validation, ema=average)
        weights[name] = module.linear.weight.item()
    assert weights["whole"] == weights["parts"] == weights["first two"]


def test_a_batch_that_does_not_fit_the_memory_names_the_key_to_change(tmp_path):
    class Large(Slope):
        def training_step(self, batch, batch_idx):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

    with pytest.raises(InputError, match=r"Large: batch: expected that 4 structures a step fit"):
        run(Large(), tmp_path, 1)
