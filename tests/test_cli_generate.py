"""`dismai generate`: structures of a trained model, in a file."""

from pathlib import Path

import ase.io
import numpy as np
import pytest

from dismai import models
from tests.commands import dismai
from tests.makers import alloy_spec
from tests.models.conftest import SMALL, fit_and_save


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    settings = {**SMALL, "translations": False, "epochs": 1}
    fit_and_save(models.create("cryingan", alloy_spec(), **settings), folder)
    return folder / "model.safetensors"


def test_structures_are_those_that_the_model_draws(trained, tmp_path):
    out = tmp_path / "new" / "mine.extxyz"
    result = dismai("generate", trained, "--out", out, "-n", 3, "--seed", 5)
    assert result.stdout.endswith("mine.extxyz, 3 structures.\n")
    expected = models.load(trained).sample(3, 5)
    for found, atoms in zip(ase.io.read(out, index=":"), expected, strict=True):
        np.testing.assert_allclose(found.positions, atoms.positions, atol=1e-7)


def test_a_model_of_one_size_draws_no_other(trained, tmp_path):
    out = tmp_path / "mine.extxyz"
    arguments = ("generate", trained, "--out", out, "--repeat", 2, 2, 2)
    result = dismai(*arguments, check=False)
    assert result.returncode == 2
    assert result.stderr == (
        "dismai: cryingan: repeat: expected 1 1 1, as it draws cells of one size only, "
        "found 2 2 2\n"
    )
    assert not out.exists()


def test_a_place_that_no_file_can_take_is_said_before_the_model_is_read(tmp_path):
    for place in (tmp_path, "/dev/null"):
        result = dismai("generate", tmp_path / "none", "--out", place, check=False)
        assert result.returncode == 2
        assert "expected a file or none yet, found a " in result.stderr
    assert Path("/dev/null").is_char_device()


def test_what_is_no_model_is_one_line(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    arguments = ("generate", tmp_path / "model.safetensors", "--out", tmp_path / "a.extxyz")
    result = dismai(*arguments, check=False)
    assert result.returncode == 2
    assert "model.safetensors" in result.stderr
    assert "Traceback" not in result.stderr
