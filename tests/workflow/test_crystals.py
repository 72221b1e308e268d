"""The workflow of crystals: from a folder of CIFs to a table, one fate a file."""

import pandas as pd
import pytest
from ase.build import bulk
from ase.io import write

from dismai.base.card import read_card
from dismai.files.structures import read_structures, read_table
from tests.commands import TINY, planned, snakemake
from tests.conftest import ROOT

CONFIGS = (TINY, ROOT / "tests" / "config" / "tiny_crystals.yaml")
EMT_ELEMENTS = ("Cu", "Ag", "Au", "Al", "Ni", "Pd", "Pt")
DATASET = "results/tiny/datasets/crystals"
ELEMENTS = {"Cu": 3.61, "Ag": 4.09, "Au": 4.08, "Al": 4.05, "Ni": 3.52, "Pd": 3.89, "Pt": 3.92,
            "Pb": 4.95, "Ca": 5.58, "Sr": 6.08, "Rh": 3.80, "Ir": 3.84}  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with CIFs, one of them no CIF, and a finished tiny run on them."""
    directory = tmp_path_factory.mktemp("crystals")
    (directory / "cifs").mkdir()
    for symbol, a in ELEMENTS.items():
        write(directory / "cifs" / f"{symbol}.cif", bulk(symbol, "fcc", a=a))
    (directory / "cifs" / "bad.cif").write_text("nothing")
    given = [bulk("CuAu", "cesiumchloride", a=3.2), bulk("AgPd", "cesiumchloride", a=3.2)]
    write(directory / "given.extxyz", given)
    snakemake("all", "study_crystens", directory=directory, configs=CONFIGS)
    return directory


def test_a_tiny_run_of_crystals_makes_dataset_fates_and_table(finished):
    spec = read_card(finished / DATASET / "card.json")
    parts = [read_structures(finished / DATASET / f"{name}.extxyz") for name in ("train", "val")]
    assert (spec.n_train, spec.n_val) == tuple(map(len, parts)) == (9, 3)
    assert all(len(one) == 4 and one.info["space_group"] == 225 for part in parts for one in part)
    fates = read_table(finished / DATASET / "cif_fates.parquet").set_index("crystal")
    assert sorted(fates.index) == sorted([*ELEMENTS, "bad"])
    assert (fates["status"] == "accepted").sum() == spec.statistics["n_accepted"] == 12
    assert fates.loc["bad", "reason"] == "expected a structure, found none"
    table = read_table(finished / "results/tiny/tables/crystals.parquet")
    published_only = table["kind"] == "published only"
    assert set(table[published_only]["model"]) == {"crystal_gan", "crystal_wgan"}
    assert set(table[~published_only]["model"]) == {
        *("held_out", "gaussian_displacement", "shuffled_lines"),
        *("published_reading", "auto_reading"),
        *("crystal_diffusion", "given"),
    }
    means = table.set_index(["model", "metric"])["mean"]
    assert means["held_out", "percent_with_symmetry"] == 100
    assert means["shuffled_lines", "percent_failed"] == 0
    assert means["auto_reading", "ks_mean"] == means["held_out", "ks_mean"]
    assert means["auto_reading", "coordinate_disagreement_per_atom"] == pytest.approx(0, abs=1e-9)


def test_a_second_run_of_crystals_has_nothing_to_do(finished):
    result = snakemake("all", "study_crystens", directory=finished, configs=CONFIGS)
    assert "Nothing to be done" in result.stdout + result.stderr


def test_the_study_rates_what_has_energies_and_says_why_others_have_none(finished):
    stability = finished / "results/tiny/stability/crystals"
    training = read_table(stability / "training.parquet")
    assert len(training) == 9
    known = training["reason"].eq("")
    elements = {formula.rstrip("0123456789") for formula in training["formula"][known]}
    assert elements == set(ELEMENTS) & set(EMT_ELEMENTS) & {
        formula.rstrip("0123456789") for formula in training["formula"]
    }
    assert training["reason"][~known].str.startswith("the potential failed: ").all()
    assert (training["energy_above_hull_eV_per_atom"][known] > -1e-9).all()
    rated = read_table(stability / "held_out/seed0.parquet")
    assert rated["valid"].all()
    assert (rated["known_as"] == -1).all()  # another element each
    table = pd.read_csv(finished / "results/tiny/tables/stability_crystals.csv")
    values = table.set_index(["model", "metric"])["value"]
    assert values["held_out", "valid"] == values["held_out", "new"] == 100
    assert values["shuffled_lines", "new"] == 0  # any metal in any cell is known
    best = pd.read_csv(finished / "results/tiny/tables/best_crystals.csv")
    assert len(best) == 7  # six are the paper's
    assert (best.loc[0, "set"], best.loc[0, "status"]) == ("given", "ok")
    assert best.loc[0, ["E0_eV", "E1_eV", "P0_kbar", "P1_kbar"]].notna().all()
    galleries = finished / "results/tiny/figures/crystals/gallery"
    assert {path.name for path in galleries.iterdir()} == {
        "crystal_diffusion_seed0.png",
        "given_seed0.png",
    }


def test_the_shipped_overlay_is_planned(tmp_path):
    configs = (ROOT / "config" / "config.yaml", ROOT / "config" / "crystals.yaml")
    jobs = planned(snakemake("all", "--dry-run", directory=tmp_path, configs=configs).stdout)
    assert (jobs["read_crystals"], jobs["build_crystals_dataset"], jobs["make_baseline"]) == (
        2, 1, 5,
    )  # fmt: skip
    assert jobs["train_model"] == jobs["generate_structures"] == 3
