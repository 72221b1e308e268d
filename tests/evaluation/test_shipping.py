"""A dataset of a run becomes a reference that ships, with its structures, by one call."""

import numpy as np
import pytest
from ase.build import make_supercell

import dismai
from dismai.base.card import write_card
from dismai.base.columns import ENERGY
from dismai.base.errors import InputError
from dismai.base.resources import shipped_references
from dismai.datasets.options import Options
from dismai.evaluation import reference
from dismai.evaluation.process import describe_reference
from dismai.evaluation.shipping import ship_dataset
from dismai.evaluation.training_set import dataset
from dismai.files.structures import write_structures
from tests.makers import card, slabs

NAME = "interface_other_size"


@pytest.fixture
def resources(tmp_path, monkeypatch):
    """Files that ship, with a dataset of a run among them under another name than its own."""
    spec = card("interface").model_copy(
        update={"n_train": 8, "n_val": 3, "statistics": {"reference_energy_eV_per_atom": -2.0},
                "provenance": {"params": {"seed": 1, "settings": {}}}}
    )  # fmt: skip
    run, shipped = tmp_path / "run", tmp_path / "resources"
    folder = run / "datasets" / "interface"
    folder.mkdir(parents=True)
    parts = {"train": slabs(8), "val": slabs(3, seed=50)}
    tables = {}
    for name, structures in parts.items():
        for i, atoms in enumerate(structures):
            atoms.info[ENERGY] = -2.0 - 0.01 * i
        write_structures(structures, folder / f"{name}.extxyz")
        table = describe_reference(structures, spec, Options(), name)
        tables[name] = table.assign(**{ENERGY: [atoms.info[ENERGY] for atoms in structures]})
    write_card(spec, folder / "card.json")
    (run / "reference").mkdir()
    reference.pack_features(*tables.values(), spec, "digest", run / "reference/interface.parquet")
    said = ship_dataset(run, "interface", NAME, shipped)
    assert "8 + 3 structures of" in said
    paths = {**shipped_references(), NAME: shipped / "reference" / f"{NAME}.parquet"}
    for module in ("evaluation.reference", "evaluation.training_set", "report.result"):
        monkeypatch.setattr(f"dismai.{module}.shipped_references", lambda: paths)
    monkeypatch.setattr("dismai.datasets.recipe.resource", lambda name: shipped / name)
    return shipped


def test_the_structures_come_out_as_they_went_in(resources):
    made = dataset(NAME)
    for found, given in zip([*made.train, *made.val], [*slabs(8), *slabs(3, seed=50)], strict=True):
        np.testing.assert_allclose(found.positions, given.positions, atol=1e-7)
    assert made.train[1].info[ENERGY] == -2.01
    assert made.card.name == "interface"


def test_a_file_of_other_bytes_is_refused(resources):
    (path,) = (resources / "structures").iterdir()
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(InputError, match="expected SHA-256"):
        dataset(NAME)


def test_structures_are_scored_against_it_and_it_is_named_where_they_fit_no_other(resources):
    generated = slabs(3, seed=90)
    with pytest.raises(InputError, match=f"of this size is --dataset {NAME}"):
        dismai.evaluate(generated, "interface")
    result = dismai.evaluate(generated, NAME, families="motifs")
    assert result.n_accepted == 3
    assert result.table["trivial"].isna().all()  # none is known of this size
    assert "cryingan" in result.table.loc["d_all", "published"]
    large = [make_supercell(atoms, np.diag([2, 1, 1])) for atoms in generated]
    with pytest.raises(InputError, match="give training structures of yours"):
        dismai.evaluate(large, NAME)
