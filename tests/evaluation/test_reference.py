"""Reference sets that ship with the package: small, the numbers stay, other sizes are refused."""

import numpy as np
import pytest

from dismai.base.card import DatasetSpec, cell_rows
from dismai.base.errors import InputError, StructureError
from dismai.datasets.amorphous_si.build import with_energies
from dismai.datasets.interface.build import random_interfaces
from dismai.datasets.interface.settings import InterfaceGeometry
from dismai.datasets.options import Options
from dismai.evaluation import reference
from dismai.evaluation.file import check_size, evaluate_file
from dismai.evaluation.process import describe_reference
from dismai.evaluation.score import score
from dismai.files.structures import write_structures
from dismai.metrics.clusters import published_expansion
from tests.makers import THIN_INTERFACE

GEOMETRY = InterfaceGeometry(**THIN_INTERFACE)


@pytest.fixture(scope="module")
def structures():
    return random_interfaces(GEOMETRY, 8, 3, "random_interfaces", "interface")


@pytest.fixture(scope="module")
def spec(structures):
    return DatasetSpec(
        name="interface",
        kind="interface",
        composition=structures[0].symbols.formula.count(),
        cell_A=cell_rows(structures[0].cell.array),
        n_train=6,
        n_val=2,
        statistics={"reference_energy_eV_per_atom": -4.7},
    )


def test_a_packed_interface_scores_as_the_features_it_was_made_of(
    structures, spec, tmp_path, monkeypatch
):
    for k, atoms in enumerate(structures):
        atoms.info["energy_eV_per_atom"] = -4.7 - 0.0123456789 * k
    train, held_out = (
        with_energies(describe_reference(part, spec, Options(), "set"), part)
        for part in (structures[:6], structures[6:])
    )
    path = tmp_path / "interface.parquet"
    reference.pack_features(train, held_out, spec, "name of the potential", path)
    monkeypatch.setattr(reference, "shipped_references", lambda: {"interface": path})
    packed = reference.load_shipped("interface", published_expansion())
    assert (packed.spec, packed.potential) == (spec, "name of the potential")
    assert packed.train.dtypes.drop("structure").eq(float).all()
    np.testing.assert_array_equal(packed.train["energy_eV_per_atom"], train["energy_eV_per_atom"])
    fates = held_out[["structure"]].assign(status="accepted", stage="")
    names = ("held_out", "baseline", 0)
    before = score(held_out, fates, train, None, spec, *names)
    after = score(packed.held_out, fates, packed.train, None, spec, *names)
    assert list(after["metric"]) == list(before["metric"])
    np.testing.assert_allclose(after["value"], before["value"], rtol=2e-3, atol=3e-4)


def test_structures_of_another_size_than_the_shipped_ones_are_one_line(structures, spec):
    double = structures[0].repeat((2, 1, 1))
    wide = structures[0].copy()
    wide.set_cell(wide.cell.array * [[1.1], [1], [1]], scale_atoms=True)
    broken = StructureError("unreadable")
    for found, message in (
        ([double, double, broken], "x.extxyz: expected 32 atoms, as in the shipped reference of "
         "interface, found 64; give training structures of yours by --reference"),
        ([double, structures[0][:5]], "found 5 to 64; give"),
        ([wide], r"expected the in-plane cell 5.73 x 12.37 Å, 77.6 degrees of the shipped "
         r"reference of interface, found 6.31 x 12.37 Å, 77.6 degrees; give"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=message):
            check_size(dict(enumerate(found)), spec, "x.extxyz")


def test_one_structure_of_the_right_size_is_enough_and_unreadable_ones_are_for_others(
    structures, spec
):
    taller = structures[0].copy()
    taller.set_cell(taller.cell.array + np.diag([0.0, 0.0, 5.0]))
    check_size({0: structures[0].repeat((2, 1, 1)), 1: taller}, spec, "x.extxyz")
    check_size({0: StructureError("unreadable")}, spec, "x.extxyz")


def test_interfaces_of_the_shipped_cell_are_evaluated_without_a_reference_of_ones_own(tmp_path):
    shipped = reference.load_shipped("interface", published_expansion())
    assert reference.shipped_references()["interface"].stat().st_size <= 400_000
    assert shipped.spec.n_atoms == 44
    assert len(shipped.train) == shipped.spec.n_train >= 40
    assert shipped.train["energy_eV_per_atom"].between(-5.5, -5.35).all()  # CHGNet
    settings = shipped.spec.provenance["params"]["settings"]
    assert settings["relaxation"]["fmax_eV_per_A"] == 0.2
    geometry = InterfaceGeometry(**settings["geometry"])
    path = tmp_path / "random.extxyz"
    write_structures(random_interfaces(geometry, 4, 3, "test", "interface"), path)
    result = evaluate_file(path, "interface")
    assert result.fates["status"].eq("accepted").all()
    table = result.metrics.set_index("metric")
    assert table.loc["d_all", "value"] > 3 * table.loc["d_all", "noise_floor"]  # unrelaxed
    assert any("published value" in note for note in result.notes)
    assert any("0.2 eV/Å" in note and "chgnet" in note for note in shipped.spec.notes)
    write_structures(random_interfaces(InterfaceGeometry(), 1, 3, "test", "interface"), path)
    with pytest.raises(InputError, match="expected 44 atoms, as in the shipped reference of"):
        evaluate_file(path, "interface")


@pytest.mark.parametrize("name", ["amorphous_si", "interface", "interface_264"])
def test_the_density_of_a_shipped_reference_is_that_of_its_cell(name):
    loaded = reference.load_shipped(name, published_expansion())
    density = loaded.spec.n_atoms / abs(np.linalg.det(loaded.spec.cell_A))
    both = [*loaded.train["density_per_A3"], *loaded.held_out["density_per_A3"]]
    np.testing.assert_allclose(both, density, rtol=1e-9)
