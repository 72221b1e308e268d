"""The rules of the interface, from two crystals to table and figures."""

import pytest

from dismai.datasets.spec import read_card
from dismai.io import read_structures, read_table
from tests.workflow.test_workflow import ROOT, TINY, snakemake

CONFIGS = (TINY, ROOT / "tests" / "config" / "tiny_interface.yaml")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with a finished tiny run of the interface."""
    directory = tmp_path_factory.mktemp("tiny_interface")
    snakemake("all", directory=directory, configs=CONFIGS)
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
    for figure in ("gamma", "motifs", "profile", "structures", "training"):
        text = (finished / "figures" / "interface" / f"{figure}.svg").read_text()
        assert text.rstrip().endswith("</svg>")
