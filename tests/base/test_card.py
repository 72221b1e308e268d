"""Cards of the two sorts: what is stored of them, and what they take for a structure."""

import json
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

import dismai.models
from dismai.base.card import CrystalSpec, DatasetSpec, card_from, read_card, write_card
from dismai.base.errors import InputError, StructureError
from dismai.base.kinds import KINDS, Kind
from dismai.base.resources import shipped_references
from tests.conftest import ROOT

MIXED = Kind(
    name="mixed",
    label="mixed crystals",
    datasets=("mixed",),
    composition={},
    section="dismai.datasets.alloy.settings:AlloyDataset",
    functions="",
    headline="",
    card="dismai.base.card:CrystalSpec",
)
"""A kind of crystals of any composition."""


@pytest.fixture
def mixed(monkeypatch):
    monkeypatch.setitem(KINDS._found, "mixed", MIXED)


@pytest.mark.parametrize("dataset", shipped_references())
def test_cards_that_were_stored_stay_the_same_to_the_byte(dataset, tmp_path):
    footer = pq.read_schema(shipped_references()[dataset]).metadata
    stored = footer[b"card"].decode()
    spec = card_from(json.loads(stored))
    assert type(spec) is KINDS[spec.kind].card_class
    assert json.dumps(spec.model_dump(mode="json")) == stored
    write_card(spec, tmp_path / "card.json")
    assert (tmp_path / "card.json").read_text() == json.dumps(json.loads(stored), indent=2) + "\n"
    assert read_card(tmp_path / "card.json") == spec


def test_a_card_of_crystals_is_stored_with_what_is_its_own_behind_the_kind(mixed, tmp_path):
    spec = CrystalSpec(name="some", kind="mixed", max_atoms=20, elements=("O", "Si"), n_train=3)
    write_card(spec, tmp_path / "card.json")
    content = json.loads((tmp_path / "card.json").read_text())
    assert list(content)[:5] == ["name", "kind", "max_atoms", "elements", "n_train"]
    assert read_card(tmp_path / "card.json") == spec


def test_a_card_is_of_the_sort_of_its_kind(mixed):
    with pytest.raises(ValidationError, match="expected a CrystalSpec for mixed, found a Dataset"):
        DatasetSpec(name="a", kind="mixed", composition={"Si": 1}, cell_A=((1, 0, 0),) * 3)
    with pytest.raises(ValidationError, match="expected a DatasetSpec for alloy, found a Crystal"):
        CrystalSpec(name="a", kind="alloy")


def test_json_that_is_no_card_is_one_line(tmp_path):
    (tmp_path / "card.json").write_text("[1]")
    with pytest.raises(InputError, match="card.json: expected a dataset card, found list"):
        read_card(tmp_path / "card.json")


def test_which_structures_a_card_takes(mixed):
    spec = dismai.models.paper_spec("mixed")
    spec.check({"Na": 26, "Cl": 26})
    for counts, found in (({"Na": 27, "Cl": 26}, 53), ({}, 0)):
        with pytest.raises(StructureError, match=f"expected 1 to 52 atoms, found {found}"):
            spec.check(counts)
    silicon = dismai.models.paper_spec("amorphous_si")
    silicon.check({"Si": 256})
    with pytest.raises(StructureError, match="composition: expected Si256, found Si255 Ge1"):
        silicon.check({"Si": 255, "Ge": 1})


def test_a_model_of_one_composition_is_refused_for_crystals_in_one_line(mixed):
    expected = "cdvae models alloy, amorphous_si, interface.*, not mixed; on mixed there are "
    with pytest.raises(InputError, match=expected) as caught:
        dismai.models.create("cdvae", dismai.models.paper_spec("mixed"))
    assert "\n" not in str(caught.value)


def test_a_wrong_pair_is_an_error_of_the_configuration():
    """The Snakefile reads it: no torch is imported for it."""
    code = f"""
import sys
import yaml
from dismai.base.errors import InputError
from dismai.base.kinds import KINDS
from dataclasses import replace
from dismai.pipeline.config import validate
KINDS._found["alloy"] = replace(KINDS["alloy"], card="dismai.base.card:CrystalSpec")
raw = yaml.safe_load(open({str(ROOT / "config" / "config.yaml")!r}))
try:
    validate(raw)
except InputError as error:
    print(error)
print({{"torch", "ase", "pymatgen"}} & set(sys.modules))
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = said.stdout.splitlines()
    assert lines[0].startswith("configuration: runs.0: cdvae models amorphous_si, interface")
    assert "not alloy; on alloy there are crystal_diffusion, " in lines[0]
    assert lines[1:] == ["set()"]
