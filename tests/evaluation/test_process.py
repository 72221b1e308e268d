"""Generated structures on their way: each has a fate, a bad one costs only itself."""

import numpy as np
import pandas as pd
import pytest

from dismai.base.errors import InputError, StructureError
from dismai.datasets.alloy import build as alloy
from dismai.datasets.baselines import gaussian_displacement, random_decoration
from dismai.datasets.options import Options
from dismai.evaluation.process import (
    describe_reference,
    import_file,
    load_generated,
    process,
    shard_range,
)
from dismai.evaluation.score import score
from dismai.files.structures import write_structures
from tests.makers import alloy_spec

SPEC = alloy_spec()


@pytest.fixture(scope="module")
def options():
    return Options()


@pytest.fixture(scope="module")
def structures():
    return random_decoration(SPEC, 12, seed=1)


def spoil(structures):
    """One bad structure of every sort, between good ones."""
    bad = [atoms.copy() for atoms in structures]
    bad[1].positions[3, 1] = np.nan
    bad[2].positions[0, 0] = np.inf
    bad[3].symbols[0] = "Fe"
    del bad[4][[5]]
    bad[5].set_cell(np.zeros((3, 3)))
    bad[6].set_cell(bad[6].cell * 1.2, scale_atoms=True)
    bad[7].positions[:] = 0.1
    bad[8].pbc = False
    return bad


def test_every_structure_has_one_fate_and_bad_ones_fail_alone(structures, options):
    frames = dict(enumerate(spoil(structures)))
    frames[9] = StructureError("line 5: expected extended XYZ, found noise")
    result = process(frames, SPEC, options)
    fates = result.fates.set_index("structure")
    assert fates.index.tolist() == list(range(12))
    accepted = [0, 8, 10, 11]
    assert fates.index[fates["status"] == "accepted"].tolist() == accepted
    assert result.features["structure"].tolist() == accepted
    assert [atoms.info["structure"] for atoms in result.clean] == accepted
    assert fates["stage"][1:8].tolist() == ["check"] * 5 + ["clean"] * 2
    assert "NaN" in fates["reason"][1]
    assert fates["reason"][3] == "composition: expected Cr6 Fe20 Ni6, found Cr5 Fe21 Ni6"
    assert "volume" in fates["reason"][5]
    assert "within 5 %" in fates["reason"][6]
    assert fates["stage"][9] == "read"


def test_shards_cover_every_structure_once_and_change_nothing(structures, options):
    frames = dict(enumerate(structures))
    whole = process(frames, SPEC, options).features
    parts = [
        process({i: frames[i] for i in shard_range(12, k, 5)}, SPEC, options).features
        for k in range(5)
    ]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)


def test_structures_that_were_never_written_are_failures(structures, tmp_path, options):
    path = tmp_path / "raw.extxyz"
    write_structures(structures[:3], path)
    frames = load_generated(path, 5)
    result = process(frames, SPEC, options)
    assert result.fates["status"].tolist() == ["accepted"] * 3 + ["rejected"] * 2
    assert result.fates["reason"][4] == "expected 5 structures, found 3"
    with pytest.raises(InputError, match="expected 2 structures, found 3"):
        load_generated(path, 2)


def test_scores_of_the_training_set_itself_are_zero(structures, options):
    reference = describe_reference(structures, SPEC, options, "train")
    result = process(dict(enumerate(structures)), SPEC, options)
    names = (SPEC, "itself", "file", 0)
    table = score(result.features, result.fates, reference, None, *names).set_index("metric")
    own = table.loc[:"energy_above_training", "value"]
    assert own.abs().max() == pytest.approx(0, abs=1e-9)
    sets = table.loc["mmd":, "value"]
    assert sets[["fidelity", "coverage", "memorisation"]].tolist() == [1, 1, 1]
    assert sets["diversity"] == pytest.approx(1)


