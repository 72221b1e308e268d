"""The ablations: which variant belongs where, its numbers, tables and figures."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from dismai.base.errors import StructureError
from dismai.base.resources import resource
from dismai.datasets.published import published_numbers
from dismai.evaluation.study_ablation import (
    BEFORE,
    COMPOSITION,
    LENGTHS,
    PLAIN,
    Training,
    ablation_statements,
    ablation_table,
    energies_above,
    generated_numbers,
    grouped,
    numbers_of,
    switch_of,
    told_of,
    variants_of,
)
from dismai.metrics.statistics import Interval
from dismai.models import paper_spec
from dismai.report.study import write_study
from dismai.report.study_ablation import HEADINGS, draw_all
from tests.makers import alloy_spec, permuted_alloys

SPEC = paper_spec("interface")
N_ATOMS = 264
TOLD = told_of(resource("published.csv"))


def training(model, architecture, hparams, seed=0, weights_of="", **numbers):
    """A training with numbers within one of their values."""
    intervals = {name: Interval(value, value - 1, value + 1) for name, value in numbers.items()}
    energies = np.linspace(0.0, 9.0, 12) if seed == 0 else np.empty(0)
    return Training(
        model, seed, architecture, weights_of, hparams, intervals, energies, n_generated=10
    )


TRAININGS = [
    training("cdvae", "cdvae", {"langevin_steps": 100}, relaxation_steps=12, right_composition=98),
    training("noised", "cdvae", {"langevin_steps": 100, "species_denoising": True},
             right_composition=3),
    *(training("diffcsp", "diffcsp", {"steps": 50}, seed, d_all=5 + 0.1 * seed, percent_failed=9,
               relaxation_steps=80) for seed in (1, 0)),
    training("free", "diffcsp", {"steps": 50, "cost_lattice": 1.0}, d_all=40, percent_failed=70,
             cell_length_error=30),
    training("forced", "diffcsp",
             {"steps": 50, "cost_lattice": 1.0, "teacher_forcing_epochs": 5}, d_all=20,
             percent_failed=69.5, cell_length_error=3),
    training("many", "unimat", {"steps": 300, "region": {"Li": 9}}, weights_of="unimat",
             energy_above_training=4),
    training("unimat", "unimat", {"steps": 100, "region": {"Li": 9}}, relaxation_steps=70,
             energy_above_training=9),
    training("few", "unimat", {"steps": 10, "region": {"Li": 9}}, weights_of="unimat"),
    training("mixed", "unimat", {"steps": 100, "region": dict(SPEC.composition)}),
]  # fmt: skip


@pytest.fixture(scope="module")
def variants():
    return variants_of(TRAININGS, SPEC)


def test_a_variant_is_where_its_hyperparameters_put_it(variants):
    names = {group: [one.name for one in own] for group, own in grouped(variants).items()}
    assert names == {
        PLAIN: ["cdvae", "diffcsp", "unimat"],
        "cdvae, switches": ["cdvae", "noised"],
        "diffcsp, switches": ["diffcsp", "free", "forced"],
        "unimat, switches": ["unimat", "mixed"],
        "unimat, sampling steps": ["few", "unimat", "many"],
    }


def test_some_atoms_without_order_are_no_switch():
    assert switch_of({"region": {"Li": 9, "Sc": 3, "Cl": 18}}, N_ATOMS) == PLAIN
    assert switch_of({"region": dict(SPEC.composition)}, N_ATOMS) == "all atoms shuffled"
    assert switch_of({"cost_lattice": 0.0, "teacher_forcing_epochs": 0}, N_ATOMS) == PLAIN


def test_statements_are_about_the_right_pairs(variants):
    table = ablation_statements(variants, SPEC).set_index(["first", "second", "metric"])
    held = table["held"].to_dict()
    assert held["cdvae", "noised", COMPOSITION] == "yes"
    assert held["cdvae", "diffcsp", "relaxation_steps"] == "yes"
    assert held["diffcsp", "free", "d_all"] == "yes"
    assert held["free", "forced", LENGTHS] == "yes"
    assert held["free", "forced", "percent_failed"] == "open"
    assert held["unimat", "many", "energy_above_training"] == "no"
    assert held["unimat", "mixed", "d_all"] == "open"  # none was accepted
    assert ("unimat", "few", "energy_above_training") not in held


def test_the_table_has_published_numbers_beside_the_models_as_published(variants):
    table = ablation_table(variants, SPEC, TOLD)
    steps = table[table["group"].eq(PLAIN) & table["metric"].eq("relaxation_steps")]
    steps = steps.set_index("name")
    assert steps.loc["cdvae", "published"] == 10
    assert np.isnan(steps.loc["diffcsp", "published"])
    assert steps.loc["diffcsp", "published_low"] == 68
    told = table.set_index(["group", "name", "metric"])["published"]
    assert told["unimat, switches", "unimat", COMPOSITION] == 99.5
    assert np.isnan(told["unimat, switches", "mixed", COMPOSITION])
    assert told[PLAIN, "diffcsp", "d_all"] == 0.037
    assert told[PLAIN, "diffcsp", "percent_failed"] == 7.17


def test_a_small_set_of_the_kind_stands_beside_the_paper_s(variants):
    small = SPEC.model_copy(update={"name": "interface_few"})
    assert ablation_table(variants, small, TOLD)["published"].notna().any()
    alloys = alloy_spec().model_copy(update={"name": "my_alloys"})  # four sets were published
    assert ablation_table(variants, alloys, TOLD)["published"].isna().all()


def test_compositions_are_told_beside_what_tables_and_text_say():
    assert len(TOLD) == len(published_numbers(resource("published.csv"))) + 2
    assert TOLD["model"].notna().all()


def test_numbers_of_structures_as_they_were_generated():
    spec = alloy_spec()
    right, wrong, strained = permuted_alloys(3)
    wrong.symbols[0] = "Cr" if wrong.symbols[0] != "Cr" else "Fe"
    strained.set_cell(strained.cell * [[1.1], [1.0], [1.0]], scale_atoms=True)
    unreadable = StructureError("nothing to read")
    numbers = generated_numbers([right, wrong, strained, unreadable], spec)
    assert numbers[COMPOSITION].value == 50.0
    assert numbers[LENGTHS].value == pytest.approx(10.0 / 3 / 3)
    assert numbers["cell_angle_error"].value == pytest.approx(0.0, abs=1e-9)
    assert np.isnan(generated_numbers([unreadable], spec)[LENGTHS].value)


def test_numbers_before_and_after_relaxation_are_kept_apart():
    def rows(value):
        limits = {"value": value, "ci_low": value - 1, "ci_high": value + 1}
        return pd.DataFrame([{"metric": name, **limits} for name in ("d_cluster", "soap_mmd")])

    numbers = numbers_of({0: permuted_alloys(1)[0]}, rows(3.0), rows(8.0), alloy_spec())
    assert numbers["d_cluster"] == Interval(3.0, 2.0, 4.0)
    assert numbers[f"d_cluster{BEFORE}"] == Interval(8.0, 7.0, 9.0)
    assert "soap_mmd" not in numbers


def test_energies_are_above_the_mean_of_the_training_set():
    reference = pd.DataFrame({"energy_eV_per_atom": [-5.0, -3.0]})
    features = pd.DataFrame({"energy_eV_per_atom": [-3.9]})
    assert energies_above(features, reference, SPEC) == pytest.approx([100.0])
    assert len(energies_above(pd.DataFrame({"structure": [1]}), reference, SPEC)) == 0


def test_tables_and_figures_are_written_also_for_few_runs(variants, tmp_path):
    names = ("switches", "steps", "relaxation", "structures")
    for folder, own in ((tmp_path / "all", variants), (tmp_path / "one", variants[:1])):
        files = SimpleNamespace(
            table=folder / "t.parquet", csv=folder / "t.csv", statements=folder / "s.csv",
            markdown=folder / "t.md", page=folder / "t.html",
            **{name: folder / f"{name}.svg" for name in names},
        )  # fmt: skip
        table = ablation_table(own, SPEC, TOLD)
        write_study(table, ablation_statements(own, SPEC), HEADINGS, files, {})
        pictures = {"cdvae": permuted_alloys(1)[0], "free": StructureError("none")}
        draw_all(own, table, pictures, np.linspace(-3, 3, 20), SPEC, files)
        for name in names:
            assert (folder / f"{name}.svg").read_text().rstrip().endswith("</svg>")
    page = (tmp_path / "all" / "t.html").read_text()
    assert "right composition (%), published" in page
    assert "denoised species: compositions become wrong" in page
    assert "≥ 68" in page
