"""Minima of a potential continued under the engine, and the set that its energies choose."""

import numpy as np
import pandas as pd
import pytest
from ase.build import bulk

from dismai.base.columns import ENERGY, ENGINE_ENERGY, ENGINE_REFERENCE, ENGINE_STATUS, REFERENCE
from dismai.datasets.interface.build import build, random_interfaces
from dismai.datasets.interface.settings import InterfaceDataset
from dismai.dft.settings import Dft
from dismai.evaluation.engine_stage import (
    NOT_RELAXED,
    continue_minima,
    joined,
    joined_schema,
    minima_of,
)
from dismai.files.structures import read_table, write_table
from tests.makers import THIN_INTERFACE


def rattled(seed):
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.1, seed=seed)
    atoms.info["structure"] = seed
    return atoms


def test_structures_end_at_minima_of_the_engine_under_their_numbers(emt, tmp_path):
    given = {3: rattled(1), 5: rattled(2)}
    ended, rows = continue_minima(given, Dft(fmax_eV_per_A=0.01), tmp_path)
    assert rows["structure"].tolist() == [3, 5]
    assert (rows[ENGINE_STATUS] == "ok").all()
    assert np.ptp(rows[ENGINE_ENERGY]) < 1e-4  # the crystal, from any start
    assert rows[ENGINE_ENERGY][0] == pytest.approx(-0.0057, abs=5e-4)  # EMT's copper at its a
    assert [atoms.info["structure"] for atoms in ended] == [1, 2]
    assert np.abs(ended[0].positions - given[3].positions).max() > 0.05


def test_a_killed_job_goes_on_with_the_next_structure(emt, tmp_path):
    settings = Dft(fmax_eV_per_A=0.01)
    continue_minima({0: rattled(1)}, settings, tmp_path / "a")
    ended, rows = continue_minima({0: rattled(1), 1: rattled(2)}, settings, tmp_path / "a")
    assert len(emt) == 2
    whole, table = continue_minima({0: rattled(1), 1: rattled(2)}, settings, tmp_path / "b")
    assert rows.equals(table)
    assert [(a.positions == b.positions).all() for a, b in zip(ended, whole, strict=True)] == [1, 1]
    continue_minima({0: rattled(1)}, Dft(fmax_eV_per_A=0.02), tmp_path / "a")
    assert len(emt) == 5  # another question


def test_what_the_engine_does_not_finish_has_no_energy(emt, tmp_path):
    _, rows = continue_minima({0: rattled(1)}, Dft(fmax_eV_per_A=1e-9, max_steps=1), tmp_path)
    assert rows[ENGINE_STATUS].tolist() == ["not converged by the engine in 1 steps"]
    assert rows[ENGINE_ENERGY].isna().all()


def test_minima_of_a_potential_keep_the_numbers_of_their_rows():
    structures = [rattled(1), rattled(2), rattled(3)]
    relaxed = pd.DataFrame({"structure": [0, 1, 2], "status": ["ok", "not converged", "ok"]})
    found = minima_of(structures, relaxed)
    assert list(found) == [0, 2]
    assert found[2] is structures[2]
    features = pd.DataFrame({"structure": [4, 7, 9]})  # what failed has no row and no structure
    assert list(minima_of(structures, features).values()) == structures
    assert list(minima_of(structures, features)) == [4, 7, 9]


def test_structures_that_never_reached_the_engine_keep_their_place(emt, tmp_path):
    structures = [rattled(1), rattled(2)]
    ended, rows = continue_minima({1: structures[1]}, Dft(fmax_eV_per_A=0.01), tmp_path)
    features = pd.DataFrame({"structure": [0, 1], ENERGY: [-1.0, -2.0], "share": [1.0, 2.0]})
    together, table = joined(structures, features, ended, rows)
    assert together[0] is structures[0]
    assert together[1] is ended[0]
    assert table[ENGINE_STATUS].tolist() == [NOT_RELAXED, "ok"]
    assert "share" not in table
    write_table(table, tmp_path / "table.parquet", joined_schema(table))
    assert read_table(tmp_path / "table.parquet").equals(table)


def test_the_engine_chooses_the_low_ones_and_the_potential_keeps_its_own_zero():
    settings = InterfaceDataset(
        kind="interface", geometry=THIN_INTERFACE, n_structures=4, n_random=10, potential="chgnet",
        engine_stage={},
    )  # fmt: skip
    structures = random_interfaces(settings.geometry, 10, 1, "random_interfaces", "interface")
    n_atoms = len(structures[0])
    own = -5.0 + 0.01 * np.arange(10)
    table = pd.DataFrame(
        {
            "structure": range(10), "steps": 5, "energy_eV": n_atoms * own, "status": "ok",
            ENGINE_STATUS: ["no energy", *["ok"] * 9], ENGINE_ENERGY: -6.0 - own,
        }
    )  # fmt: skip
    train, val, spec = build(structures, table, "interface", settings, 1, {})
    chosen = [*train, *val]
    # The engine turns the order around: 48 % of nine are five, the last ones of the potential.
    assert sorted(atoms.info["interface"] for atoms in chosen) == [5, 6, 7, 8]
    for atoms in chosen:
        number = atoms.info["interface"]
        assert atoms.info[ENERGY] == pytest.approx(own[number])
        assert atoms.info[ENGINE_ENERGY] == pytest.approx(-6.0 - own[number])
        assert atoms.info["gamma_J_per_m2"] < 0
    assert spec.statistics[REFERENCE] == pytest.approx(own[1:][4:6].mean())
    assert spec.statistics[ENGINE_REFERENCE] == pytest.approx(-6.0 - own[1:][3:5].mean())
    assert any("engine of dft, under which they were relaxed" in note for note in spec.notes)