def test_vacancies_and_failures_are_percentages_of_the_declared_number(structures, options):
    reference = describe_reference(structures, SPEC, options, "train")
    frames = dict(enumerate(structures[:10]))
    for i in range(3):  # two atoms on one site: one vacancy
        frames[i] = frames[i].copy()
        frames[i].positions[0] = frames[i].positions[31] + [0.1, 0, 0]
    frames[9] = StructureError("lost")
    result = process(frames, SPEC, options)
    names = (SPEC, "vacant", "file", 0)
    table = score(result.features, result.fates, reference, None, *names).set_index("metric")
    assert table["value"]["percent_failed"] == 10
    assert table["value"]["percent_structures_with_vacancies"] == pytest.approx(100 * 3 / 9)
    assert table["value"]["mean_vacancies_per_structure"] == pytest.approx(3 / 9)
    assert table["value"]["d_cluster"] > 0.01


def test_a_set_without_any_accepted_structure_has_undefined_metrics(structures, options):
    reference = describe_reference(structures, SPEC, options, "train")
    result = process({0: StructureError("lost")}, SPEC, options)
    table = score(result.features, result.fates, reference, None, SPEC, "x", "file", 0)
    table = table.set_index("metric")
    assert table["value"]["percent_failed"] == 100
    assert np.isnan(table["value"]["d_cluster"])
    with pytest.raises(InputError, match="expected generated structures, found none"):
        score(result.features, result.fates[:0], reference, None, SPEC, "x", "file", 0)


def test_training_structures_must_be_whole(structures, options):
    broken = [structures[0], structures[1][:-1]]
    with pytest.raises(InputError, match="train.xyz: structure 1: composition: expected Cr6"):
        describe_reference(broken, SPEC, options, "train.xyz")


def test_a_file_of_another_format_is_imported(structures, tmp_path, options):
    folder = tmp_path / "cifs"
    folder.mkdir()
    for i in range(3):
        structures[i].write(folder / f"{i}.cif")
    (folder / "3.cif").write_text("nonsense")
    import_file(folder, 4, tmp_path / "raw.extxyz")
    result = process(load_generated(tmp_path / "raw.extxyz", 4), SPEC, options)
    assert result.fates["status"].tolist() == ["accepted"] * 3 + ["rejected"]


def test_baselines_are_seeded_structure_by_structure(structures):
    longer = random_decoration(SPEC, 20, seed=1)
    np.testing.assert_array_equal(longer[7].positions, structures[7].positions)
    displaced = gaussian_displacement(structures, SPEC, 0.25, 400, seed=2)
    moved = np.concatenate(
        [atoms.positions - structures[i % 12].positions for i, atoms in enumerate(displaced)]
    )
    assert moved.std() == pytest.approx(0.25, rel=0.02)
    assert alloy.check_composition(SPEC.composition, (2, 2, 2)) is None


def test_alloys_that_were_cleaned_elsewhere_may_lack_atoms_and_no_more(structures):
    given = [atoms.copy() for atoms in structures[:4]]
    del given[1][5]
    del given[2][5]
    given[2].symbols[0] = "Mn"
    given[3] += given[3][:1]
    cleaned = process(dict(enumerate(given)), SPEC, Options(cleaned=True))
    assert list(cleaned.fates["status"]) == ["accepted", "accepted", "rejected", "rejected"]
    assert list(cleaned.features["n_vacancies"]) == [0, 1]
    assert list(cleaned.fates["stage"][2:]) == ["check", "check"]
    plain = process(dict(enumerate(given)), SPEC, Options())
    assert list(plain.fates["status"]) == ["accepted", "rejected", "rejected", "rejected"]


def test_a_decoration_that_is_moved_turned_or_mirrored_is_not_a_distinct_one(structures, options):
    one, other = structures[:2]
    moved, turned, mirrored = one.copy(), one.copy(), one.copy()
    moved.positions += [SPEC.fcc.a_A / 2, SPEC.fcc.a_A / 2, 0]
    turned.positions = one.positions[:, [1, 0, 2]] * [1, -1, 1]
    mirrored.positions = one.positions * [1, 1, -1]
    vacant = one.copy()
    vacant.positions[0] = vacant.positions[31] + [0.1, 0, 0]
    frames = dict(enumerate([one, moved, turned, mirrored, other, vacant]))
    reference = describe_reference(structures, SPEC, options, "train")
    result = process(frames, SPEC, options)
    names = (SPEC, "moved", "file", 0)
    table = score(result.features, result.fates, reference, None, *names).set_index("metric")
    assert table["value"]["percent_distinct"] == 40
    assert table["ci_low"]["percent_distinct"] < 20 < 70 < table["ci_high"]["percent_distinct"]
