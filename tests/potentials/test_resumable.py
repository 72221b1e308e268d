"""Relaxations survive the death of their process and of their potential."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from ase import Atoms

from dismai.base.errors import InputError
from dismai.files.structures import write_structures
from dismai.potentials import check_entry, load
from dismai.potentials.relax import relax
from dismai.potentials.resumable import Relaxer, relax_resumably
from dismai.potentials.settings import RelaxationSettings
from tests.conftest import ROOT
from tests.makers import rattled_cells

SW = check_entry({"kind": "sw"})


def deadly(how):
    return check_entry(
        {"kind": "ase", "calculator": "tests.potentials.deadly:Deadly", "params": {"how": how}}
    )


@pytest.fixture(autouse=True)
def _tests_are_importable(monkeypatch):
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path)


def test_a_process_of_its_own_changes_nothing(tmp_path):
    structures = rattled_cells(3)
    here, table = relax(structures, load(SW))
    there, again = relax_resumably(structures, SW, RelaxationSettings(), tmp_path)
    pd.testing.assert_frame_equal(again, table, check_exact=True)
    for one, other in zip(here, there, strict=True):
        np.testing.assert_array_equal(one.positions, other.positions)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_process_is_replaced_before_it_has_grown_large(monkeypatch):
    monkeypatch.setattr("dismai.potentials.worker.STRUCTURES_PER_PROCESS", 2)
    unknown = {"kind": "ase", "calculator": "dismai.potentials.sw:stillinger_weber"}
    for entry, n_processes in ((check_entry(unknown), 2), (SW, 1)):
        relaxer = Relaxer(entry, RelaxationSettings())
        numbers, energies = [], []
        for atoms in rattled_cells(3):
            energies.append(relaxer.relax(atoms).energy_eV)
            numbers.append(relaxer.worker.process.pid)
        relaxer.close()
        assert len(set(numbers)) == n_processes
        assert numbers[0] == numbers[1]
        assert energies == relax(rattled_cells(3), load(SW))[1]["energy_eV"].tolist()


def test_what_is_finished_is_taken_over_and_nothing_else(tmp_path, caplog):
    structures = rattled_cells(2)
    relax_resumably(structures, SW, RelaxationSettings(), tmp_path)
    relaxer = Relaxer(SW, RelaxationSettings(), tmp_path)
    relaxer.worker.relax = None  # nothing is left to do
    assert [relaxer.relax(atoms).status for atoms in structures] == ["ok", "ok"]
    others = [
        Relaxer(SW, RelaxationSettings(fmax_eV_per_A=0.1), tmp_path),
        Relaxer(SW, RelaxationSettings(), tmp_path, n_threads=2),
        Relaxer(check_entry({"kind": "chgnet"}), RelaxationSettings(), tmp_path),
    ]
    for other in others:
        assert other._name(structures[0]) != relaxer._name(structures[0])
    moved = structures[0].copy()
    moved.positions[0, 0] += 1e-12
    assert relaxer._name(moved) != relaxer._name(structures[0])


def test_a_damaged_result_is_made_again(tmp_path):
    structures = rattled_cells(1)
    _, table = relax_resumably(structures, SW, RelaxationSettings(), tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_text(kept.read_text()[:40])
    _, again = relax_resumably(structures, SW, RelaxationSettings(), tmp_path)
    pd.testing.assert_frame_equal(again, table, check_exact=True)


@pytest.mark.parametrize(("how", "said"), [("exit", "exit code 3"), ("SIGSEGV", "SIGSEGV")])
def test_a_potential_that_ends_its_process_costs_one_structure(tmp_path, how, said):
    pair = Atoms("Ar2", [[0, 0, 0], [2.3, 0, 0]], cell=[9, 9, 9])
    bad = Atoms("Ar2", [[0, 0, 0], [2.3, 0, 0]], cell=[8, 9, 9])
    _, table = relax_resumably([pair, bad, pair], deadly(how), RelaxationSettings(), tmp_path)
    assert table["status"].tolist() == ["ok", f"the potential ended its process: {said}", "ok"]


def test_a_kill_from_outside_is_no_fault_of_the_structure(tmp_path):
    bad = Atoms("Ar2", [[0, 0, 0], [2.3, 0, 0]], cell=[8, 9, 9])
    with pytest.raises(RuntimeError, match="ended from outside by SIGKILL"):
        relax_resumably([bad], deadly("SIGKILL"), RelaxationSettings(), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_fault_of_the_machine_is_no_fate_of_the_structure(tmp_path):
    bad = Atoms("Ar2", [[0, 0, 0], [2.3, 0, 0]], cell=[8, 9, 9])
    with pytest.raises(RuntimeError, match="ended by the machine: OutOfMemoryError: CUDA out of"):
        relax_resumably([bad], deadly("memory"), RelaxationSettings(), tmp_path)
    assert not list(tmp_path.iterdir())


def test_structures_side_by_side_are_kept_one_by_one(tmp_path, caplog):
    caplog.set_level("INFO")
    structures, chgnet = rattled_cells(3, 0.05), check_entry({"kind": "chgnet"})
    settings = RelaxationSettings(fmax_eV_per_A=0.5, optimizer="fire")
    one_by_one, table = relax(structures, load(chgnet), fmax=0.5, optimizer="fire")
    assert set(table["status"]) == {"ok"}
    for _ in range(2):
        relaxed, found = relax_resumably(structures, chgnet, settings, tmp_path, together=2)
        pd.testing.assert_frame_equal(found, table, rtol=1e-4)
        for one, other in zip(relaxed, one_by_one, strict=True):
            np.testing.assert_allclose(one.positions, other.positions, atol=1e-3)
        kept = sorted(tmp_path.iterdir())
        assert len(kept) == 3
        kept[0].unlink()
    assert "relaxing 3 structures, 2 side by side" in caplog.text
    assert "relaxing 1 structures, 2 side by side" in caplog.text
    alone = Relaxer(chgnet, settings, tmp_path)
    assert not {path.stem for path in kept} & {alone._name(atoms) for atoms in structures}


def test_a_potential_that_cannot_be_loaded_is_one_line(tmp_path):
    with pytest.raises(InputError, match="expected one for Ar, found one for Si"):
        relax_resumably(rattled_cells(1), SW, RelaxationSettings(), tmp_path, ["Ar"])


SHARD = """
import sys, json
from pathlib import Path
from dismai.files.structures import read_structures
from dismai.base.processes import end_with_parents
from dismai.potentials import check_entry
from dismai.potentials.resumable import relax_resumably
from dismai.potentials.settings import RelaxationSettings
folder = Path(sys.argv[1])
structures = read_structures(folder / "clean.extxyz")
relaxed, table = relax_resumably(
    structures,
    check_entry({"kind": "sw"}),
    RelaxationSettings(fmax_eV_per_A=1e-3),
    folder / sys.argv[2],
)
table = table.assign(positions=[atoms.positions.tolist() for atoms in relaxed])
(folder / f"{sys.argv[2]}.json").write_text(table.to_json(double_precision=15))
"""


@pytest.mark.parametrize("n_kills", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_kills_at_random_moments_end_in_the_same_table(tmp_path, n_kills):
    n_structures = 20 + 20 * n_kills  # more than are done between two kills
    write_structures(rattled_cells(n_structures), tmp_path / "clean.extxyz")
    command = [sys.executable, "-c", SHARD, str(tmp_path)]
    subprocess.run([*command, "whole"], check=True)
    moments = random.Random(n_kills)
    for kill in range(n_kills):
        process = subprocess.Popen([*command, "killed"])
        while n_kept(tmp_path / "killed") < 2 * kill + 1 and process.poll() is None:
            time.sleep(0.005)
        time.sleep(moments.uniform(0, 0.1))
        process.kill()
        assert process.wait() == -signal.SIGKILL
    assert n_kept(tmp_path / "killed") < n_structures
    subprocess.run([*command, "killed"], check=True)
    whole, killed = ((tmp_path / f"{name}.json").read_bytes() for name in ("whole", "killed"))
    assert killed == whole
    assert set(json.loads(whole)["status"].values()) == {"ok"}


def n_kept(folder):
    return len(list(folder.glob("*.json")))
