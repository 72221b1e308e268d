"""Trees of tensors on disk: round trip, same bytes, damage and pickles refused."""

import pickle
from collections import OrderedDict

import pytest
import torch
from safetensors.torch import save_file

from dismai.base.errors import InputError
from dismai.files.tensors import read_tree, write_tree

TREE = {
    "weights": {"a": torch.arange(6.0).reshape(2, 3), "scalar": torch.tensor(3)},
    "optimizer": {"state": {0: {"step": torch.tensor(1.0)}}, "betas": (0.5, 0.999)},
    "plain": [None, True, 3, 1e-5, "text", [], {}],
}


def test_round_trip_keeps_types(tmp_path):
    write_tree(tmp_path / "tree", TREE)
    tree = read_tree(tmp_path / "tree")
    torch.testing.assert_close(tree["weights"], TREE["weights"], rtol=0, atol=0)
    assert tree["optimizer"]["betas"] == (0.5, 0.999)
    assert list(tree["optimizer"]["state"]) == [0]
    assert tree["plain"] == TREE["plain"]
    assert [path.name for path in tmp_path.iterdir()] == ["tree"]


def test_same_tree_same_bytes(tmp_path):
    for name in "ab":
        write_tree(tmp_path / name, TREE)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_weights_of_someone_else_are_refused(tmp_path):
    save_file({"a": torch.zeros(2)}, tmp_path / "weights", {"format": "pt"})
    with pytest.raises(InputError, match="header: expected an entry of dismai"):
        read_tree(tmp_path / "weights")


@pytest.mark.parametrize("damage", [lambda b: b[:-9], lambda b: b[:5], lambda b: b[:-1] + b"\xff"])
def test_damage_is_noticed(tmp_path, damage):
    path = tmp_path / "tree"
    write_tree(path, TREE)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=r"expected (a safetensors file|the SHA-256)"):
        read_tree(path)


def test_a_pickle_is_neither_read_nor_written(tmp_path):
    path = tmp_path / "tree"
    path.write_bytes(pickle.dumps(TREE["plain"]))
    with pytest.raises(InputError, match="expected a safetensors file"):
        read_tree(path)
    torch.save(TREE["plain"], path)
    with pytest.raises(InputError, match="expected a safetensors file"):
        read_tree(path)
    with pytest.raises(
        TypeError, match="tree/a: expected tensors and plain values, found ellipsis"
    ):
        write_tree(path, {"a": ...})


def test_an_ordered_dict_is_a_dict(tmp_path):
    write_tree(tmp_path / "tree", OrderedDict(b=1, a=2))
    assert list(read_tree(tmp_path / "tree").items()) == [("b", 1), ("a", 2)]


def test_a_kill_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "tree"
    write_tree(path, {"a": 1})
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_tree(path, {"a": 2})
    assert read_tree(path) == {"a": 1}
