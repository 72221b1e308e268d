"""Batches of samples: the same in any number, none drawn twice, none of another model."""

import pytest
import torch

from dismai.base.errors import InputError
from dismai.models.batches import draw_in_batches
from tests.models.drawing import Random

Random.__abstractmethods__ = frozenset()


def test_a_structure_does_not_depend_on_how_many_follow():
    few, many = Random().sample(3, seed=1), Random().sample(10, seed=1)
    assert (len(few), len(many)) == (3, 10)
    torch.testing.assert_close(few, many[:3], rtol=0, atol=0)


def test_finished_batches_are_not_drawn_again(tmp_path):
    first = Random()
    first.state_folder = tmp_path
    expected = first.sample(6, seed=1)
    (tmp_path / "samples0000004.safetensors").unlink()  # as if killed during the second one
    again = Random()
    again.state_folder = tmp_path
    torch.testing.assert_close(again.sample(6, seed=1), expected, rtol=0, atol=0)
    assert (first.drawn, again.drawn) == ([0, 4], [4])


@pytest.mark.parametrize("change", ["seed", "weights", "damage"])
def test_batches_of_something_else_are_drawn_afresh(tmp_path, change, caplog):
    model = Random()
    model.state_folder = tmp_path
    model.sample(4, seed=1)
    path = tmp_path / "samples0000000.safetensors"
    if change == "damage":
        path.write_bytes(path.read_bytes()[:-2])
    other = Random(scale=2.0 if change == "weights" else 1.0)
    other.state_folder = tmp_path
    other.sample(4, seed=2 if change == "seed" else 1)
    assert other.drawn == [0]
    assert "damaged" in caplog.text or "another generation" in caplog.text


def test_what_the_memory_does_not_hold_is_drawn_in_halves_and_said(caplog):
    model, limit = Random(), 3
    whole = model.sample(8, seed=1)
    drawn = []

    def draw(indices):
        drawn.append(len(indices))
        if len(indices) > limit:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
        return {"x": torch.stack([whole[i] for i in indices])}

    found = draw_in_batches(model, model.weights, 8, 1, 8, draw)["x"]
    torch.testing.assert_close(found, whole, rtol=0, atol=0)
    assert drawn == [8, 4, 2, 2, 2, 2]  # and never again more than what fitted
    assert caplog.text.count("do not fit the memory") == 2
    assert "sampling_batch: 2" in caplog.text


def test_one_structure_that_does_not_fit_the_memory_is_an_input_error():
    def draw(indices):
        raise torch.OutOfMemoryError("CUDA out of memory")

    model = Random()
    with pytest.raises(InputError, match="expected that one structure fits the memory of the CPU"):
        draw_in_batches(model, model.weights, 2, 1, 2, draw)


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    def draw(indices):
        raise RuntimeError("a fault of the model")

    model = Random()
    with pytest.raises(RuntimeError, match="a fault of the model"):
        draw_in_batches(model, model.weights, 2, 1, 2, draw)
