"""Langevin steps chosen by the energies of what a model draws."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from dismai.base.columns import ENERGY
from dismai.base.errors import InputError
from dismai.base.section import Section
from dismai.datasets.options import Options
from dismai.evaluation import sampling_match
from dismai.evaluation.sampling_match import best_steps, match_energies
from dismai.models.settings import LangevinMatch
from dismai.pipeline.config import load
from tests.conftest import ROOT

TRAINING = np.linspace(-4.0, -3.9, 41)


class Steps(Section):
    langevin_steps: int = 3


@pytest.fixture
def annealed(monkeypatch):
    """A model whose energies fall to those of the training set with six steps, and below after."""
    asked = []

    def sample(model, n, seed):
        asked.append((model.hparams.langevin_steps, n, seed, model.state_folder.name))
        return [model.hparams.langevin_steps] * n

    def process(structures, card, options):
        n_steps = structures[0]
        shift = {5: 0.3, 6: 0.01, 7: -0.04, 8: None}[n_steps]
        energies = [] if shift is None else TRAINING[: len(structures)] + shift
        return SimpleNamespace(features=pd.DataFrame({ENERGY: energies}))

    monkeypatch.setattr(sampling_match.models, "sample", sample)
    monkeypatch.setattr(sampling_match, "process", process)
    return asked


def table_of(tmp_path, candidates):
    model = SimpleNamespace(hparams=Steps(), state_folder=None)
    return match_energies(model, candidates, 41, 9, None, Options(), TRAINING, tmp_path)


def test_the_number_of_steps_with_the_energies_of_the_training_set_is_chosen(annealed, tmp_path):
    table = table_of(tmp_path, [5, 6, 7, 8])
    np.testing.assert_allclose(table["distance_meV_per_atom"], [300, 10, 40, np.nan], atol=1e-9)
    assert table["n_accepted"].tolist() == [41, 41, 41, 0]
    assert best_steps(table) == 6
    # The same draws for all, each with finished batches of its own.
    assert annealed == [(n, 41, 9, f"steps{n}") for n in (5, 6, 7, 8)]
    assert best_steps(pd.concat([table, table.assign(langevin_steps=2)])) == 2


def test_without_an_accepted_structure_nothing_is_chosen(annealed, tmp_path):
    table = table_of(tmp_path, [8])
    assert best_steps(table) is None


@pytest.mark.parametrize(
    ("overlay", "expected"),
    [
        ("models: {cdvae: {match_langevin: {alloy_300K_wide: {steps: [6]}}}}", "expected a data"),
        ("models: {unimat: {match_langevin: {amorphous_si: {steps: [6]}}}}", "langevin_steps"),
        ("models: {cdvae: {match_langevin: {amorphous_si: {steps: [0]}}}}", "greater than 0"),
    ],
)  # fmt: skip
def test_a_choice_that_cannot_be_made_is_refused_with_the_configuration(
    tmp_path, overlay, expected
):
    path = tmp_path / "overlay.yaml"
    path.write_text(overlay)
    with pytest.raises(InputError, match=expected):
        load(str(ROOT / "config" / "config.yaml"), str(path))
    with pytest.raises(ValidationError):
        LangevinMatch(steps=[])
