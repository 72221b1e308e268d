"""A set of silicon from relaxed blocks: which are taken, what the card says."""

import numpy as np
import pandas as pd
import pytest
from ase.build import bulk

from dismai.base.errors import InputError
from dismai.datasets.amorphous_si.blocks import slice_blocks
from dismai.datasets.amorphous_si.build import (
    best_cuts,
    build,
    four_fold,
)
from dismai.datasets.amorphous_si.settings import AmorphousSiDataset, Stage
from dismai.datasets.baselines import fresh_quenches, random_atoms
from dismai.metrics.silicon import describe_cell


@pytest.fixture(scope="module")
def crystal():
    atoms = bulk("Si", cubic=True).repeat(5)
    atoms.rattle(0.05, seed=1)
    return atoms


def settings(**changes):
    entry = {"kind": "amorphous_si", "n_atoms": 64, "n_structures": 10, "potential": "sw_si"}
    return AmorphousSiDataset(**{**entry, **changes})


def table(n, failed=()):
    return pd.DataFrame(
        {
            "structure": range(n),
            "steps": 10,
            "energy_eV": -64.0 * np.arange(1, n + 1),
            "status": ["not converged" if i in failed else "ok" for i in range(n)],
        }
    )


def test_spare_blocks_take_the_place_of_those_that_do_not_relax(crystal):
    blocks = slice_blocks(crystal, 64, 10, "random", seed=1, spare_share=0.2)
    first = next(i for i, block in enumerate(blocks) if not block.info["held_out"])
    train, val, spec = build(
        blocks, table(len(blocks), {first}), "amorphous_si", settings(split="random"), crystal, {}
    )
    assert (len(train), len(val), spec.n_train, spec.n_val) == (8, 2, 8, 2)
    assert first not in [atoms.info["block"] for atoms in train]
    assert spec.statistics["n_not_relaxed"] == 1
    assert spec.statistics["split"] == "random"
    assert spec.statistics["leaked_percent_of_validation_atoms"] > 10
    assert "overlap, as published" in spec.notes[-1]
    for atoms in [*train, *val]:
        assert atoms.info["energy_eV_per_atom"] == pytest.approx(-(atoms.info["block"] + 1))


def test_of_the_candidates_of_a_block_the_relaxed_one_with_most_four_fold_atoms_is_taken(crystal):
    cuts = slice_blocks(crystal, 64, 4, "random", seed=1, candidates=5)
    assert len(cuts) == 20
    for i, atoms in enumerate(cuts):
        atoms.info["energy_eV_per_atom"] = float("nan") if i % 5 == 2 else -float(i)
    chosen = best_cuts(cuts)
    assert [atoms.info["block"] for atoms in chosen] == [0, 1, 2, 3]
    for block, atoms in enumerate(chosen):
        rivals = [cut for i, cut in enumerate(cuts) if i // 5 == block and i % 5 != 2]
        assert four_fold(atoms) == max(map(four_fold, rivals))
        assert any(atoms is cut for cut in rivals)
    for atoms in cuts:  # equals: the lowest energy
        atoms.positions = cuts[0].positions
    assert [-int(a.info["energy_eV_per_atom"]) for a in best_cuts(cuts)] == [4, 9, 14, 19]


def test_four_fold_atoms_are_counted_within_the_first_shell():
    atoms = bulk("Si", a=5.43, cubic=True).repeat(2)
    assert four_fold(atoms) == 100
    del atoms[0]  # its four neighbours lose a bond each
    assert four_fold(atoms) == pytest.approx(100 * 59 / 63)


def test_too_few_relaxed_blocks_are_one_line(crystal):
    blocks = slice_blocks(crystal, 64, 10, "random", seed=1)
    failed = {next(i for i, block in enumerate(blocks) if not block.info["held_out"])}
    with pytest.raises(InputError, match="expected 8 training blocks .* found 7; raise spare"):
        build(blocks, table(10, failed), "amorphous_si", settings(), crystal, {})


def test_random_atoms_are_apart_and_each_from_its_own_stream(crystal):
    blocks = slice_blocks(crystal, 64, 10, "random", seed=1)
    _, _, spec = build(blocks, table(10), "amorphous_si", settings(), crystal, {})
    structures = random_atoms(spec, 3, seed=1)
    for atoms in structures:
        assert len(atoms) == 64
        distances = atoms.get_all_distances(mic=True)
        assert distances[~np.eye(64, dtype=bool)].min() >= 1.9
    np.testing.assert_array_equal(structures[1].positions, random_atoms(spec, 2, 1)[1].positions)
    assert np.abs(structures[0].positions - structures[1].positions).max() > 0.1


def test_fresh_quenches_differ_and_go_on_where_they_stopped(crystal, tmp_path):
    blocks = slice_blocks(crystal, 64, 10, "random", seed=1)
    _, _, spec = build(blocks, table(10), "amorphous_si", settings(), crystal, {})
    stages = [Stage(from_K=2500, to_K=300, steps=200, timestep_fs=2.0)]
    two = fresh_quenches(spec, stages, 2, 1, tmp_path)
    assert [len(atoms) for atoms in two] == [64, 64]
    assert np.abs(two[0].get_scaled_positions() - two[1].get_scaled_positions()).max() > 0.01
    three = fresh_quenches(spec, stages, 3, 1, tmp_path)
    for a, b in zip(two, three, strict=False):
        np.testing.assert_array_equal(a.positions, b.positions)
    assert 1.8 < describe_cell(three[2]).density_g_per_cm3 < 2.7
