"""A SOAP-GAP fitted in seconds: it follows its labels, is loaded, relaxes, and is checked."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from dismai.base.errors import InputError
from dismai.potentials import load
from dismai.potentials.gap import check_gap, read_gap
from dismai.potentials.gap_fit import fit, predictions, read_cells, write_cells
from dismai.potentials.predictions import learning_curve
from dismai.potentials.relax import relax
from dismai.potentials.settings import GapFit
from dismai.potentials.training_cells import ENERGY, FORCES, labelled_cells
from dismai.report.potential import plot_learning, plot_parity

SMALL = GapFit(
    labels="sw", n_atoms=8, n_train=[4, 12], n_test=4, cutoff_A=4.0, n_max=6, l_max=4, n_sparse=60
)


@pytest.fixture(scope="module")
def sw():
    return load({"kind": "sw"})


@pytest.fixture(scope="module")
def cells(sw):
    return labelled_cells(SMALL, sw, 12, 0, "train")


@pytest.fixture(scope="module")
def fitted(cells, tmp_path_factory):
    path = tmp_path_factory.mktemp("gap") / "gap.xml"
    fit(cells, SMALL, path)
    return path


def test_labels_are_those_of_the_potential_and_cells_do_not_depend_on_their_number(cells, sw):
    assert [len(atoms) for atoms in cells] == [8] * 12
    for atoms, same in zip(cells, labelled_cells(SMALL, sw, 2, 0, "train"), strict=False):
        np.testing.assert_array_equal(atoms.positions, same.positions)
    atoms = cells[-1].copy()
    atoms.calc = sw
    assert atoms.get_potential_energy() == pytest.approx(cells[-1].info[ENERGY], abs=1e-9)
    np.testing.assert_allclose(atoms.get_forces(), cells[-1].arrays[FORCES], atol=1e-9)
    densities = {round(len(atoms) / atoms.get_volume(), 6) for atoms in cells}
    assert len(densities) == 12


def test_a_fit_follows_its_labels_and_relaxes(fitted, cells):
    potential = load({"kind": "gap", "file": str(fitted)}, ["Si"])
    curve = learning_curve(predictions(potential, cells, 12))
    spread = np.std([atoms.info[ENERGY] / 8 for atoms in cells])
    assert curve["energy_rmse_meV_per_atom"][0] < 0.2 * 1e3 * spread
    forces = np.concatenate([atoms.arrays[FORCES].ravel() for atoms in cells])
    assert curve["force_rmse_eV_per_A"][0] < 0.5 * forces.std()
    near = cells[0].copy()
    _, table = relax([near], potential)
    assert table["status"][0] == "ok"


def test_the_same_cells_give_the_same_bytes(fitted, cells, tmp_path):
    fit(cells, SMALL, tmp_path / "again.xml")
    assert (tmp_path / "again.xml").read_bytes() == fitted.read_bytes()
    assert "command_line" not in fitted.read_text()


def test_labelled_cells_survive_a_file(cells, tmp_path):
    write_cells(cells, tmp_path / "cells.extxyz")
    for atoms, read in zip(cells, read_cells(tmp_path / "cells.extxyz"), strict=True):
        assert read.info[ENERGY] == pytest.approx(atoms.info[ENERGY], abs=1e-7)
        np.testing.assert_allclose(read.arrays[FORCES], atoms.arrays[FORCES], atol=1e-7)
    bare = [atoms.copy() for atoms in cells]
    del bare[1].info[ENERGY]
    write_cells(bare, tmp_path / "bare.extxyz")
    with pytest.raises(InputError, match="structure 1: expected label_energy"):
        read_cells(tmp_path / "bare.extxyz")


def test_a_fit_without_enough_environments_is_one_line(cells, tmp_path):
    with pytest.raises(InputError, match="gap_fit: expected a potential") as error:
        fit([], SMALL, tmp_path / "gap.xml")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "gap.xml").exists()


def test_the_figures_show_the_largest_fit_and_every_size(fitted, cells):
    import pandas as pd

    potential = load({"kind": "gap", "file": str(fitted)})
    tables = [predictions(potential, cells[:n], n) for n in (2, 4)]
    table = pd.concat(tables, ignore_index=True)
    points = plot_parity(table).axes[1].lines[1].get_xdata()
    assert len(points) == 4 * 8 * 3
    figure = plot_learning(learning_curve(table), along="n_train")
    assert figure.axes[0].lines[0].get_xdata().tolist() == [2, 4]


def with_sparse_files(cells, folder):
    """A GAP as gap_fit writes it by default, its sparse points in files of their own."""
    import quippy

    write_cells(cells, folder / "train.xyz")
    soap = "soap cutoff=4.0 atom_sigma=0.5 n_max=3 l_max=2 zeta=4 delta=3.0 n_sparse=5"
    words = [
        "at_file=train.xyz", "gp_file=gap.xml", f"energy_parameter_name={ENERGY}",
        f"force_parameter_name={FORCES}", "virial_parameter_name=none", "e0_method=average",
        "default_sigma={0.002 0.1 0 0}", "do_copy_at_file=F",
        f"gap={{{soap} covariance_type=dot_product sparse_method=cur_points}}",
    ]  # fmt: skip
    program = Path(quippy.__file__).parent / "gap_fit"
    subprocess.run([program, *words], cwd=folder, check=True, capture_output=True)
    return folder / "gap.xml"


def test_sparse_files_are_checked_before_quippy_reads_them(cells, tmp_path):
    path = with_sparse_files(cells, tmp_path)
    entry = {"kind": "gap", "file": str(path)}
    assert read_gap(path).elements == {"Si"}
    (name,) = read_gap(path).sparse
    atoms = cells[0].copy()
    atoms.calc = load(entry, ["Si"])
    assert np.isfinite(atoms.get_potential_energy())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    check_gap(path, digest)
    with pytest.raises(InputError, match=f"expected SHA-256 {'0' * 64}, found {digest}"):
        load({**entry, "sha256": "0" * 64})
    with pytest.raises(InputError, match="expected one for Ge, found one for Si"):
        load(entry, ["Ge"])
    shutil.move(tmp_path / name, tmp_path / "kept")
    with pytest.raises(InputError, match="expected a sparse file of gap.xml, found no such file"):
        load(entry)
    (tmp_path / name).write_text((tmp_path / "kept").read_text().replace("1", "2", 1))
    with pytest.raises(InputError, match="expected the sparse file of gap.xml"):
        load(entry)


@pytest.mark.parametrize("text", ["", "<a>", "<a/>", "<GAP_params label='x'/>", "\x00\x01"])
def test_a_file_that_is_no_gap_is_one_line(tmp_path, text):
    (tmp_path / "gap.xml").write_text(text)
    with pytest.raises(InputError, match="gap.xml: expected") as error:
        read_gap(tmp_path / "gap.xml")
    assert "\n" not in str(error.value)
