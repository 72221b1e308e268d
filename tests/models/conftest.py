"""A small alloy and quick settings for tests of models."""

import pytest
import torch

from tests.makers import permuted_alloys

SMALL = {
    "latent": 64,
    "generator_first": 8,
    "generator_channels": [16, 16],
    "critic_channels": [16, 16],
    "critic_hidden": [16],
    "batch": 8,
    "epochs": 4,
    "learning_rate": 1e-3,
    "checkpoint_every": 8,
}

QUICK = {
    "harmonics": 4,
    "latent": 8,
    "generator_first": 128,
    "generator_channels": [64, 64],
    "critic_channels": [32, 32],
    "critic_hidden": [32],
    "critic_outputs": 1,
    "lambda_distance": 0.2,
    "generator_every": 1,
    "learning_rate": 4e-3,
    "betas": [0.0, 0.9],
    "epochs": 8,
}
"""Places the atoms of a 32-atom alloy in a quarter of a minute."""


@pytest.fixture
def one_thread():
    """Bytes of a training hold for one number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def fit_and_save(model, workdir, seed=3, n_train=8, n_val=2):
    """The model, trained on decorations of the small alloy and saved to its folder."""
    structures = permuted_alloys(n_train + n_val)
    model.fit(structures[:n_train], structures[n_train:], workdir, seed)
    model.save(workdir / "model.safetensors")
    return model


def outcome(workdir):
    """What a training leaves, as bytes."""
    return [(workdir / name).read_bytes() for name in ("model.safetensors", "history.csv")]


def check_seeds(train, folder, **changes):
    """The same seed gives the same bytes, another one other weights.

    train: of a folder, a seed and changes of the settings.
    """
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        train(folder / name, seed, **changes)
    assert outcome(folder / "a") == outcome(folder / "b")
    assert outcome(folder / "a")[0] != outcome(folder / "c")[0]
