"""Ready-made sets of every kind: checked, in blocks, with their own split, and their card."""

import zipfile

import numpy as np
import pandas as pd
import pytest
from ase.build import bulk

from dismai.base.atomic import sha256
from dismai.base.errors import InputError
from dismai.base.resources import resource
from dismai.base.seeds import generator_for
from dismai.datasets.alloy.build import to_atoms
from dismai.datasets.alloy.settings import AlloyDataset
from dismai.datasets.amorphous_si.build import with_energies
from dismai.datasets.amorphous_si.settings import AmorphousSiDataset
from dismai.datasets.importing import card_of, expected_of, take_over
from dismai.datasets.interface.build import random_interfaces
from dismai.datasets.interface.settings import InterfaceDataset
from dismai.files.structures import write_structures
from tests.makers import THIN_INTERFACE

SHARED = {"supercell": [2, 2, 2], "composition": {"Cr": 6, "Fe": 20, "Ni": 6}}
FILES = {"ecis": str(resource("eci.yaml")), "crystals": ["resources/LCO.cif", "resources/LSC.cif"]}
N, N_VAL = 10, 2


def alloys():
    from dismai.base.card import FccLattice

    lattice, rng = FccLattice(supercell=(2, 2, 2)), np.random.default_rng(0)
    occupancy = np.repeat(np.arange(3), [6, 20, 6])
    return [to_atoms(rng.permutation(occupancy), lattice) for _ in range(N)]


def silicon():
    structures = [bulk("Si", cubic=True) for _ in range(N)]
    for seed, atoms in enumerate(structures):
        atoms.rattle(0.05, seed=seed)
    return structures


def interfaces():
    geometry = InterfaceDataset(
        kind="interface", geometry=THIN_INTERFACE, potential="chgnet"
    ).geometry
    return random_interfaces(geometry, N, 1, "test", "interface")


KINDS = {
    "alloy": (alloys, AlloyDataset, {"temperature_K": 300, "selection": "wide"}),
    "amorphous_si": (silicon, AmorphousSiDataset, {"n_atoms": 8, "potential": None}),
    "interface": (interfaces, InterfaceDataset, {"geometry": THIN_INTERFACE, "potential": None}),
}


def paths_of(settings):
    return [file.path for file in settings.files.values()]


def shuffled(structures):
    """The same structures, their atoms in another order: blocks are made of elements."""
    rng = np.random.default_rng(1)
    return [atoms[rng.permutation(len(atoms))] for atoms in structures]


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def given(kind, tmp_path):
    """Structures of a kind, and a call that takes over the archive that they are written to.

    The call is told what to spoil: the structures in place, or settings.
    """
    make, section, entry = KINDS[kind]
    structures = shuffled(make())

    def take(spoil=None, **changes):
        if spoil:
            spoil(structures)
        archive = tmp_path / "archive.zip"
        with zipfile.ZipFile(archive, "w") as content:
            parts = {"train": structures[: N - N_VAL], "val": structures[N - N_VAL :]}
            for part, own in parts.items():
                write_structures(own, tmp_path / f"{part}.extxyz")
                content.write(tmp_path / f"{part}.extxyz", f"sets/{kind}/{part}.extxyz")
        source = {
            part: {
                "path": str(archive),
                "sha256": sha256(archive),
                "member": f"sets/{kind}/{part}.extxyz",
            }
            for part in parts
        }
        whole = {"kind": kind, "n_structures": N, "source": source, **entry}
        settings = section(**{**whole, **changes})
        expected = expected_of(settings, SHARED, FILES)
        rng = generator_for(1, "split", kind)
        return settings, expected, take_over(settings, expected, paths_of(settings), rng)

    return structures, take


def test_the_split_of_an_archive_is_kept(kind, given):
    structures, take = given
    settings, expected, taken = take()
    train, val, spec = card_of(taken, None, "mine", settings, expected, {})
    assert (spec.n_train, spec.n_val) == (len(train), len(val)) == (8, 2)
    assert [atoms.info["number"] for atoms in train] == list(range(8))
    assert [atoms.info["number"] for atoms in val] == [8, 9]
    for atoms in [*train, *val]:
        assert atoms.get_chemical_symbols() == spec.symbols
        original = structures[atoms.info["number"]]
        for element in spec.species:  # order inside an element as given
            ours, theirs = (one.positions[one.symbols == element] for one in (atoms, original))
            np.testing.assert_allclose(ours, theirs, atol=1e-7)
    assert spec.notes[0] == "A ready-made set, kept as it is; its split is that of its files."
    assert spec.kind == kind
    assert (spec.fcc is not None) == (kind == "alloy")


