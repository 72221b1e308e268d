import re
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from dismai.base.errors import StructureError
from dismai.metrics import angles, crystalnn, rdf
from dismai.metrics.descriptors import describe, describe_all
from tests.makers import interface264, random_cell


@pytest.mark.parametrize("preset", ["amorphous_si", "interface"])
def test_one_tessellation_gives_the_same_numbers(preset):
    atoms = interface264()
    found = describe(atoms, preset)
    np.testing.assert_array_equal(found.fingerprints, crystalnn.fingerprints(atoms, preset))
    np.testing.assert_array_equal(found.angles, angles.bond_angles(atoms))
    np.testing.assert_array_equal((found.r, found.g), rdf.rdf(atoms))


@pytest.mark.parametrize("n_threads", [1, 2])
def test_a_bad_structure_costs_itself_and_the_order_is_kept(n_threads):
    cells = [random_cell(np.random.default_rng(seed), 8) for seed in range(40)]
    cells[3] = Atoms("Si2", [(0, 0, 0), (0, 0, 0)], cell=[9, 9, 9], pbc=True)
    found = list(describe_all(iter(cells), n_threads=n_threads))
    assert len(found) == 40
    assert isinstance(found[3], StructureError)
    for atoms, own in zip(cells[4:], found[4:], strict=True):
        np.testing.assert_array_equal(own.fingerprints, crystalnn.fingerprints(atoms))


def test_the_example_of_the_docs_runs():
    text = (Path(__file__).parents[2] / "docs" / "crystalnn.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    drop_in = next(example for example in examples if "bulk" in example)
    names = {}
    exec(drop_in, names)  # noqa: S102
    assert sorted(names["index"]) == [1] * 6
    np.testing.assert_allclose(np.linalg.norm(names["vectors"], axis=1), 5.64 / 2)
