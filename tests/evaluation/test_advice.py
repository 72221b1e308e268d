"""What a user is told to try next."""

import numpy as np
import pytest
from ase import Atoms

from dismai.base.errors import InputError
from dismai.datasets.baselines import random_decoration
from dismai.evaluation.file import check_size, evaluate_file
from dismai.evaluation.reference import load_shipped
from dismai.files.structures import write_structures
from dismai.metrics.clusters import published_expansion
from dismai.models import paper_spec


@pytest.fixture(scope="module")
def spec():
    return load_shipped("alloy_300K_narrow", published_expansion()).spec


@pytest.fixture(scope="module")
def alloys(spec):
    return random_decoration(spec, 4, seed=1)


def shifted(atoms):
    moved = atoms.copy()
    moved.positions += [0.4, 0.9, 1.3]
    return moved


def turned(atoms, spec):
    """The same lattice turned by twenty degrees about z in the same cell, filled at random."""
    turn = np.deg2rad(20)
    matrix = np.array(
        [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    )
    box = spec.fcc.box
    repeats = np.array([(i, j, 0) for i in (-1, 0, 1) for j in (-1, 0, 1)]) * box
    many = (atoms.positions[None] + repeats[:, None]).reshape(-1, 3)
    moved = (many - box / 2) @ matrix.T + box / 2
    inside = moved[np.all((moved >= 0) & (moved < box), axis=1)][: len(atoms)]
    missing = len(atoms) - len(inside)
    rest = np.random.default_rng(0).random((missing, 3)) * box
    return Atoms(atoms.symbols, positions=np.vstack([inside, rest]), cell=atoms.cell, pbc=True)


def notes(structures, tmp_path, **options):
    write_structures(structures, tmp_path / "set.extxyz")
    result = evaluate_file(tmp_path / "set.extxyz", "alloy_300K_narrow", **options)
    return result, " ".join(result.notes)


def test_a_shifted_crystal_is_told_of_translation_which_then_takes_it(alloys, tmp_path):
    structures = [shifted(atoms) for atoms in alloys]
    result, said = notes(structures, tmp_path)
    assert len(result.features) == 0
    assert "4 structures are off the lattice" in said
    assert "4 pass with `--align translate`" in said
    result, said = notes(structures, tmp_path, align="translate")
    assert len(result.features) == 4
    assert "--align" not in said


def test_a_turned_crystal_is_told_of_rotation(alloys, spec, tmp_path):
    structures = [turned(atoms, spec) for atoms in alloys]
    _, said = notes(structures, tmp_path)
    assert "pass with `--align rotate`" in said


def test_noise_is_told_of_no_alignment(alloys, tmp_path):
    random = np.random.default_rng(1)
    structures = [atoms.copy() for atoms in alloys]
    for atoms in structures:
        atoms.set_scaled_positions(random.random((len(atoms), 3)))
    _, said = notes(structures, tmp_path)
    assert "--align" not in said


@pytest.mark.parametrize(("scale", "told"), [(0.98, "-2.0 to -2.0 %"), (1.03, "+3.0 to +3.0 %")])
def test_cells_that_are_rescaled_are_said(alloys, tmp_path, scale, told):
    structures = [atoms.copy() for atoms in alloys]
    for atoms in structures:
        atoms.set_cell(atoms.cell * scale, scale_atoms=True)
    result, said = notes(structures, tmp_path)
    assert len(result.features) == 4
    assert (
        f"Cells were rescaled to the lattice of 3.6 Å: their edges differ from it by {told}" in said
    )


def test_cells_of_the_right_size_are_not_said_to_be_rescaled(alloys, tmp_path):
    _, said = notes(alloys, tmp_path)
    assert "rescaled" not in said


def of_elements(symbols, n_atoms):
    repeated = (symbols * n_atoms)[:n_atoms]
    positions = np.random.default_rng(0).random((n_atoms, 3)) * 14
    return Atoms(repeated, positions=positions, cell=[14, 14, 14], pbc=True)


@pytest.mark.parametrize(
    ("symbols", "dataset"),
    [(["Si"], "--dataset amorphous_si"), (["Li", "Co", "Sc", "Cl", "O"], "--dataset interface")],
)
def test_structures_of_another_dataset_are_told_which(tmp_path, symbols, dataset):
    _, said = notes([of_elements(symbols, 256)] * 2, tmp_path)
    assert dataset in said
    silicon = paper_spec("amorphous_si")
    with pytest.raises(InputError, match="`--dataset alloy_300K_narrow or alloy_300K_wide or "):
        check_size({0: of_elements(["Cr", "Fe", "Ni"], 32)}, silicon, tmp_path)


def test_a_composition_of_its_own_is_told_of_the_reference(alloys, tmp_path):
    structures = [atoms.copy() for atoms in alloys]
    for atoms in structures:
        atoms.symbols = ["Cr"] * 128 + ["Fe"] * 64 + ["Ni"] * 64
    _, said = notes(structures, tmp_path)
    assert "can be given by `--reference`" in said