def spoil_cell(structures):
    for atoms in structures[N - N_VAL :]:
        atoms.set_cell(atoms.cell.array * 1.01, scale_atoms=True)


def spoil_every_cell(structures):
    for atoms in structures:
        atoms.set_cell(atoms.cell.array * [[1.1], [1.1], [1]], scale_atoms=True)


def spoil_species(structures):
    structures[3].symbols[0] = "Ge"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_species, r"{kind}/train.extxyz: structure 3: expected \w+ .*found \w+ .*Ge1"),
        (lambda s: s.pop(), r"{kind}/val.extxyz: expected 2 structures, found 1$"),
        (spoil_cell, r"{kind}/val.extxyz: structure 0: expected the cell of the training str"),
    ],
)
def test_what_does_not_fit_is_one_line(kind, given, spoil, message):
    _, take = given
    if kind == "amorphous_si":
        message = message.replace(r"\w+ .*found \w+ .*", r"Si8, found Si7 ")
    with pytest.raises(InputError, match="archive.zip: sets/" + message.format(kind=kind)) as error:
        take(spoil)
    assert "\n" not in str(error.value)


def test_other_cells_than_the_configuration_says_are_one_line(kind, given):
    _, take = given
    if kind == "amorphous_si":  # the cell of a block follows from no setting
        assert len(take(spoil_every_cell)[2]) == N
        return
    with pytest.raises(InputError, match="structure 0: expected a cell of .*degrees.*, found "):
        take(spoil_every_cell)


def test_a_wrong_checksum_and_a_missing_member_are_one_line(kind, given, tmp_path):
    _, take = given
    settings, expected, _ = take()
    archive = str(tmp_path / "archive.zip")
    right = settings.source.model_dump()
    for changes, message in (
        ({"sha256": "0" * 64}, f"{archive}: expected SHA-256 {'0' * 64}, found {sha256(archive)}"),
        ({"member": "no"}, f"{archive}: expected 'no', found sets/{kind}/train.extxyz, sets/"),
        ({"path": "/no/archive.zip"}, "/no/archive.zip: expected a file, found .*No such file"),
    ):
        source = {**right, "val": {**right["val"], **changes}}
        wrong = type(settings)(**{**settings.model_dump(), "source": source})
        with pytest.raises(InputError, match=message) as error:
            take_over(wrong, expected, paths_of(wrong), np.random.default_rng(0))
        assert "\n" not in str(error.value)


def relaxed_table(n, failed):
    status = ["not converged" if i in failed else "ok" for i in range(n)]
    energy = -100.0 - np.arange(n)
    return pd.DataFrame({"structure": range(n), "steps": 4, "energy_eV": energy, "status": status})


def test_one_file_is_split_at_random_and_minima_give_energies(kind, given, tmp_path):
    structures, take = given
    take()
    path = tmp_path / "whole.extxyz"
    write_structures(structures, path)
    one = {"source": str(path), "sha256": sha256(path)}
    relaxes = kind != "alloy"
    settings, expected, taken = take(**one, **({"potential": "sw"} if relaxes else {}))
    table = relaxed_table(N, {0, 1}) if relaxes else None
    train, val, spec = card_of(taken, table, "mine", settings, expected, {})
    assert (len(train), len(val)) == (8, 2)
    assert sorted(atoms.info["number"] for atoms in [*train, *val]) == list(range(N))
    assert [atoms.info["number"] for atoms in val] != [8, 9]
    assert spec.notes[0] == "A ready-made set, kept as it is; a random share is held out."
    if not relaxes:
        assert "n_not_relaxed" not in spec.statistics
        return
    features = with_energies(pd.DataFrame({"structure": range(8), "other": 1.0}), train)
    assert list(features) == ["structure", "energy_eV_per_atom", "other"]
    known = {atoms.info["number"] for atoms in train} - {0, 1}
    assert features["energy_eV_per_atom"].notna().sum() == len(known)
    assert spec.statistics["n_not_relaxed"] == 2
    if kind == "interface":
        energies = (-100.0 - np.arange(2, N)) / len(train[0])
        zero = spec.statistics["reference_energy_eV_per_atom"]
        assert (energies <= zero).all()  # 95 % of eight are all of them
        assert zero == pytest.approx(energies.max(), abs=0.05)


def test_a_relaxation_that_reaches_no_minimum_is_one_line(given):
    _, take = given
    settings, expected, taken = take()
    with pytest.raises(InputError, match="expected relaxed structures, found none of 10"):
        card_of(taken, relaxed_table(N, range(N)), "mine", settings, expected, {})
