"""Trivial generators beside every value against a shipped reference, and the verdict."""

import json
import re

import numpy as np
import pytest

import dismai
from dismai.base.kinds import KINDS
from dismai.base.resources import shipped_references
from dismai.datasets.baselines import random_decoration
from dismai.evaluation import trivial
from dismai.evaluation.reference import load_shipped
from dismai.metrics.clusters import published_expansion
from tests.makers import ordered_alloys, permuted_alloys

DATASET = "alloy_300K_wide"


@pytest.fixture(scope="module")
def shuffled():
    spec = load_shipped(DATASET, published_expansion()).spec
    structures = random_decoration(spec, trivial.N_STRUCTURES, trivial.SEED)
    return dismai.evaluate(structures, DATASET, name="shuffled")


def test_every_shipped_reference_has_a_trivial_generator_with_its_headline():
    for dataset in shipped_references():
        name, values = trivial.trivial_values(dataset)
        kind = KINDS[load_shipped(dataset, published_expansion()).spec.kind]
        assert name in trivial.LABELS
        assert values[kind.headline] > 0


def test_random_places_have_the_atoms_of_crystals_and_none_of_their_order():
    name, values = trivial.trivial_values("crystals")
    assert name == "random_places"
    assert values["ks_atomic_number"] < 0.2 < values["ks_mean"]
    assert values["percent_with_symmetry"] == 0


def test_the_shipped_values_are_those_of_the_code(shuffled):
    known = shuffled.table[shuffled.table["value"].notna()]
    np.testing.assert_allclose(known["value"], known["trivial"], rtol=1e-5)


def test_a_set_that_has_learnt_nothing_is_told_so_everywhere(shuffled, tmp_path):
    assert shuffled.verdict.startswith("No better than the atoms of the training set on shuffled")
    assert shuffled.verdict in str(shuffled)
    page = shuffled.save(tmp_path / "out").read_text()
    assert shuffled.verdict in page
    assert '<a href="structures.html">' in page
    content = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert content["verdict"] == shuffled.verdict
    assert content["trivial"]["baseline"] == "random_decoration"


def test_structures_in_3d_stand_beside_and_load_nothing(shuffled, tmp_path):
    shuffled.save(tmp_path / "out")
    text = (tmp_path / "out" / "structures.html").read_text()
    assert "default-src 'none'" in text
    assert re.findall(r"<h(\d)", text.split("<script")[0]) == ["1", "2"]  # as one reads aloud
    data = text.split('id="structures">')[1].split("</script>")[0]
    (dataset,) = json.loads(data)["datasets"].values()
    assert [one["state"] for one in dataset["structures"]] == ["as generated", "cleaned"]
    assert len(dataset["structures"][0]["symbols"]) == 256


def test_verdicts_between_and_at_the_floor():
    train, same, other = permuted_alloys(40)[:30], permuted_alloys(40)[30:], ordered_alloys(12)
    at_floor = dismai.evaluate(same, DATASET, reference=train)
    assert at_floor.verdict.startswith("Not told apart from new structures")
    worse = dismai.evaluate(other, DATASET, reference=train)
    assert worse.verdict.startswith("Worse than new structures of the training distribution (")
    assert worse.table["trivial"].isna().all()
    few = dismai.evaluate(same[:3], DATASET, reference=train)
    assert few.verdict == "No verdict: only 3 structures were accepted."
