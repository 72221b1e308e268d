"""The relax stage: minima are described, what does not reach one is rejected there."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from dismai.base.card import write_card
from dismai.base.columns import RELAXED
from dismai.base.errors import InputError
from dismai.datasets.options import Options
from dismai.evaluation.file import evaluate_file
from dismai.evaluation.process import describe_reference, process
from dismai.evaluation.score import score
from dismai.files.structures import write_structures
from dismai.metrics.relaxation import displacement
from dismai.potentials import BUILT_IN, check_entry, load
from dismai.potentials.relax import relax
from dismai.potentials.relaxation_plan import RelaxationPlan
from dismai.potentials.settings import RelaxationSettings
from tests.commands import dismai
from tests.makers import alloy_spec, card, diamonds

SW = RelaxationPlan(BUILT_IN["sw"])
SPEC = card("amorphous_si")


@pytest.fixture(scope="module")
def processed():
    structures = dict(enumerate(diamonds(3)))
    structures[3] = structures[0].copy()
    structures[3].positions[5] = np.nan
    return process(structures, SPEC, Options(relaxation=SW))


def test_what_is_described_is_the_minimum(processed):
    plain = process(dict(enumerate(processed.relaxed)), SPEC, Options())
    motif = [name for name in plain.features if name.startswith(("motif_", "g_", "angle_"))]
    assert len(plain.features) == 3
    pd.testing.assert_frame_equal(plain.features[motif], processed.features[motif])


def test_energy_steps_and_displacement_are_those_of_the_plain_functions(processed):
    relaxed, table = relax(diamonds(3), load({"kind": "sw"}))
    features = processed.features
    np.testing.assert_allclose(features["energy_eV_per_atom"], table["energy_eV"] / 64, rtol=1e-12)
    assert features["relaxation_steps"].tolist() == table["steps"].tolist()
    moved = [displacement(a, b) for a, b in zip(diamonds(3), relaxed, strict=True)]
    np.testing.assert_allclose(features["displacement_A"], moved, rtol=1e-9)
    assert [atoms.info["structure"] for atoms in processed.relaxed] == [0, 1, 2]
    np.testing.assert_array_equal(processed.clean[1].positions, diamonds(3)[1].positions)


def test_a_structure_that_finds_no_minimum_is_rejected_at_the_stage_relax():
    short = RelaxationPlan(BUILT_IN["sw"], RelaxationSettings(max_steps=1))
    result = process(dict(enumerate(diamonds(2))), SPEC, Options(relaxation=short))
    assert result.fates["stage"].tolist() == ["relax", "relax"]
    assert result.fates["reason"].str.startswith("not converged: expected 0.05 eV/Å").all()
    assert list(result.features.columns[:6]) == ["structure", "n_close_pairs", "n_passes", *RELAXED]
    reference = describe_reference(diamonds(2), SPEC, Options(relaxation=SW), "train")
    table = score(result.features, result.fates, reference, None, SPEC, "m", "file", 0)
    undefined = table.set_index("metric")["value"]
    assert np.isnan(undefined[["energy_above_training", "displacement_on_relaxation"]]).all()


def test_scores_gain_energy_and_displacement_only_where_structures_are_relaxed(processed):
    reference = describe_reference(diamonds(4, seed=9), SPEC, Options(relaxation=SW), "train")
    names = (SPEC, "m", "file", 0)
    table = score(processed.features, processed.fates, reference, None, *names).set_index("metric")
    above = processed.features["energy_eV_per_atom"] - reference["energy_eV_per_atom"].mean()
    assert table["value"]["energy_above_training"] == pytest.approx(1e3 * above.mean())
    assert table["unit"]["energy_above_training"] == "meV/atom"
    expected = processed.features["displacement_A"].mean()
    assert table["value"]["displacement_on_relaxation"] == pytest.approx(expected)
    plain = process(dict(enumerate(diamonds(2))), SPEC, Options())
    metrics = score(plain.features, plain.fates, reference, None, *names)["metric"].tolist()
    assert "displacement_on_relaxation" not in metrics
    assert plain.relaxed == []


def test_the_same_structures_are_scored_before_and_after_relaxation(processed):
    plain = process({i: atoms for i, atoms in enumerate(diamonds(3))}, SPEC, Options())
    motif = [name for name in plain.features if name.startswith(("motif_", "g_", "angle_"))]
    pd.testing.assert_frame_equal(processed.unrelaxed[motif], plain.features[motif])
    assert processed.unrelaxed["structure"].tolist() == [0, 1, 2]
    assert not set(RELAXED) & set(processed.unrelaxed)
    assert plain.unrelaxed is None
    reference = describe_reference(diamonds(4, seed=9), SPEC, Options(), "train")
    before, after = (
        score(table, processed.fates, reference, None, SPEC, "m", "file", 0).set_index("metric")
        for table in (processed.unrelaxed, processed.features)
    )
    assert before["value"]["d_rdf"] != after["value"]["d_rdf"]
    assert after["value"]["relaxation_steps"] == processed.features["relaxation_steps"].mean()
    assert "relaxation_steps" not in before.index
    assert after["value"]["percent_failed_check"] == 25
    stages = [name for name in after.index if name.startswith("percent_failed_")]
    assert after["value"][stages].sum() == after["value"]["percent_failed"]


def test_a_structure_without_descriptors_before_relaxation_is_accepted_all_the_same(monkeypatch):
    from dismai.base.errors import StructureError
    from dismai.datasets.amorphous_si import describe as kind

    described = kind.describe

    def only_minima(atoms, spec, options):
        if np.allclose(atoms.positions, diamonds(1)[0].positions):
            raise StructureError("no descriptor")
        return described(atoms, spec, options)

    monkeypatch.setattr(kind, "describe", only_minima)
    result = process(dict(enumerate(diamonds(2))), SPEC, Options(relaxation=SW))
    assert result.fates["status"].tolist() == ["accepted", "accepted"]
    assert result.unrelaxed["structure"].tolist() == [1]


def test_alloys_are_never_relaxed():
    with pytest.raises(InputError, match="amorphous_si or interface, found alloy"):
        process({}, alloy_spec(), Options(relaxation=SW))


def test_a_potential_without_the_elements_ends_the_evaluation_with_one_line():
    spec = card("interface")
    from tests.makers import slabs

    with pytest.raises(InputError, match="expected one for Cl, Co, Li, O, Sc, found one for Si"):
        process(dict(enumerate(slabs(1))), spec, Options(relaxation=SW))


@pytest.fixture
def folder(tmp_path):
    write_structures(diamonds(4), tmp_path / "train.extxyz")
    write_structures(diamonds(3, seed=50), tmp_path / "val.extxyz")
    write_structures(diamonds(3, seed=90), tmp_path / "set.extxyz")
    write_card(SPEC, tmp_path / "card.json")
    return tmp_path


def test_dismai_evaluate_relaxes_and_keeps_what_is_finished(folder):
    command = ["evaluate", str(folder / "set.extxyz"), "--dataset", "amorphous_si", "--reference",
               str(folder / "train.extxyz"), "--relax", "sw", "--out", str(folder / "out"),
               "--json"]  # fmt: skip
    first = dismai(*command)
    assert first.returncode == 0, first.stderr
    metrics = {row["metric"]: row for row in json.loads(first.stdout)["metrics"]}
    assert metrics["displacement_on_relaxation"]["value"] > 0.05
    assert abs(metrics["energy_above_training"]["value"]) < 10
    assert metrics["energy_above_training"]["noise_floor"] is not None
    assert "relaxed in a potential of kind sw to 0.05 eV/Å" in first.stdout
    assert len(list((folder / "out" / "state" / "relax").glob("*.json"))) == 10
    assert metrics["d_rdf"]["before_relaxation"] != metrics["d_rdf"]["value"]
    assert metrics["relaxation_steps"]["before_relaxation"] is None
    assert "before relaxation</th>" in (folder / "out" / "report.html").read_text()
    again = dismai(*command)
    assert again.stdout == first.stdout


@pytest.mark.parametrize(
    ("dataset", "word", "message"),
    [
        ("amorphous_si", "eam", "potential 'eam': expected sw, chgnet, the YAML file"),
        ("amorphous_si", "none.xml", "none.xml: expected the XML file of a GAP, found no such"),
        ("alloy_300K_wide", "sw", "--relax sw: expected amorphous silicon or an interface, found"),
    ],
)
def test_a_wrong_potential_is_one_line(folder, dataset, word, message):
    arguments = ["evaluate", folder / "set.extxyz", "--dataset", dataset, "--relax", word]
    if dataset == "amorphous_si":
        arguments += ["--reference", folder / "train.extxyz"]
    result = dismai(*arguments, check=False)
    assert result.returncode == 2
    (line,) = result.stderr.strip().splitlines()
    assert message in line


def test_energies_of_another_potential_are_not_compared(folder):
    from dismai.evaluation.file import without_other_energies
    from dismai.evaluation.reference import load_built

    reference = load_built(folder / "train.extxyz", "amorphous_si", Options(relaxation=SW))
    zero = {"reference_energy_eV_per_atom": -4.3, "n_tried": 4}
    spec = reference.spec.model_copy(update={"statistics": zero})
    reference = replace(reference, spec=spec)
    assert without_other_energies(reference, SW) is reference
    lj = check_entry({"kind": "ase", "calculator": "ase.calculators.lj:LennardJones"})
    other = without_other_energies(reference, RelaxationPlan(lj))
    assert "energy_eV_per_atom" not in other.train
    assert "energy_eV_per_atom" not in other.held_out
    assert other.spec.statistics == {"n_tried": 4}  # no interface energy without its zero
    assert "another potential" in other.notes[-1]


def test_the_file_is_evaluated_as_given_without_a_potential(folder):
    result = evaluate_file(folder / "set.extxyz", "amorphous_si", folder / "train.extxyz")
    assert "displacement_on_relaxation" not in set(result.metrics["metric"])
    assert any("as given, without relaxation" in note for note in result.notes)
