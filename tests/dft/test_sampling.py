"""The set of labels: which interfaces, which steps, what a killed job takes over."""

import numpy as np
import pytest
from ase.calculators.lj import LennardJones

from dismai.base.errors import StructureError
from dismai.datasets.interface.labelling import Task, label_interfaces
from dismai.datasets.interface.settings import Labels
from dismai.dft import calculators
from dismai.dft.settings import Dft
from dismai.potentials.labels import read_labels

GEOMETRY = {
    "lco_layers": 2,
    "lsc_layers": 3,
    "region_formula_units": 1,
    "match": {"max_area_A2": 75, "length_tolerance": 0.15, "angle_tolerance": 0.16},
}
LABELS = Labels(n_plain=1, n_exchanged=1, first_step=1, every=2, unfinished="keep_steps")


@pytest.fixture
def springs(monkeypatch):
    """A calculator of milliseconds in place of the surrogate; counts how often it is made."""
    made = []

    def calculator(settings, workdir):
        made.append(workdir)
        return LennardJones(sigma=1.8, epsilon=0.02, rc=4.0)

    monkeypatch.setattr(calculators, "_calculator", calculator)
    return made


def task(**changes):
    values = {
        "dft": Dft(region_steps=2, max_steps=4, fmax_eV_per_A=1e-6),
        "labels": LABELS,
        "geometry": GEOMETRY,
        "dataset": "interface",
        "seed": 7,
    }
    return Task(**(values | changes))


def test_exchanged_interfaces_have_exchanges_and_plain_ones_none():
    plain, exchanged = task().structure(0), task().structure(1)
    assert not [name for name in plain.info if name.startswith("n_")]
    assert sum(exchanged.info[name] for name in ("n_Sc_Co", "n_Li_Co", "n_Cl_O")) > 0
    assert set(plain.symbols[plain.get_tags() == 1]) == {"Li", "Co", "O"}
    assert plain.symbols.formula.count() == exchanged.symbols.formula.count()


def test_every_second_step_and_the_last_are_labels_with_their_origin(springs, tmp_path):
    labels, table = label_interfaces(range(2), task(), tmp_path)
    assert table["relaxation"].tolist() == [0, 1]
    assert table["exchanged"].tolist() == [False, True]
    assert table["n_steps"].tolist() == [4, 4]
    assert table["status"].str.startswith("not converged: expected 1e-06 eV/Å").all()
    assert [label.provenance["step"] for label in labels] == [1, 3, 4] * 2
    assert [label.provenance["relaxation"] for label in labels] == [0] * 3 + [1] * 3


def test_relaxations_that_do_not_end_are_refused_at_paper_scale(springs, tmp_path):
    refuse = LABELS.model_copy(update={"unfinished": "refuse"})
    labels, table = label_interfaces(range(1), task(labels=refuse), tmp_path)
    assert labels == []
    assert table["n_labels"].tolist() == [0]


def test_a_second_job_takes_over_what_is_finished_and_nothing_of_other_settings(springs, tmp_path):
    first, table = label_interfaces(range(1), task(), tmp_path)
    again, same = label_interfaces(range(1), task(), tmp_path)
    assert len(springs) == 1
    assert table.equals(same)
    np.testing.assert_allclose(again[0].forces_eV_per_A, first[0].forces_eV_per_A, atol=1e-7)
    label_interfaces(range(1), task(dft=Dft(max_steps=3, fmax_eV_per_A=1e-6)), tmp_path)
    assert len(springs) == 2


def test_an_engine_that_fails_costs_one_relaxation(springs, tmp_path, monkeypatch):
    def fail(*arguments):
        raise StructureError("expected converged electrons, found none")

    monkeypatch.setattr(calculators, "relax", fail)
    labels, table = label_interfaces(range(1), task(), tmp_path)
    assert labels == []
    assert table["status"].tolist() == ["expected converged electrons, found none"]
    assert not (tmp_path / "00000" / "labels.extxyz").exists()


def test_labels_in_the_state_are_an_ordinary_file(springs, tmp_path):
    labels, _ = label_interfaces(range(1), task(), tmp_path)
    assert len(read_labels(tmp_path / "00000" / "labels.extxyz")) == len(labels)


@pytest.mark.parametrize("file", ["row.json", "labels.extxyz"])
def test_a_damaged_finished_relaxation_is_made_again(springs, tmp_path, caplog, file):
    _, table = label_interfaces(range(1), task(), tmp_path)
    damaged = tmp_path / "00000" / file
    damaged.write_text(damaged.read_text()[: damaged.stat().st_size // 2])
    labels, again = label_interfaces(range(1), task(), tmp_path)
    assert again.equals(table)
    assert len(labels) == table["n_labels"].sum()
    assert len(springs) == 2
    assert "is damaged" in caplog.text


def test_another_version_of_the_engine_labels_afresh(springs, tmp_path, monkeypatch):
    label_interfaces(range(1), task(), tmp_path)
    monkeypatch.setattr(calculators, "version", lambda package: "99.0")
    label_interfaces(range(1), task(), tmp_path)
    assert len(springs) == 2
