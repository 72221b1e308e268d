"""Table 5: minima of a potential continued under an engine."""

import numpy as np
import pandas as pd
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT

from dismai.base.resources import resource
from dismai.dft.settings import Dft
from dismai.evaluation.study_potential import METRICS, compare_minima, table_5
from dismai.potentials.settings import RelaxationSettings
from dismai.report.potential import plot_minima

PUBLISHED = resource("published.csv")
RELAXATION = RelaxationSettings(optimizer="lbfgs", fmax_eV_per_A=0.01)


class Shifted(EMT):
    """EMT with another zero of the energy, eV per atom."""

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):
        super().calculate(atoms, properties, system_changes)
        self.results["energy"] += 0.002 * len(atoms)


def rattled(seed):
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.1, seed=seed)
    return atoms


def test_a_potential_with_the_same_forces_needs_no_steps_and_its_shift_is_the_error(emt, tmp_path):
    cells = [rattled(1), rattled(2)]
    settings = Dft(fmax_eV_per_A=0.02)
    table = compare_minima(cells, Shifted(), RELAXATION, settings, tmp_path, "a")
    assert (table["status"] == "ok").all()
    assert (table["potential_steps"] > 0).all()
    assert table["n_steps"].tolist() == [0, 0]
    np.testing.assert_allclose(table["error_meV_per_atom"], 2.0, atol=1e-6)
    np.testing.assert_allclose(table["difference_meV_per_atom"], 2.0, atol=1e-6)


def test_finished_structures_are_taken_over_unless_something_changed(emt, tmp_path):
    arguments = ([rattled(1)], EMT(), RELAXATION, Dft(), tmp_path)
    first = compare_minima(*arguments, "a")
    assert compare_minima(*arguments, "a").equals(first)
    assert len(emt) == 1
    compare_minima(*arguments, "b")
    assert len(emt) == 2


@pytest.mark.parametrize("change", ["structure", "relaxation", "engine"])
def test_a_row_is_taken_over_for_what_it_answers_only(emt, tmp_path, caplog, change):
    first = compare_minima([rattled(1)], EMT(), RELAXATION, Dft(), tmp_path, "a")
    cells = [rattled(2 if change == "structure" else 1)]
    loose = RELAXATION.model_copy(update={"fmax_eV_per_A": 0.02})
    relaxation = loose if change == "relaxation" else RELAXATION
    settings = Dft(fmax_eV_per_A=0.03) if change == "engine" else Dft()
    second = compare_minima(cells, EMT(), relaxation, settings, tmp_path, "a")
    assert len(emt) == 2
    assert "not used" in caplog.text
    fresh = compare_minima(cells, EMT(), relaxation, settings, tmp_path / "fresh", "a")
    assert second.equals(fresh)
    assert change == "engine" or not second.equals(first)


def test_a_damaged_row_is_made_again(emt, tmp_path, caplog):
    arguments = ([rattled(1)], EMT(), RELAXATION, Dft(), tmp_path, "a")
    first = compare_minima(*arguments)
    row = tmp_path / "00000.json"
    row.write_text(row.read_text()[:20])
    assert compare_minima(*arguments).equals(first)
    assert "is damaged" in caplog.text


def test_a_minimum_that_the_engine_does_not_reach_is_a_row_with_its_reason(emt, tmp_path):
    settings = Dft(fmax_eV_per_A=1e-9, max_steps=1)
    table = compare_minima([rattled(1)], EMT(), RELAXATION, settings, tmp_path, "a")
    assert table["status"].tolist() == ["not converged by the engine in 1 steps"]


def test_without_a_minimum_that_both_reach_the_table_says_why():
    reasons = ["not converged by the engine in 40 steps"] * 2 + ["the engine failed: X"]
    names = ["final_energy_eV_per_atom", *(column for column, _, _ in METRICS.values())]
    minima = pd.DataFrame({"status": reasons} | dict.fromkeys(names))
    table = table_5(minima, None, PUBLISHED)
    numbers = table[table["group"] != "not compared"]
    assert (numbers["n"] == 0).all()
    assert numbers["mean"].isna().all()
    assert numbers["published_mean"].notna().all()
    failed = table[table["group"] == "not compared"].set_index("metric")["n"]
    assert failed.to_dict() == {reasons[0]: 2, reasons[2]: 1}
    figure = plot_minima(table)
    assert figure.get_supxlabel().startswith("0 of 3 structures")
    figure.canvas.draw()


def test_low_and_high_energies_stand_apart_beside_the_published_numbers():
    minima = pd.DataFrame(
        {
            "status": ["ok", "ok", "ok", "not converged"],
            "final_energy_eV_per_atom": [-4.80, -4.79, -4.70, None],
            "n_steps": [10.0, 20.0, 60.0, None],
            "error_meV_per_atom": [1.0, 3.0, 9.0, None],
            "difference_meV_per_atom": [1.0, 1.0, 4.0, None],
        }
    )
    table = table_5(minima, -4.78, PUBLISHED).set_index(["group", "metric"])
    steps = "n_DFT_steps_after_M3GNet"
    assert table.loc[("low", steps), "mean"] == 15
    assert table.loc[("low", steps), "std"] == 5
    assert table.loc[("high", steps), "n"] == 1
    assert table.loc[("all", steps), "mean"] == 30
    assert table.loc[("all", steps), "published_mean"] == 31.7
    assert table.loc[("low", steps), "published_std"] == 25.7
    errors = "abs_dE_M3GNet_vs_DFT_at_M3GNet_geometry"
    assert table.loc[("high", errors), "published_mean"] == 11.0
    by_median = table_5(minima, None, PUBLISHED).set_index(["group", "metric"])
    assert by_median.loc[("low", steps), "n"] == 2
