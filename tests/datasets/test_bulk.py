"""The large cell of amorphous silicon: the shipped one, and what is refused."""

import json

import numpy as np
import pytest
from ase.build import bulk

from dismai.base.errors import InputError
from dismai.base.resources import resource
from dismai.datasets.amorphous_si.bulk import read_bulk
from dismai.files.structures import read_cell, write_cell, write_structures
from dismai.metrics.silicon import describe_cell


def test_the_shipped_cell_is_what_its_card_says():
    path = resource("asi_100k.npz")
    card = json.loads(resource("asi_100k.json").read_text())
    atoms = read_bulk(path, card["sha256"])
    summary = describe_cell(atoms)
    assert summary.n_atoms == 100_000
    np.testing.assert_allclose(atoms.cell.angles(), 90)
    assert summary.four_fold_percent == pytest.approx(95.29, abs=0.01)
    assert 108 < summary.angle_degrees < 109.5
    assert 2.3 < summary.first_peak_A < 2.4
    np.testing.assert_allclose(summary.coordination_percent, card["result"]["coordination_percent"],
                               atol=1e-3)  # fmt: skip


def test_diamond_is_four_fold_at_the_tetrahedral_angle():
    summary = describe_cell(bulk("Si", cubic=True).repeat(3))
    assert summary.four_fold_percent == 100
    assert summary.angle_degrees == pytest.approx(109.4712, abs=1e-4)
    assert summary.first_peak_A == pytest.approx(2.351, abs=0.01)
    assert summary.density_g_per_cm3 == pytest.approx(2.33, abs=0.01)


def test_a_cell_comes_back_to_all_digits(tmp_path):
    atoms = bulk("Si", cubic=True)
    atoms.rattle(0.1, seed=1)
    write_cell(atoms, tmp_path / "cell.npz")
    back = read_cell(tmp_path / "cell.npz")
    np.testing.assert_allclose(back.get_scaled_positions(), atoms.get_scaled_positions())
    write_cell(atoms, tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "cell.npz").read_bytes()


def test_a_file_that_ase_reads_will_do(tmp_path):
    atoms = bulk("Si", cubic=True).repeat(2)
    atoms.write(tmp_path / "POSCAR")
    assert len(read_bulk(tmp_path / "POSCAR")) == 64


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"cell": np.eye(3)}, "expected an archive of scaled_positions and cell, found .*scaled"),
        ({"scaled_positions": np.zeros((2, 2)), "cell": np.eye(3)}, r"found \(2, 2\) and \(3, 3\)"),
        ({"scaled_positions": np.full((2, 3), np.nan), "cell": np.eye(3)}, "found NaN"),
        ({"scaled_positions": np.zeros((2, 3)), "cell": np.zeros((3, 3))}, "one with a volume"),
        ({"scaled_positions": np.array([[{}] * 3]), "cell": np.eye(3)}, "found Object arrays"),
    ],
)
def test_a_wrong_archive_is_one_line(tmp_path, arrays, message):
    path = tmp_path / "cell.npz"
    np.savez(path, **arrays)
    with pytest.raises(InputError, match=message) as error:
        read_bulk(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_no_cell_of_silicon_is_one_line(tmp_path):
    good = tmp_path / "good.npz"
    write_cell(bulk("Si", cubic=True), good)
    with pytest.raises(InputError, match=f"good.npz: expected SHA-256 {'0' * 64}, found"):
        read_bulk(good, "0" * 64)
    with pytest.raises(InputError, match="found no such file"):
        read_bulk(tmp_path / "no.npz")
    germanium = tmp_path / "ge.extxyz"
    write_structures([bulk("Ge", cubic=True)], germanium)
    with pytest.raises(InputError, match="expected silicon only, found Ge8"):
        read_bulk(germanium)
    several = tmp_path / "two.extxyz"
    write_structures([bulk("Si")] * 2, several)
    with pytest.raises(InputError, match="expected one cell, found 2 structures"):
        read_bulk(several)
    damaged = tmp_path / "cut.npz"
    damaged.write_bytes(good.read_bytes()[:100])
    with pytest.raises(InputError, match="cut.npz: expected an archive"):
        read_bulk(damaged)
