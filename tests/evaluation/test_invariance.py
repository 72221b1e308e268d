"""No metric of any kind depends on how the same structure is written down.

Everything that the functions of a kind return is compared, so that a new feature or metric is
held to this without being named here.
"""

import warnings
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from dismai.base.kinds import KINDS
from dismai.datasets.interface import describe as interface
from dismai.datasets.options import Options
from dismai.evaluation.process import describe_reference, process
from dismai.evaluation.score import score
from tests.makers import FIXED_CELL, MAKERS, card

few = settings(max_examples=2, phases=[Phase.explicit, Phase.generate])
seeds = st.integers(0, 2**32 - 1)
N_SET = 4
SHEARS = {
    "all": [
        [[1, 1, 0], [0, 1, 0], [0, 0, 1]],
        [[1, 0, 0], [-2, 1, 0], [0, 1, 1]],
        [[0, 1, 0], [0, 0, 1], [1, 0, 0]],
        [[0, 1, 0], [1, 0, 0], [0, 0, 1]],
        [[-1, 0, 0], [0, 1, 0], [0, 0, 1]],
    ],
    "plane": [  # the plane of an interface is that of its first two vectors
        [[1, 1, 0], [0, 1, 0], [0, 0, 1]],
        [[1, 0, 0], [-2, 1, 0], [1, -1, 1]],
        [[0, 1, 0], [1, 0, 0], [0, 0, 1]],
        [[1, 0, 0], [0, 1, 0], [0, 0, -1]],
    ],
}
NOT_INTENSIVE = ("s_",)
"""A larger cell knows more wave vectors: S(q) of both agrees only on average."""


def outside(atoms, rng):
    """Every atom moved by whole cell vectors of its own."""
    atoms.positions += rng.integers(-7, 8, (len(atoms), 3)) @ atoms.cell.array


def far_outside(atoms, rng):
    """As after a long simulation whose coordinates are never wrapped."""
    atoms.positions += rng.integers(-20000, 20000, (len(atoms), 3)) @ atoms.cell.array


def wrapped(atoms, rng):
    atoms.wrap()


def reordered(atoms, rng):
    order = rng.permutation(len(atoms))
    atoms.numbers, atoms.positions = atoms.numbers[order], atoms.positions[order]


def shifted(atoms, rng):
    atoms.positions += rng.uniform(-9, 9, 3)


def lattice_shifted(atoms, rng):
    """By a vector of the fcc lattice: without alignment its origin is that of the reference."""
    atoms.positions += 1.8 * rng.permutation([1, 1, 0])


def without_flags(atoms, rng):
    atoms.pbc = False


def other_cell(atoms, rng, which="all"):
    matrix = np.array(SHEARS[which][rng.integers(len(SHEARS[which]))])
    atoms.set_cell(matrix @ atoms.cell.array)


def other_cell_of_the_plane(atoms, rng):
    other_cell(atoms, rng, "plane")


def turned(atoms, rng):
    """Cell and atoms in another orientation in space."""
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    atoms.set_cell(atoms.cell.array @ (turn * np.linalg.det(turn)), scale_atoms=True)


COMMON = [outside, far_outside, wrapped, reordered, without_flags]
CASES = [
    *(("alloy", "none", change) for change in [*COMMON, lattice_shifted, other_cell]),
    *(("alloy", "translate", change) for change in [*COMMON, shifted, other_cell]),
    *(("alloy", "rotate", change) for change in [*COMMON, shifted, turned, other_cell]),
    *(("amorphous_si", "none", change) for change in [*COMMON, shifted, turned, other_cell]),
    *(
        ("interface", "none", change)
        for change in [*COMMON, shifted, turned, other_cell_of_the_plane]
    ),
    *(("crystals", "none", change) for change in [*COMMON, shifted, turned]),
]


@lru_cache
def reference(kind):
    return describe_reference(MAKERS[kind](9, seed=50), card(kind), Options(), "training")


@lru_cache
def whole(kind, align):
    return evaluated(kind, align, MAKERS[kind](N_SET))


def evaluated(kind, align, structures):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # missing periodic flags are told
        result = process(dict(enumerate(structures)), card(kind), Options(align))
    assert result.fates["status"].eq("accepted").all(), result.fates["reason"].tolist()
    args = (result.features, result.fates, reference(kind), None, card(kind), "m", "file", 0)
    return result.features, score(*args)


