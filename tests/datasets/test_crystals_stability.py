"""Hull and formation energies by hand; which crystals are equal, new and valid."""

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT
from ase.data import atomic_numbers

from dismai.datasets.crystals.describe import ATOMS_OF
from dismai.datasets.crystals.filter import closest_over_radii
from dismai.datasets.crystals.hull import Hull, above_hull
from dismai.datasets.crystals.matches import matches
from dismai.datasets.crystals.phases import element_references, energies
from dismai.evaluation.reference import load_shipped


def hull_of(**per_atom: float) -> Hull:
    rows = {"formula": list(per_atom), "energy_eV_per_atom": list(per_atom.values())}
    return Hull(pd.DataFrame(rows))


def test_sodium_fluoride_by_hand():
    hull = hull_of(Na2=-1.3, F8=-1.9, Na4F4=-4.4, Na2F=-2.0)
    candidate = hull.rated("NaF3", -3.2)
    # between NaF and F2: two atoms of NaF in four
    assert candidate["energy_above_hull_eV_per_atom"] == pytest.approx(
        -3.2 - (0.5 * -4.4 + 0.5 * -1.9), abs=1e-9
    )
    assert candidate["formation_energy_eV_per_atom"] == pytest.approx(
        -3.2 - (0.25 * -1.3 + 0.75 * -1.9), abs=1e-9
    )
    assert candidate["n_phases"] == 4
    itself = hull.rated("NaF", -4.4)
    assert itself["energy_above_hull_eV_per_atom"] == pytest.approx(0, abs=1e-9)
    assert hull.rated("NaF", -5.0)["energy_above_hull_eV_per_atom"] == pytest.approx(-0.6)
    assert hull.rated("Na", -1.3)["formation_energy_eV_per_atom"] == pytest.approx(0, abs=1e-9)


def test_a_ternary_sees_its_binaries_and_no_other_elements():
    elements = {"Cs": -0.8, "Sr": -1.6, "F": -1.9, "Rb": -0.9}
    without = hull_of(**elements).rated("CsSrF3", -4.0)
    binaries = hull_of(**elements, CsF=-4.6, SrF2=-6.0, RbF=-9.0).rated("CsSrF3", -4.0)
    assert (without["n_phases"], binaries["n_phases"]) == (3, 5)
    # CsF + SrF2: two of five atoms, and three of five
    expected = -4.0 - (2 * -4.6 + 3 * -6.0) / 5
    assert binaries["energy_above_hull_eV_per_atom"] == pytest.approx(expected, abs=1e-9)
    assert without["formation_energy_eV_per_atom"] == binaries["formation_energy_eV_per_atom"]


def test_what_cannot_be_rated_says_why():
    crystals = pd.DataFrame(
        {
            "structure": [0, 1, 2],
            "formula": ["NaCl", "NaF", "Na"],
            "energy_eV_per_atom": [-3.0, np.nan, -1.0],
            "reason": ["", "the potential failed: it does not know F", ""],
        }
    )
    table = above_hull(crystals, hull_of(Na=-1.3, F=-1.9))
    assert table["reason"].tolist() == [
        "no phase of the pure element Cl",
        "the potential failed: it does not know F",
        "",
    ]
    assert table["energy_above_hull_eV_per_atom"].isna().tolist() == [True, True, False]


def test_phases_with_energies_of_a_potential_are_never_below_their_hull():
    metals = [bulk("Cu", "fcc", 3.61), bulk("Ag", "fcc", 4.09)]
    mixed = Atoms("CuAg", scaled_positions=[[0, 0, 0], [0.5] * 3], cell=[3.1] * 3, pbc=True)
    phases = energies([*metals, mixed], ["Cu", "Ag", "CuAg"], EMT())
    hull = Hull(phases)
    own = phases.assign(structure=range(3))
    rated = above_hull(own, hull)
    assert (rated["energy_above_hull_eV_per_atom"] > -1e-9).all()
    assert rated["formation_energy_eV_per_atom"][0] == pytest.approx(0, abs=1e-9)
    cell = mixed.copy()
    cell.calc = EMT()
    assert phases["energy_eV_per_atom"][2] == pytest.approx(cell.get_potential_energy() / 2)


class Refusing(Calculator):
    implemented_properties = ["energy"]

    def calculate(self, atoms=None, properties=None, system_changes=all_changes):
        raise RuntimeError("no such\nelement")


def test_a_potential_that_fails_costs_one_phase_and_says_so():
    table = energies([bulk("Cu")], ["Cu"], Refusing())
    assert table["energy_eV_per_atom"].isna().all()
    assert table["reason"][0] == "the potential failed: RuntimeError('no such\\nelement')"


def test_references_of_elements_are_elements():
    references = element_references()
    assert len(references) == 91
    assert all({f"element {atoms.symbols[0]}"} == {f"element {s}" for s in atoms.symbols} == {name}
               for name, atoms in references.items())  # fmt: skip


def test_every_element_of_the_shipped_crystals_has_a_reference():
    reference = load_shipped("crystals", None)
    table = pd.concat([reference.train, reference.held_out])
    numbers = {int(name.removeprefix("n_Z")) for name in ATOMS_OF if table[name].any()}
    known = {atomic_numbers[name.split()[1]] for name in element_references()}
    assert len(numbers) == 82  # californium is in a crystal that is left out
    assert numbers <= known
    added = list(element_references().values())[71:]
    assert all(0.6 < closest_over_radii(atoms) < 1.1 for atoms in added)


def test_equal_crystals_are_found_in_any_cell_and_at_any_volume():
    salt = bulk("NaCl", "rocksalt", 5.64)
    larger = bulk("NaCl", "rocksalt", 5.9, cubic=True)
    caesium = bulk("NaCl", "cesiumchloride", 3.4)
    close = Atoms("NaCl", scaled_positions=[[0, 0, 0], [0.5] * 3], cell=[1.2] * 3, pbc=True)
    training = [bulk("MgO", "rocksalt", 4.2), bulk("NaCl", "rocksalt", 5.6)]
    table = matches([salt, caesium, larger, close], [0, 2, 5, 6], training)
    assert table["same_as"].tolist() == [0, 2, 0, 2]
    assert table["known_as"].tolist() == [1, -1, 1, -1]
    assert table["valid"].tolist() == [True, True, True, False]
