"""The memory of an evaluation grows by features and reasons, and holds no atoms but those shown."""

import tracemalloc

import numpy as np

from dismai.evaluation.file import evaluate_file
from dismai.files.structures import write_structures
from tests.makers import crystal

N_FEW, N_MANY = 20, 100
BYTES_OF_ATOMS = 256 * (3 + 1) * 8
"""Positions and species of one structure, without its text."""


def peak_of(path, n):
    occupancy = np.repeat([0, 1, 2], [51, 154, 51])
    random = np.random.default_rng(1)
    write_structures((crystal(random.permutation(occupancy)) for _ in range(n)), path)
    tracemalloc.start()
    try:
        assert evaluate_file(path, "alloy_300K_narrow").n_accepted == n
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_it_grows_by_less_than_the_atoms_of_a_structure(tmp_path):
    peak_of(tmp_path / "a.extxyz", 1)  # imports, references
    few, many = (peak_of(tmp_path / "a.extxyz", n) for n in (N_FEW, N_MANY))
    assert (many - few) / (N_MANY - N_FEW) < BYTES_OF_ATOMS
