"""The rules of the interface, from two crystals to table and figures."""

import json
import subprocess
import sys

import numpy as np
import pytest
import yaml

from dismai.base.atomic import sha256
from dismai.base.card import read_card
from dismai.datasets.interface import random_interface
from dismai.datasets.interface.settings import InterfaceGeometry
from dismai.dft.potcar import VARIABLE
from dismai.files.structures import read_structures, read_table, write_structures
from tests.commands import INTERFACE as CONFIGS
from tests.commands import snakemake, tiny_run
from tests.conftest import ROOT
from tests.dft.install import install_library, install_stand_in


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with a finished tiny run of the interface."""
    directory = tmp_path_factory.mktemp("tiny_interface")
    tiny_run("interface", directory)
    return directory / "results" / "tiny"


def test_the_dataset_has_card_energies_and_atoms_in_blocks(finished):
    folder = finished / "datasets" / "interface"
    spec = read_card(folder / "card.json")
    assert (spec.n_train, spec.n_val) == (5, 1)
    assert spec.statistics["n_tried"] == 8
    assert spec.statistics["reference_energy_fitted"] is True
    for atoms in read_structures(folder / "train.extxyz"):
        assert atoms.get_chemical_symbols() == spec.symbols
    assert read_table(folder / "features.parquet")["energy_eV_per_atom"].notna().all()


def test_random_interfaces_are_scored_with_and_without_relaxation(finished):
    scored = {}
    for name in ("random_interfaces", "random_interfaces_unrelaxed"):
        table = read_table(finished / "metrics" / "interface" / name / "seed0.parquet")
        scored[name] = set(table["metric"])
    assert "mean_gamma" in scored["random_interfaces"]
    assert "mean_gamma" not in scored["random_interfaces_unrelaxed"]
    raw = [
        (finished / "generated" / "interface" / name / "seed0" / "raw.extxyz").read_bytes()
        for name in scored
    ]
    assert raw[0] == raw[1]


def test_table_and_figures_are_made(finished):
    assert "cdvae" in (finished / "tables" / "interface.md").read_text()
    for figure in ("gamma", "motifs", "ligands", "profile", "structures", "training"):
        text = (finished / "figures" / "interface" / f"{figure}.svg").read_text()
        assert text.rstrip().endswith("</svg>")


@pytest.fixture
def overlay(tmp_path):
    """Writes a configuration laid over the tiny one; returns the files of all three."""

    def write(**sections):
        path = tmp_path / "overlay.yaml"
        path.write_text(yaml.safe_dump(sections))
        return (*CONFIGS, path)

    return write


def one_line(result, place):
    """What a failed job says: the only error in the log of its rule."""
    assert result.returncode != 0
    (line,) = [line for line in place.read_text().splitlines() if line.startswith("ERROR")]
    assert line in result.stdout + result.stderr
    return line


def test_a_ready_made_set_goes_through_the_same_rules(finished, overlay, tmp_path):
    folder = finished / "datasets" / "interface"
    ours = [*read_structures(folder / "train.extxyz"), *read_structures(folder / "val.extxyz")]
    shuffled = [atoms[np.random.default_rng(1).permutation(len(atoms))] for atoms in ours]
    source = tmp_path / "published.extxyz"
    write_structures(shuffled, source)
    entry = {"source": str(source), "sha256": sha256(source), "n_structures": 6}
    configs = overlay(datasets={"interface": entry})
    card = "results/tiny/datasets/interface/card.json"
    snakemake(card, directory=tmp_path, configs=configs)
    spec = read_card(tmp_path / card)
    assert (spec.n_train, spec.n_val) == (5, 1)
    assert spec.notes[0].startswith("A ready-made set, kept as it is")
    imported = read_structures((tmp_path / card).with_name("train.extxyz"))
    assert all(atoms.get_chemical_symbols() == spec.symbols for atoms in imported)
    for atoms in imported:
        given = shuffled[atoms.info["number"]]
        lithium = atoms.positions[atoms.symbols == "Li"]
        np.testing.assert_allclose(lithium, given.positions[given.symbols == "Li"], atol=1e-7)
    entry["sha256"] = "0" * 64
    refused = snakemake(
        card,
        "--force",
        "--until",
        "import_dataset",
        directory=tmp_path,
        configs=overlay(datasets={"interface": entry}),
        check=False,
    )
    log = tmp_path / "results/tiny/logs/import_dataset/interface.log"
    assert f"published.extxyz: expected SHA-256 {'0' * 64}" in one_line(refused, log)


def test_a_larger_pool_takes_over_what_is_relaxed(overlay, tmp_path):
    """Too few low ones are one line with the number that is missing; then only new ones relax."""
    wanted = {"n_structures": 6, "n_random": 8, "above_lowest_J_per_m2": 1.0e-6}
    card = "results/tiny/datasets/interface/card.json"
    few = overlay(datasets={"interface": wanted})
    refused = snakemake(card, directory=tmp_path, configs=few, check=False)
    log = tmp_path / "results/tiny/logs/build_interface_dataset/interface.log"
    line = one_line(refused, log)
    assert "expected 6 interfaces of at most 0 J/m², found 1 of 8; at this share about 40 " in line
    assert line.endswith("n_random: 48 (finished relaxations are kept)")
    kept = tmp_path / "results/tiny/datasets/interface/state/relax"
    first = {path.name: path.read_bytes() for path in kept.iterdir()}
    assert len(first) == 8
    more = {**wanted, "n_random": 10, "above_lowest_J_per_m2": 1e6}
    snakemake(card, directory=tmp_path, configs=overlay(datasets={"interface": more}))
    after = {path.name: path.read_bytes() for path in kept.iterdir()}
    assert len(after) == 10
    assert first.items() <= after.items()
    logs = (tmp_path / "results/tiny/logs/relax_interfaces/interface").glob("*.log")
    assert all("going on with relaxations that are finished" in log.read_text() for log in logs)
    assert read_card(tmp_path / card).statistics["n_tried"] == 10


@pytest.mark.parametrize("missing", ["program", "library"])
def test_without_vasp_the_rule_of_the_labels_ends_with_one_line(
    overlay, tmp_path, monkeypatch, missing
):
    monkeypatch.delenv(VARIABLE, raising=False)
    program = "vasp_std" if missing == "program" else "true"
    configs = overlay(dft={"engine": "vasp", "vasp": {"command": [program]}}, labels={"shards": 1})
    labels = "results/tiny/labels/interface/labels.extxyz"
    refused = snakemake(labels, directory=tmp_path, configs=configs, check=False)
    log = tmp_path / "results/tiny/logs/label_interfaces/interface/1-of-1.log"
    expected = {
        "program": "expected the program vasp_std of dft.vasp.command on the PATH, found none; "
        "set dft.vasp.command, or dft.engine to surrogate or gpaw",
        "library": f"expected the environment variable {VARIABLE} to name your library of POTCAR "
        "files, found it unset",
    }[missing]
    assert one_line(refused, log).endswith(expected)


def test_crystals_that_the_engine_relaxed_feed_the_interface(overlay, tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(install_library(tmp_path / "potentials")))
    install_stand_in(tmp_path / "programs")
    monkeypatch.setenv("PATH", str(tmp_path / "programs"), prepend=":")
    configs = overlay(dft={"engine": "vasp"}, datasets={"interface": {"relax_crystals": True}})
    made = "results/tiny/datasets/interface/unrelaxed.extxyz"
    snakemake(made, directory=tmp_path, configs=configs)
    given = [ROOT / "resources" / name for name in ("LCO.cif", "LSC.cif")]
    (before,) = read_structures(given[0])
    (after,) = read_structures(tmp_path / made.replace("unrelaxed", "crystals/substrate"))
    growth = (after.get_volume() / before.get_volume()) ** (2 / 3)  # the stand-in keeps the shape
    assert abs(growth - 1) > 1e-3
    section = yaml.safe_load(CONFIGS[-1].read_text())["datasets"]["interface"]
    geometry = InterfaceGeometry(**section["geometry"]).reading(given)
    cells = [random_interface(1, **geometry.model_dump()).cell]
    cells += [atoms.cell for atoms in read_structures(tmp_path / made)]
    areas = np.array([np.linalg.norm(np.cross(cell[0], cell[1])) for cell in cells])
    assert len(areas) == 9
    assert areas[1:] / areas[0] == pytest.approx(growth, rel=1e-4)  # the substrate rules the cell


def test_labels_without_forces_end_the_training_with_one_line(overlay, tmp_path):
    source = tmp_path / "labels.extxyz"
    source.write_text(
        '1\nLattice="5 0 0 0 5 0 0 0 5" Properties=species:S:1:pos:R:3 energy=-1.0 pbc="T T T"\n'
        "Li 0 0 0\n"
    )
    configs = overlay(potentials={"m3gnet": {"train": {"labels": str(source)}}})
    model = "results/tiny/potentials/m3gnet/model.safetensors"
    refused = snakemake(model, directory=tmp_path, configs=configs, check=False)
    log = tmp_path / "results/tiny/logs/train_m3gnet/m3gnet.log"
    assert "labels.extxyz: structure 0: expected forces, found energy" in one_line(refused, log)


def test_dismai_evaluate_relaxes_interfaces_against_the_built_set(finished, tmp_path):
    potential = tmp_path / "pairs.yaml"
    entries = yaml.safe_load(CONFIGS[1].read_text())["potentials"]
    potential.write_text(yaml.safe_dump(entries["pairs"]))
    raw = finished / "generated" / "interface" / "random_interfaces" / "seed0" / "raw.extxyz"
    train = finished / "datasets" / "interface" / "train.extxyz"
    result = subprocess.run(
        [
            *(sys.executable, "-m", "dismai.cli", "evaluate", str(raw), "--dataset", "interface"),
            *("--reference", str(train), "--relax", str(potential), "--json"),
        ],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    rows = json.loads(result.stdout)["metrics"]
    values = {row["metric"]: row["value"] for row in rows}
    assert {"d_Li", "d_Co", "d_Sc", "d_all", "mean_gamma", "percent_low_gamma"} <= set(values)
    assert {"energy_above_training", "displacement_on_relaxation"} <= set(values)
    (d_all,) = [row for row in rows if row["metric"] == "d_all"]
    assert "cryingan 0.0426" in d_all["published"]
