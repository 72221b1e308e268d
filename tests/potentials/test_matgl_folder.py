"""An M3GNet that matgl has saved: the same numbers, and nothing in its files is executed."""

import json
import pickle

import numpy as np
import pytest
import torch
from ase.build import bulk

from dismai import potentials
from dismai.base.errors import InputError
from dismai.potentials.m3gnet.network import build, calculator
from dismai.potentials.m3gnet.settings import M3gnet

SMALL = M3gnet(units=8, n_blocks=1, max_n=2, max_l=2, cutoff_A=4.0, threebody_cutoff_A=3.5)


class Bomb:
    """A pickle that makes a file when it is opened."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.fixture
def saved(tmp_path):
    """A potential, and the folder that matgl made of it; its model.pt goes off when opened."""
    potential = build(["Li", "Cl"], SMALL, np.array([-1.5, -2.5]), 0.7, seed=3)
    folder = tmp_path / "model"
    potential.save(folder)
    (folder / "model.pt").write_bytes(pickle.dumps(Bomb(tmp_path / "bang")))
    return potential, folder


def load(folder, elements=("Li", "Cl")):
    return potentials.load({"kind": "m3gnet", "folder": str(folder)}, elements)


def test_a_folder_of_matgl_gives_the_numbers_of_its_model(saved, tmp_path):
    potential, folder = saved
    cells = [bulk("LiCl", "rocksalt", a=5.1) for _ in range(2)]
    for atoms, calc in zip(cells, (calculator(potential.eval()), load(folder)), strict=True):
        atoms.rattle(0.1, seed=1)
        atoms.calc = calc
    one, other = ((a.get_potential_energy(), a.get_forces(), a.get_stress()) for a in cells)
    for mine, theirs in zip(one, other, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert abs(one[0]) > 3.0  # references of the elements are in it
    assert not (tmp_path / "bang").exists()
    with pytest.raises(InputError, match="expected one for Co, found one for Cl, Li"):
        load(folder, ["Co"])


def test_its_digest_follows_its_files(saved):
    _, folder = saved
    entry = potentials.check_entry({"kind": "m3gnet", "folder": str(folder)})
    first = potentials.potential_digest(entry)
    text = (folder / "model.json").read_text()
    (folder / "model.json").write_text(text.replace('"metadata": null', '"metadata": "x"'))
    assert potentials.potential_digest(entry) != first


def test_weights_that_are_a_pickle_are_refused_and_not_opened(saved, tmp_path):
    _, folder = saved
    for write in (
        lambda path: path.write_bytes(pickle.dumps(Bomb(tmp_path / "bang"))),
        lambda path: torch.save({"data_std": Bomb(tmp_path / "bang")}, path),
        lambda path: torch.save([1, 2], path),
        lambda path: path.write_bytes(b""),
    ):
        write(folder / "state.pt")
        with pytest.raises(
            InputError, match=r"state.pt: expected tensors and nothing else"
        ) as error:
            load(folder)
        assert "\n" not in str(error.value)
    assert not (tmp_path / "bang").exists()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"@class": "Popen"}, "expected a Potential with M3GNet, found Potential with Popen"),
        ({"@model_version": 0}, r"expected M3GNet of version \d+, as matgl here has it, found 0"),
        ({"init_args": {"element_types": 3}}, "element_types: expected symbols, found 3"),
        ({"init_args": {"element_types": ["Li"], "units": {"@class": "x"}}}, "units: expected a"),
        ({"init_args": {"element_types": ["Li"], "other": 1}}, "other: expected a plain argument"),
        ({"init_args": {"element_types": ["Li", "Cl"]}}, "expected weights of the model"),
    ],
)  # fmt: skip
def test_a_folder_of_another_model_is_one_line(saved, change, expected):
    _, folder = saved
    data = json.loads((folder / "model.json").read_text())
    data["kwargs"]["model"] |= change
    (folder / "model.json").write_text(json.dumps(data))
    with pytest.raises(InputError, match=expected) as error:
        load(folder)
    assert "\n" not in str(error.value)


def test_a_folder_with_a_weight_too_few_or_no_json_is_one_line(saved):
    _, folder = saved
    state = torch.load(folder / "state.pt", weights_only=True)
    name = next(key for key in state if key.endswith("weight"))
    torch.save({key: value for key, value in state.items() if key != name}, folder / "state.pt")
    with pytest.raises(InputError, match=r"state.pt: expected weights .* found none for"):
        load(folder)
    (folder / "model.json").write_text("no")
    with pytest.raises(
        InputError, match=r"model.json: expected a model of matgl, found JSONDecode"
    ):
        load(folder)
