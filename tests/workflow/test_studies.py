"""The studies of the paper, from random interfaces to tables and figures."""

import pandas as pd
import pytest

from dismai.base.columns import ENGINE_STATUS
from dismai.files.structures import read_structures, read_table
from tests.commands import CONFIG, INTERFACE, snakemake

CONFIGS = (*INTERFACE, CONFIG / "tiny_studies.yaml")
DATASET = "interface_dft"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with finished tiny studies."""
    directory = tmp_path_factory.mktemp("tiny_studies")
    snakemake("study_gan", "study_interface", directory=directory, configs=CONFIGS)
    return directory / "results" / "tiny"


def test_the_set_is_chosen_by_the_engine(finished):
    folder = finished / "datasets" / DATASET
    tried = read_table(folder / "tried.parquet")
    assert tried[ENGINE_STATUS].tolist() == ["ok"] * 8
    taken = [*read_structures(folder / "train.extxyz"), *read_structures(folder / "val.extxyz")]
    lowest = tried.nsmallest(4, "engine_energy_eV_per_atom")["structure"].tolist()
    assert {atoms.info["interface"] for atoms in taken} == set(sorted(lowest)[:3])


def test_both_studies_write_their_tables_and_figures(finished):
    tables = finished / "tables" / "studies" / DATASET
    gan = read_table(tables / "gan.parquet")
    assert set(gan["name"]) == {"gan_close"}
    assert gan["n_structures"].tolist() == [2] * len(gan)
    interface = read_table(tables / "interface.parquet")
    assert {"random", "training", "high_energy", "gan_close"} <= set(interface["name"])
    assert len(pd.read_csv(tables / "interface_statements.csv")) >= 1
    figures = {path.stem for path in (finished / "figures" / "studies" / DATASET).iterdir()}
    of_interface = ("bonds", "energies", "motifs_Li", "motifs_Sc", "rdf")
    assert figures == {
        *(f"gan_{name}" for name in ("critics", "energies", "lambda", "losses", "training")),
        *(f"interface_{name}" for name in of_interface),
    }
    for suffix in ("html", "md", "csv"):
        assert (tables / f"gan.{suffix}").stat().st_size > 0
        assert (tables / f"interface.{suffix}").stat().st_size > 0


def test_a_finished_study_is_not_made_again(finished):
    plan = snakemake(
        "study_gan", "study_interface", "-n", directory=finished.parents[1], configs=CONFIGS
    )
    assert "Nothing to be done" in plan.stdout + plan.stderr
