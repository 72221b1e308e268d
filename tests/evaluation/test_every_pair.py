"""Every model of `make demo-all` on each kind of its datasets: trained, drawn from and scored."""

from contextlib import suppress

import numpy as np
import pytest

from dismai import models
from dismai.base.errors import InputError
from dismai.base.kinds import kind_name
from dismai.datasets.options import Options
from dismai.evaluation.process import process
from dismai.evaluation.reference import describe_reference
from dismai.evaluation.score import score
from dismai.pipeline.config import load, run_table
from dismai.pipeline.demo import CONFIGURATIONS
from tests.conftest import ROOT
from tests.makers import MAKERS, card

CONFIG = load(*(ROOT / path for path in ("config/config.yaml", *CONFIGURATIONS["demo-all"])))
SHORTEST = {
    **dict.fromkeys(("epochs", "base_epochs", "sr_epochs", "langevin_steps", "correctors"), 1),
    **dict.fromkeys(("batch", "steps", "namer_steps", "validations"), 2),
    **{"levels": 3, "sampling_batch": 2, "validate_every": 1, "checkpoint_every": 100},
}
"""Instead of the lengths of trainings and draws there; sizes of networks stay."""
PAIRS = {
    (kind_name(run.dataset), run.model): run for run in run_table(CONFIG) if run.kind == "trained"
}


def models_of(kind):
    """Names of our architectures that can model a kind."""
    for name in models.OURS:
        with suppress(InputError):
            models.check_kind(name, kind)
            yield name


def in_blocks(structures, spec):
    """Structures with their atoms in the blocks of species of the card."""
    species = list(spec.composition)
    return [
        atoms[np.argsort([species.index(symbol) for symbol in atoms.symbols], kind="stable")]
        for atoms in structures
    ]


def test_every_architecture_that_can_is_trained_on_each_kind_of_the_papers():
    kinds = {kind for kind, _ in PAIRS}
    assert kinds == {"alloy", "amorphous_si", "interface"}
    assert set(PAIRS) == {(kind, name) for kind in kinds for name in models_of(kind)}


@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_a_model_trains_draws_and_is_scored(kind, name, tmp_path):
    run = PAIRS[kind, name]
    moving = {"region_atoms": {"Li": 3, "Sc": 3, "Cl": 6}} if kind == "interface" else {}
    spec = card(kind).model_copy(update={"statistics": moving})
    entry = CONFIG.models[name]
    params = {**entry.hparams(run.dataset), **SHORTEST}
    known = type(models.check_hparams(entry.architecture, {})).model_fields
    params = {key: value for key, value in params.items() if key in known}
    model = models.create(entry.architecture, spec, **params)
    sets = MAKERS[kind](4), MAKERS[kind](2, seed=50)
    train, val = (in_blocks(structures, spec) for structures in sets)
    models.train(model, train, val, tmp_path / "model.safetensors", seed=0)
    drawn = models.sample(models.load(tmp_path / "model.safetensors"), 2, seed=1)
    assert len(drawn) == 2
    assert all(np.isfinite(atoms.positions).all() for atoms in drawn)
    options = Options()
    done = process(dict(enumerate(drawn)), spec, options)
    reference, held_out = (describe_reference(part, spec, options, "set") for part in (train, val))
    metrics = score(
        done.features, done.fates, reference=reference, held_out=held_out, spec=spec, model=name,
        kind="trained", seed=0, self_reports=None,
    ).set_index("metric")  # fmt: skip
    rejected = (done.fates["status"] == "rejected").mean()
    assert metrics.loc["percent_failed", "value"] == pytest.approx(100 * rejected)
    assert (metrics["n_generated"] == 2).all()
