"""Labels, trained potentials and what relaxes in them: the plan at paper scale, and a small run."""

import pytest

from dismai.base.card import read_card
from dismai.datasets.published import differences
from dismai.files.structures import read_table
from tests.commands import TINY_RUNS, planned, snakemake, tiny_run
from tests.conftest import ROOT

PUBLISHED = ROOT / "config" / "published.yaml"


def plan(directory, *configs):
    """Job counts of `all` at paper scale, with overlays."""
    (directory / "gp_iter6_sparse9k.xml").write_text("not read in a plan")
    return planned(snakemake("all", "-n", directory=directory, configs=configs).stdout)


@pytest.fixture(scope="module")
def default(tmp_path_factory):
    return plan(tmp_path_factory.mktemp("plan"))


def test_all_labels_trains_and_fits_what_interfaces_and_silicon_relax_in(default):
    wanted = {
        "label_interfaces": 50,
        "gather_labels": 1,
        "train_m3gnet": 1,
        "plot_m3gnet": 1,
        "label_cells": 1,
        "fit_potential": 3,
        "plot_potential": 1,
        "compare_minima": 25,
        "gather_minima": 1,
    }
    assert {rule: default.get(rule) for rule in wanted} == wanted


def test_the_published_overlay_plans_the_paper_to_the_letter(tmp_path):
    jobs = plan(tmp_path, PUBLISHED)
    assert jobs["train_model"] == jobs["generate_structures"] == 90  # 30 pairs, three seeds
    assert jobs["label_interfaces_vasp"] == 50
    assert jobs["compare_minima_vasp"] == 25
    assert jobs["train_m3gnet"] == 1
    assert jobs["relax_crystal_vasp"] == 2  # bulk LiCoO2 and Li3ScCl6
    assert jobs["match_langevin_steps"] == 3  # of CDVAE on silicon, one a seed
    assert not {"label_interfaces", "compare_minima", "label_cells", "fit_potential"} & set(jobs)


def test_every_rule_of_the_default_plan_runs_in_a_small_run(default, tmp_path):
    run = set()
    for name in TINY_RUNS:
        run |= planned(tiny_run(name, tmp_path, "-n").stdout).keys()
    assert default.keys() <= run


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with a finished small run of the chain."""
    directory = tmp_path_factory.mktemp("chain")
    tiny_run("chain", directory)
    return directory / "results" / "tiny"


def test_interfaces_relax_in_the_m3gnet_that_the_run_has_trained(finished):
    model = finished / "potentials" / "m3gnet" / "model.safetensors"
    assert model.stat().st_size > 0
    spec = read_card(finished / "datasets" / "interface" / "card.json")
    assert spec.provenance["params"]["potential"]["kind"] == "m3gnet"
    assert "m3gnet made from labels by surrogate instead of vasp" in differences(spec)[-1]
    features = read_table(
        finished / "generated" / "interface" / "random_interfaces" / "seed0" / "features.parquet"
    )
    assert features["energy_eV_per_atom"].notna().all()


def test_silicon_relaxes_in_the_gap_that_the_run_has_fitted(finished):
    spec = read_card(finished / "datasets" / "amorphous_si" / "card.json")
    assert spec.provenance["params"]["potential"]["kind"] == "gap"
    said = "gap made from labels by surrogate instead of Bartók et al. 2018"
    assert said in differences(spec)[-1]
    kept = finished / "potentials" / "gap_si" / "state" / "cells"
    assert len(list(kept.glob("*.json"))) == 10  # of the engine, 8 to learn from and 2 to test


def test_minima_of_the_m3gnet_are_continued_under_the_engine(finished):
    minima = read_table(finished / "tables" / "minima" / "m3gnet" / "minima.parquet")
    assert minima["status"].tolist() == ["ok", "ok"]
    table = (finished / "tables" / "minima" / "m3gnet" / "table5.csv").read_text()
    assert "low,n_DFT_steps_after_M3GNet" in table
