"""M3GNet: forces and stress are derivatives, files are safe, training learns and resumes."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from ase.build import bulk

from dismai import potentials
from dismai.base.errors import InputError
from dismai.base.resources import resource
from dismai.files.tensors import write_tensors
from dismai.potentials.labels import EV_PER_A3_TO_GPA, Label
from dismai.potentials.m3gnet import load
from dismai.potentials.m3gnet.data import reference_energies, split_labels
from dismai.potentials.m3gnet.errors import error_table, scan_table
from dismai.potentials.m3gnet.network import MODEL_FILE, build, calculator, save
from dismai.potentials.m3gnet.settings import M3gnet
from dismai.potentials.m3gnet.training import predictions, train
from tests.pretended_gpu import pretended_gpu

SMALL = M3gnet(
    units=8, n_blocks=1, max_n=2, max_l=2, cutoff_A=4.0, threebody_cutoff_A=3.0, batch=2, epochs=2
)
ELEMENTS = ["Cl", "Li"]


def rattled(seed, amplitude=0.1):
    atoms = bulk("LiCl", "rocksalt", a=5.1, cubic=True)
    atoms.rattle(amplitude, seed=seed)
    return atoms


def spring_label(seed, relaxation):
    """A made-up energy: springs that tie every atom to its site."""
    atoms = rattled(seed)
    moved = atoms.positions - bulk("LiCl", "rocksalt", a=5.1, cubic=True).positions
    return Label(
        atoms, -24.0 + float((moved**2).sum()), -2 * moved, np.full(6, 0.01), True,
        {"relaxation": relaxation},
    )  # fmt: skip


@pytest.fixture
def labels():
    """Twelve labels of six relaxations."""
    return [spring_label(i, i // 2) for i in range(12)]


@pytest.fixture
def potential():
    return build(ELEMENTS, SMALL, np.array([-3.0, -2.0]), 0.7, seed=1).eval()


def test_forces_and_stress_are_derivatives_of_the_energy(potential):
    atoms = rattled(3)
    atoms.calc = calculator(potential.double())
    forces, stress = atoms.get_forces(), atoms.get_stress()
    step = 1e-4
    for atom, axis in ((0, 0), (5, 2)):
        energies = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.calc = atoms.calc
            moved.positions[atom, axis] += sign * step
            energies.append(moved.get_potential_energy())
        numeric = -(energies[0] - energies[1]) / (2 * step)
        assert forces[atom, axis] == pytest.approx(numeric, abs=1e-5)
    energies = []
    for sign in (1, -1):
        strained = atoms.copy()
        strained.calc = atoms.calc
        strain = np.eye(3)
        strain[0, 0] += sign * step
        strained.set_cell(atoms.cell.array @ strain, scale_atoms=True)
        energies.append(strained.get_potential_energy())
    numeric = (energies[0] - energies[1]) / (2 * step) / atoms.get_volume()  # eV/Å³
    assert stress[0] == pytest.approx(numeric, abs=1e-6)


def test_the_reference_energies_of_the_elements_are_part_of_the_energy(potential):
    atoms = rattled(1)
    atoms.calc = calculator(potential)
    with_references = atoms.get_potential_energy()
    potential.element_refs = None
    atoms.calc = calculator(potential)
    assert with_references - atoms.get_potential_energy() == pytest.approx(4 * -3.0 + 4 * -2.0)


def test_reference_energies_solve_what_compositions_tell_apart():
    atoms = [bulk("Li", cubic=True), bulk("LiCl", "rocksalt", a=5.1)]
    forces = [np.zeros((len(one), 3)) for one in atoms]
    labels = [
        Label(one, energy, force, None, True)
        for one, energy, force in zip(atoms, (-4.0, -7.0), forces, strict=True)
    ]
    np.testing.assert_allclose(reference_energies(labels, ["Cl", "Li"]), [-5.0, -2.0])
    np.testing.assert_allclose(reference_energies(labels[1:], ["Cl", "Li"]), [-3.5, -3.5])


def test_a_saved_potential_comes_back_through_the_registry_to_the_same_numbers(potential, tmp_path):
    save(tmp_path / MODEL_FILE, potential, SMALL)
    atoms = rattled(2)
    atoms.calc = calculator(potential)
    expected = atoms.get_forces()
    for folder in (tmp_path, tmp_path / MODEL_FILE):
        atoms.calc = potentials.load({"kind": "m3gnet", "folder": str(folder)})
        np.testing.assert_array_equal(atoms.get_forces(), expected)
    assert (tmp_path / "hparams.yaml").exists()


def test_files_that_hold_no_m3gnet_are_refused(tmp_path):
    with pytest.raises(InputError, match="found no such file"):
        load(tmp_path)
    path = tmp_path / MODEL_FILE
    write_tensors(path, {"a": torch.zeros(2)}, {"architecture": "cryingan"})
    with pytest.raises(InputError, match="header: expected kind m3gnet, found a file of no M3GNet"):
        load(tmp_path)
    path.write_bytes(b"\x80\x04pickle")
    with pytest.raises(InputError, match="expected a safetensors file"):
        load(tmp_path)


def test_an_m3gnet_that_is_not_trained_yet_is_refused():
    with pytest.raises(InputError, match="expected a folder, found a training that is yet to make"):
        potentials.load({"kind": "m3gnet", "train": {}})


def test_the_split_keeps_the_steps_of_a_relaxation_together(labels):
    parts = split_labels(labels, "relaxation", seed=0)
    sets = [{i // 2 for i in part} for part in (parts.train, parts.val, parts.test)]
    assert sorted(parts.train + parts.val + parts.test) == list(range(12))
    assert not sets[0] & sets[1] | sets[0] & sets[2] | sets[1] & sets[2]
    assert len(parts.val) == len(parts.test) == 2
    assert split_labels(labels, "relaxation", seed=0) == parts


def test_a_random_split_is_80_10_10(labels):
    many = labels * 10
    parts = split_labels(many, "random", seed=0)
    assert (len(parts.train), len(parts.val), len(parts.test)) == (96, 12, 12)


def test_too_few_relaxations_are_refused(labels):
    with pytest.raises(InputError, match="expected at least 3 relaxations to split, found 1"):
        split_labels(labels[:2], "relaxation", seed=0)


def test_training_lowers_the_loss_and_a_second_one_gives_the_same_weights(labels, tmp_path):
    settings = SMALL.model_copy(update={"epochs": 30, "learning_rate": 1e-2})
    first, _ = train(labels, settings, tmp_path / "a", seed=0)
    history = pd.read_csv(tmp_path / "a" / "history.csv")
    assert history["loss"].iloc[-1] < 0.7 * history["loss"].iloc[0]
    assert "val_force_mae_meV_per_A" in history
    second, _ = train(labels, settings, tmp_path / "b", seed=0)
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


def test_a_resumed_training_ends_with_the_weights_of_an_undisturbed_one(labels, tmp_path):
    settings = SMALL.model_copy(update={"epochs": 4, "checkpoint_every": 4, "ema_decay": 0.9})
    whole, _ = train(labels, settings, tmp_path / "whole", seed=0)
    train(labels, settings, tmp_path / "cut", seed=0)
    newest = sorted((tmp_path / "cut" / "state").glob("*.safetensors"))
    assert len(newest) == 2
    newest[-1].unlink()  # as if killed after the state before
    resumed, _ = train(labels, settings, tmp_path / "cut", seed=0)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_labels_without_stress_train_energy_and_forces(labels, tmp_path):
    bare = [
        Label(one.atoms, one.energy_eV, one.forces_eV_per_A, None, True, one.provenance)
        for one in labels
    ]
    potential, parts = train(bare, SMALL, tmp_path, seed=0)
    assert "stress" not in pd.read_csv(tmp_path / "history.csv")
    table = predictions(potential, [bare[i] for i in parts.test], SMALL, len(parts.train))
    assert set(table["quantity"]) == {"energy", "force"}


def test_predictions_stand_beside_the_labels_in_their_units(potential, labels):
    table = predictions(potential, labels[:1], SMALL, 4)
    counts = table.groupby("quantity").size()
    assert counts.to_dict() == {"energy": 1, "force": 24, "stress": 6}
    label = table.set_index("quantity")["label"]
    assert label["energy"] == pytest.approx(labels[0].energy_eV / 8, abs=1e-5)
    np.testing.assert_allclose(label["stress"], 0.01 * EV_PER_A3_TO_GPA, rtol=1e-5)
    atoms = labels[0].atoms.copy()
    atoms.calc = calculator(potential)
    predicted = table[table["quantity"] == "force"]["prediction"].to_numpy()
    np.testing.assert_allclose(predicted, atoms.get_forces().ravel(), atol=1e-5)


def test_the_errors_stand_beside_the_published_ones():
    rows = [("energy", -5.0, -4.99), ("energy", -5.1, -5.11), ("force", 0.3, 0.4)]
    table = pd.DataFrame(rows, columns=["quantity", "label", "prediction"])
    table.insert(0, "structure", [0, 1, 0])
    found = error_table({"train": table, "test": table}, resource("published.csv"))
    found = found.set_index(["set", "quantity"])
    assert found.loc[("test", "energy"), "mae"] == pytest.approx(10.0)  # meV/atom
    assert found.loc[("test", "energy"), "published_mae"] == 2.70
    assert found.loc[("test", "force"), "mae"] == pytest.approx(100.0)  # meV/Å
    assert found.loc[("test", "force"), "rms_label"] == pytest.approx(300.0)
    assert found.loc[("test", "force"), "published_mae"] == 20.9
    assert np.isnan(found.loc[("train", "force"), "published_mae"])


def test_the_header_of_a_model_is_json_and_nothing_is_pickled(potential, tmp_path):
    save(tmp_path / MODEL_FILE, potential, SMALL)
    data = (tmp_path / MODEL_FILE).read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert json.loads(json.loads(header["__metadata__"]["dismai"])["document"])["kind"] == "m3gnet"


def test_a_scan_sets_errors_side_by_side_with_the_best_forces_first():
    errors = {}
    for name, mae in (("slow", 30.0), ("good", 20.0), ("wide", 25.0)):
        rows = [("val", "force", "meV/A", mae), ("test", "energy", "meV/atom", mae / 10)]
        errors[name] = pd.DataFrame(rows, columns=["set", "quantity", "unit", "mae"])
    settings = {"slow": M3gnet(learning_rate=3e-4), "good": M3gnet(), "wide": M3gnet(batch=16)}
    table = scan_table(errors, settings)
    assert table["potential"].tolist() == ["good", "wide", "slow"]
    assert table["learning_rate"].tolist() == [1e-3, 1e-3, 3e-4]
    assert table["batch"].tolist() == [4, 16, 4]
    assert table["val_force_meV/A"].tolist() == [20.0, 25.0, 30.0]
    assert table["test_energy_meV/atom"].tolist() == [2.0, 2.5, 3.0]


def test_training_and_predictions_on_a_gpu_are_those_of_the_cpu(labels, tmp_path, monkeypatch):
    settings, few = SMALL.model_copy(update={"epochs": 1}), labels[:6]

    def trained(device):
        potential, parts = train(few, settings, tmp_path / device, seed=0, device=device)
        held_out = [few[i] for i in (*parts.val, *parts.test)]
        return predictions(potential, held_out, settings, len(parts.train), device)

    expected = trained("cpu")
    with pretended_gpu(monkeypatch):
        found = trained("cuda")
    pd.testing.assert_frame_equal(found, expected, rtol=1e-3, atol=1e-3)
    histories = [pd.read_csv(tmp_path / device / "history.csv") for device in ("cpu", "cuda")]
    pd.testing.assert_frame_equal(*histories, rtol=1e-4)