def laid(kind, features):
    """Density profiles belong to an origin until they are laid on the reference."""
    if kind != "interface":
        return features
    return interface.align_profiles(features, reference(kind))[0]


@pytest.mark.parametrize(
    ("kind", "align", "change"), CASES, ids=[f"{k}-{a}-{c.__name__}" for k, a, c in CASES]
)
@few
@given(seed=seeds)
def test_every_metric_is_the_same_however_the_structure_is_written(kind, align, change, seed):
    rng = np.random.default_rng(seed)
    structures = MAKERS[kind](N_SET)
    for atoms in structures:
        change(atoms, rng)
    features, metrics = evaluated(kind, align, structures)
    expected, expected_metrics = whole(kind, align)
    for table, wanted in (
        (laid(kind, features), laid(kind, expected)),
        (metrics, expected_metrics),
    ):
        pd.testing.assert_frame_equal(table, wanted, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
@few
@given(seed=seeds)
def test_descriptions_need_no_periodic_flags_and_no_wrapping(kind, seed):
    rng = np.random.default_rng(seed)
    spec, options = card(kind), Options()
    (atoms,) = MAKERS[kind](1)
    loose = atoms.copy()
    outside(loose, rng)
    loose.pbc = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = KINDS[kind].describe(loose, spec, options)
    np.testing.assert_allclose(found, KINDS[kind].describe(atoms, spec, options), atol=1e-7)


@pytest.mark.parametrize("kind", FIXED_CELL)
def test_a_supercell_has_the_intensive_features_of_its_cell(kind):
    spec = card(kind)
    larger = spec.model_copy(
        update={"composition": {s: 2 * n for s, n in spec.composition.items()}}
    )
    (atoms,) = MAKERS[kind](1)
    double = atoms * (2, 1, 1)
    rows = [
        KINDS[kind].describe(one, own, Options()) for one, own in ((atoms, spec), (double, larger))
    ]
    numbered = pd.DataFrame({"structure": [0], **{name: [0.0] for name in KINDS[kind].counted}})
    one, two = (KINDS[kind].tabulate(row[None], numbered, Options()) for row in rows)
    names = [name for name in one if not name.startswith(NOT_INTENSIVE)]
    pd.testing.assert_frame_equal(two[names], one[names], rtol=1e-7, atol=1e-7)
    assert len(names) > len(one.columns) / 2


def test_close_pairs_are_moved_apart_alike_in_every_image():
    (atoms,) = MAKERS["amorphous_si"](1)
    atoms.positions[5] = atoms.positions[40] + [0.4, 0.3, -0.2]
    loose = atoms.copy()
    outside(loose, np.random.default_rng(4))
    (features, _), (expected, _) = (
        evaluated("amorphous_si", "none", [one, *MAKERS["amorphous_si"](2)])
        for one in (loose, atoms)
    )
    assert expected["n_close_pairs"][0] > 0
    pd.testing.assert_frame_equal(features, expected, rtol=1e-7, atol=1e-7)


@few
@given(seed=seeds, height=st.floats(0.0, 18.0))
def test_an_interface_anywhere_along_its_normal_has_the_same_profile_distance(seed, height):
    rng = np.random.default_rng(seed)
    structures = MAKERS["interface"](9, seed=50)
    for atoms in structures:
        atoms.positions += [*rng.uniform(0, 6, 2), height + rng.uniform(0, 18)]
        atoms.wrap()
    _, metrics = evaluated("interface", "none", structures)
    values = metrics.set_index("metric")["value"]
    assert values["d_profile"] < 1e-9
    assert values["d_all"] < 1e-9


def test_the_profile_still_tells_layers_in_another_order():
    structures = MAKERS["interface"](4)
    for atoms in structures:
        atoms.numbers[np.isin(atoms.numbers, [3, 27])] = np.where(
            atoms.numbers[np.isin(atoms.numbers, [3, 27])] == 3, 3, 27
        )[::-1]
    value = evaluated("interface", "none", structures)[1].set_index("metric")["value"]["d_profile"]
    same = whole("interface", "none")[1].set_index("metric")["value"]["d_profile"]
    assert value > 3 * same
