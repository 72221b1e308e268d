"""What models say of their own structures becomes metrics of the set."""

import numpy as np
import pytest
from ase import Atoms

from dismai.base.card import write_card
from dismai.base.errors import StructureError
from dismai.datasets.baselines import random_decoration
from dismai.evaluation.file import evaluate_file
from dismai.evaluation.self_reports import self_report_scores
from dismai.files.structures import write_structures
from dismai.metrics.self_reports import OF_PICTURES, RIGHT, SPECIES, UNREAD
from tests.makers import alloy_spec


def saying(**info):
    atoms = Atoms("Si", cell=[5, 5, 5], pbc=True)
    atoms.info.update(info)
    return atoms


def test_numbers_of_all_structures_are_averaged():
    found = self_report_scores(
        {
            0: saying(species_accuracy=1.0, coordinate_agreement=0.1),
            1: saying(species_accuracy=0.5, coordinate_agreement=0.3),
            2: StructureError("lost"),
            3: saying(species_accuracy=1, coordinate_agreement=np.nan),
            4: saying(species_accuracy="all of them"),
            5: saying(species_accuracy=85, coordinate_agreement=-0.5),
            6: saying(species_accuracy=[1, 2], coordinate_agreement=np.inf),
        }
    )
    assert list(found) == [SPECIES, RIGHT, "coordinate_agreement"]
    values = {name: (unit, interval.value) for name, (unit, interval) in found.items()}
    assert values[SPECIES] == ("1", pytest.approx(5 / 6))
    assert values[RIGHT] == ("%", pytest.approx(200 / 3))
    assert values["coordinate_agreement"] == ("1", pytest.approx(0.2))
    assert found[SPECIES][1].low < 5 / 6 < found[SPECIES][1].high


def test_pictures_that_cannot_be_read_improve_no_table_in_silence():
    read = saying(variance_lattice_angle=0.2, percent_of_published_steps=3.0)
    empty = Atoms(info={"percent_of_published_steps": 3.0})
    found = self_report_scores({0: read, 1: empty, 2: read, 3: StructureError("lost")})
    assert found["variance_lattice_angle"][1].value == pytest.approx(0.2)
    assert found[UNREAD][0] == "%"
    assert found[UNREAD][1].value == 50
    assert self_report_scores({0: empty})[UNREAD][1].value == 100
    assert UNREAD not in self_report_scores({0: saying(species_accuracy=1.0)})


def test_sets_that_say_nothing_have_no_such_metric():
    assert self_report_scores({0: saying(), 1: StructureError("lost")}) == {}


def test_an_evaluated_file_has_them_in_its_table(tmp_path):
    structures = random_decoration(alloy_spec(), 5, seed=0)
    for k, atoms in enumerate(structures):
        atoms.info.update(dict.fromkeys(OF_PICTURES, k / 4))
    structures[4].positions[:] = 0.1  # rejected, and still counted
    write_structures(structures, tmp_path / "raw.extxyz")
    write_structures(random_decoration(alloy_spec(), 6, seed=1), tmp_path / "train.extxyz")
    write_card(alloy_spec(), tmp_path / "card.json")
    names = (tmp_path / "raw.extxyz", "alloy_300K_narrow", tmp_path / "train.extxyz")
    metrics = evaluate_file(*names).metrics.set_index("metric")
    assert metrics.loc[[*OF_PICTURES, RIGHT], "value"].tolist() == pytest.approx([0.5] * 6 + [20])
    assert metrics.loc[SPECIES, "n_accepted"] == 4
