"""Melt-quench by LAMMPS: for real, with few atoms; a killed run goes on to the same atoms."""

import subprocess
import sys
import time

import numpy as np
import pytest

from dismai.base.errors import InputError
from dismai.datasets.amorphous_si import melt_quench as module
from dismai.datasets.amorphous_si.melt_quench import melt_quench
from dismai.datasets.amorphous_si.settings import Stage
from dismai.metrics.silicon import describe_cell

SHORT = (
    Stage(from_K=3000, to_K=1500, steps=200, timestep_fs=2.0),
    Stage(from_K=1500, to_K=300, steps=300, timestep_fs=2.5),
)
QUENCH = (
    Stage(from_K=3500, to_K=1800, steps=2500, timestep_fs=2.0),
    Stage(from_K=1800, to_K=700, steps=80_000, timestep_fs=2.5),
    Stage(from_K=700, to_K=300, steps=1000, timestep_fs=2.5),
)


def test_a_short_quench_gives_a_dense_network_and_the_same_one_again(tmp_path):
    atoms = melt_quench(64, SHORT, tmp_path / "a", seed=3, state_every=100)
    assert set(atoms.symbols) == {"Si"}
    assert atoms.pbc.all()
    scaled = atoms.get_scaled_positions(wrap=False)
    assert scaled.min() >= 0
    assert scaled.max() < 1
    summary = describe_cell(atoms)
    assert 1.9 < summary.density_g_per_cm3 < 2.6
    assert 2.2 < summary.first_peak_A < 2.6
    again = melt_quench(64, SHORT, tmp_path / "b", seed=3, state_every=100)
    np.testing.assert_array_equal(again.positions, atoms.positions)
    other = melt_quench(64, SHORT, tmp_path / "c", seed=4, state_every=100)
    assert np.abs(other.positions - atoms.positions).max() > 0.1


def test_the_quench_has_relaxed_forces_in_the_stillinger_weber_of_the_workflow(tmp_path):
    from dismai import potentials

    atoms = melt_quench(64, SHORT, tmp_path, seed=3, state_every=100)
    atoms.calc = potentials.load({"kind": "sw"})
    assert np.linalg.norm(atoms.get_forces(), axis=1).max() < 0.05


def test_a_stopped_run_goes_on_to_the_same_atoms(tmp_path, monkeypatch):
    whole = melt_quench(64, SHORT, tmp_path / "whole", seed=3, state_every=100)
    run_piece = module._run_piece

    def stop_at_the_third(piece, potential, n_threads, state, index):
        if index == 2:
            raise KeyboardInterrupt
        run_piece(piece, potential, n_threads, state, index)

    monkeypatch.setattr(module, "_run_piece", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        melt_quench(64, SHORT, tmp_path / "parts", seed=3, state_every=100)
    pieces = []

    def count(piece, potential, n_threads, state, index):
        pieces.append(index)
        run_piece(piece, potential, n_threads, state, index)

    monkeypatch.setattr(module, "_run_piece", count)
    parts = melt_quench(64, SHORT, tmp_path / "parts", seed=3, state_every=100)
    assert pieces == [2, 3, 4]
    np.testing.assert_array_equal(parts.positions, whole.positions)
    melt_quench(64, SHORT, tmp_path / "parts", seed=3, state_every=100)  # finished: nothing runs
    assert pieces == [2, 3, 4]


def test_a_sigkill_leaves_a_state_that_goes_on(tmp_path):
    code = (
        "import sys; from tests.datasets.test_melt_quench import *;"
        "melt_quench(216, QUENCH, sys.argv[1], seed=1, state_every=100)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    deadline = time.monotonic() + 60
    while not (tmp_path / "after_3.restart").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.wait()
    state = module._State(tmp_path, module._key(216, QUENCH, 1, 1, 100))
    assert state.resume() >= 2


def test_the_state_of_another_run_is_not_used(tmp_path):
    melt_quench(64, SHORT, tmp_path, seed=3, state_every=100)
    (tmp_path / "progress.json").write_text('{"key": "other", "done": 2}\n')
    other = melt_quench(64, SHORT, tmp_path, seed=5, state_every=100)
    fresh = melt_quench(64, SHORT, tmp_path / "fresh", seed=5, state_every=100)
    np.testing.assert_array_equal(other.positions, fresh.positions)


def test_too_few_atoms_are_refused(tmp_path):
    with pytest.raises(InputError, match="n_atoms: expected at least 8, found 1"):
        melt_quench(1, SHORT, tmp_path, seed=1)


@pytest.mark.slow
def test_512_atoms_quenched_in_200_ps_are_four_fold(tmp_path):
    atoms = melt_quench(512, QUENCH, tmp_path, seed=1, state_every=5000)
    assert describe_cell(atoms).four_fold_percent >= 90
