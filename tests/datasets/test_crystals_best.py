"""The best crystals: chosen alike every time, tidied by rule, relaxed again and again."""

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk

from dismai.base.errors import StructureError
from dismai.datasets.crystals import best
from dismai.datasets.crystals.best import choose, relaxed_table, schema_of, select_best, tidied
from dismai.datasets.crystals.phases import reduced
from dismai.datasets.crystals.settings import CrystensStudy
from dismai.dft.settings import Dft, Protocol
from dismai.files.structures import write_structures
from dismai.report.stability import best_table, readable_best

STUDY = CrystensStudy(n_candidates=4, n_selected=2, protocol=Protocol(n_relaxations=1))


def rows(energies, formulas, valid=None):
    return pd.DataFrame(
        {
            "structure": range(len(energies)),
            "formula": formulas,
            "reduced": [reduced(formula) for formula in formulas],
            "formation_energy_eV_per_atom": energies,
            "valid": valid or [True] * len(energies),
        }
    )


def test_the_lowest_valid_one_of_each_formula_is_chosen():
    table = rows(
        [-1.0, -3.0, np.nan, -2.9, -2.0, -5.0, -1.5],
        ["NaCl", "Na4F4", "KF", "NaF", "MgO", "LiF", "CaO"],
        [True, True, True, True, True, False, True],
    )
    assert select_best(table, STUDY)["formula"].tolist() == ["Na4F4", "MgO"]
    more = STUDY.model_copy(update={"n_selected": 6})
    assert select_best(table, more)["formula"].tolist() == ["Na4F4", "MgO", "CaO"]  # of 4
    everything = STUDY.model_copy(update={"n_selected": 6, "n_candidates": 35})
    assert select_best(table, everything)["formula"].tolist() == ["Na4F4", "MgO", "CaO", "NaCl"]


def test_a_crystal_is_tidied_by_rule_and_told_how():
    atoms = bulk("NaCl", "rocksalt", 5.64, cubic=True)
    atoms.rattle(0.004, seed=1)
    atoms.symbols[atoms.symbols == "Na"] = "Kr"
    tuned, changes = tidied(atoms, CrystensStudy())
    assert changes == ["Kr to Rb", "made symmetric within 0.1 Å"]
    assert tuned.symbols.get_chemical_formula() == "Cl4Rb4"
    distances = tuned.get_all_distances(mic=True)
    shortest = distances[distances > 0.1].min()
    np.testing.assert_allclose(shortest, tuned.cell.lengths()[0] / 2, rtol=1e-9)


def test_crystals_are_taken_from_their_sets_and_numbers(tmp_path):
    crystals = [bulk("NaCl", "rocksalt", 5.64), bulk("MgO", "rocksalt", 4.21), bulk("Cu")]
    for number, atoms in zip([3, 5, 8], crystals, strict=True):
        atoms.info["structure"] = number
    write_structures(crystals[:2], tmp_path / "one.extxyz")
    write_structures(crystals[2:], tmp_path / "two.extxyz")
    one = rows([-2.0, -3.0], ["ClNa", "MgO"]).assign(structure=[3, 5])
    two = rows([-2.5], ["Cu"]).assign(structure=[8])
    paths = [tmp_path / "one.extxyz", tmp_path / "two.extxyz"]
    chosen = choose(["one", "two"], [one, two], paths, STUDY)
    assert [(a.info["set"], a.info["structure"], str(a.symbols[0])) for a in chosen] == [
        ("one", 5, "Mg"),
        ("two", 8, "Cu"),
    ]
    assert "4 atoms" in chosen[1].info["changes"]


def test_a_best_crystal_is_relaxed_once_and_stands_beside_those_of_the_paper(emt, root, tmp_path):
    atoms = bulk("Cu", "fcc", 3.75)
    atoms.info = {"set": "model", "structure": 2, "changes": ""}
    table = relaxed_table([atoms], 1, Dft(), STUDY, tmp_path)
    assert list(table) == schema_of(1).names
    row = table.iloc[0]
    assert (row["status"], row["formula"], row["engine"]) == ("ok", "Cu", "surrogate")
    assert row["E1_eV"] < row["E0_eV"]
    assert row["P0_kbar"] < -10 < row["P1_kbar"] < 1
    assert relaxed_table([atoms], 1, Dft(), STUDY, tmp_path).equals(table)
    assert len(emt) == 1  # the second time it is read
    assert len(relaxed_table([atoms], 2, Dft(), STUDY, tmp_path)) == 0
    published = pd.read_csv(root / "resources/crystals/fig13.csv")
    beside = best_table(table, published)
    assert beside["formula"].tolist() == [
        "Cu",
        "NaF",
        "CsSrF3",
        "TiRbF3",
        "CaCoF5",
        "SnYF3",
        "SiF?",
    ]
    shown = readable_best(beside)
    assert shown.loc[1, ["E0 eV", "P0 kbar", "P1 kbar"]].tolist() == ["-16.600", "–", "0.00"]


def test_a_crystal_that_fails_costs_itself_and_says_why(tmp_path, monkeypatch):
    def refuses(*_):
        raise StructureError("electrons do not converge")

    monkeypatch.setattr(best.dft, "relax_successively", refuses)
    atoms = Atoms("Cu", cell=[3] * 3, pbc=True, info={"set": "m", "structure": 0, "changes": ""})
    row = relaxed_table([atoms], 1, Dft(), STUDY, tmp_path).iloc[0]
    assert row["status"] == "electrons do not converge"
    assert np.isnan([row["E0_eV"], row["P1_kbar"]]).all()


def test_the_study_knows_its_defaults_from_the_paper():
    study = CrystensStudy()
    protocol = study.protocol
    assert (study.n_candidates, study.n_selected, protocol.n_relaxations) == (35, 6, 4)
    assert (protocol.functional, protocol.cutoff_eV, protocol.smearing_eV) == ("PBEsol", 400, 0.1)
    assert protocol.kpoints.divisions == (3, 3, 3)
    with pytest.raises(ValueError, match="n_candidates"):
        CrystensStudy(n_candidates=0)
