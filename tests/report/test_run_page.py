"""The page of a run: five answers in order, offline, small, whatever failed."""

import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from typer.testing import CliRunner

from dismai.base.atomic import sha256
from dismai.base.card import write_card
from dismai.base.errors import InputError
from dismai.base.kinds import our_kinds
from dismai.cli import app
from dismai.datasets.options import Options
from dismai.evaluation.process import describe_reference
from dismai.evaluation.score import score
from dismai.evaluation.study import STATEMENTS_SCHEMA, STUDY_SCHEMA
from dismai.files.structures import (
    FATES_SCHEMA,
    METRICS_SCHEMA,
    read_table,
    write_csv,
    write_structures,
    write_table,
)
from dismai.pipeline.jobs import write_config
from dismai.report import curves, figures, style, themes
from dismai.report.drawings import OF_ALL_KINDS
from dismai.report.run_files import RunFiles
from dismai.report.run_page import _sentence, run_page
from dismai.report.run_studies import studies_section
from dismai.report.viewer import close_pairs, entry, vacancies
from tests.makers import MAKERS, card

KIND_OF = {
    **dict.fromkeys(
        ("alloy_300K_narrow", "alloy_300K_wide", "alloy_1500K_narrow", "alloy_1500K_wide"), "alloy"
    ),
    "amorphous_si": "amorphous_si",
    "interface": "interface",
}
MODELS = ["cdvae", "diffcsp", "crystens", "unimat", "cryingan"]
SEEDS = (0, 1, 2)
N = 4
LARGEST_MB = 25
VOID = {"meta", "br", "link", "input", "img"}


@pytest.fixture(scope="module")
def described():
    """Twelve structures of each kind, and their features."""
    made = {kind: make(12) for kind, make in MAKERS.items()}
    return {
        kind: (structures, describe_reference(structures, card(kind), Options(), "test"))
        for kind, structures in made.items()
    }


@pytest.fixture(scope="module")
def folder(described, tmp_path_factory):
    """Results of 30 pairs and three seeds; UniMat has no accepted structure anywhere."""
    root = tmp_path_factory.mktemp("results") / "synthetic"
    for dataset, kind in KIND_OF.items():
        structures, features = described[kind]
        spec = card(kind).model_copy(update={"name": dataset, "n_train": 12})
        own = root / "datasets" / dataset
        own.mkdir(parents=True)
        write_card(spec, own / "card.json")
        for name in ("train", "val"):
            write_structures(structures, own / f"{name}.extxyz")
        for seed in SEEDS:
            for k, model in enumerate([*MODELS, "held_out"]):
                make_set(root, spec, (structures, features), model, seed, k)
        draw(root, dataset, kind, features)
    runs = [{"datasets": list(KIND_OF), "models": MODELS, "seeds": list(SEEDS)}]
    models = {name: {} for name in MODELS}
    write_config({"run": "synthetic", "models": models, "runs": runs}, root / "config.yaml")
    (root / "environment.txt").write_text("python==3.11\nase==3.29\n")
    bench = root / "benchmarks" / "train_model" / "interface" / "cdvae"
    bench.mkdir(parents=True)
    (bench / "seed0.tsv").write_text("s\tmax_rss\tcpu_time\n7200\t1024\t3600\n")
    return root


def make_set(root, spec, described, model, seed, k):
    """One generated set of four structures, one of them rejected; of UniMat all."""
    structures, features = described
    own = root / "generated" / spec.name / model / f"seed{seed}"
    own.mkdir(parents=True)
    n_accepted = 0 if model == "unimat" else N - 1
    status = ["accepted"] * n_accepted + ["rejected"] * (N - n_accepted)
    fates = pd.DataFrame(
        {
            "structure": range(N), "status": status, "source_file": "",
            "stage": ["" if one == "accepted" else "clean" for one in status],
            "reason": ["" if one == "accepted" else "3 <atoms> & 1.2 Å" for one in status],
        }
    )  # fmt: skip
    chosen = structures[k : k + N]
    write_structures(chosen, own / "raw.extxyz")
    write_structures(chosen[:n_accepted], own / "clean.extxyz")
    write_structures(chosen[:n_accepted], own / "relaxed.extxyz")
    write_table(fates, own / "fates.parquet", FATES_SCHEMA, {})
    table = features[k : k + n_accepted].reset_index(drop=True)
    kind = "baseline" if model == "held_out" else "trained"
    metrics = score(table, fates, features, None, spec, model, kind, seed)
    metrics["n_accepted"] = np.where(model == "unimat", 0, 12 + k)  # enough for a rank
    metrics["n_generated"] = 20
    path = (root / "metrics" / spec.name / model / f"seed{seed}").with_suffix(".parquet")
    write_table(metrics, path, METRICS_SCHEMA, {})


def draw(root, dataset, kind, features):
    """The figures of a dataset, of all models and a baseline."""
    sets = {name: features for name in (*MODELS, "held_out")}
    makers = {
        "alloy": {
            "sro": lambda: figures.plot_sro(features, sets),
            "energy": lambda: figures.plot_energies(features, sets, 32, "alloy"),
        },
        "amorphous_si": {
            "rdf": lambda: curves.plot_pair_and_angle(features, sets),
            "factor": lambda: curves.plot_factor_and_dihedral(features, sets),
            "rings": lambda: curves.plot_rings_and_coordination(features, sets),
            "motifs": lambda: curves.plot_si_motifs(features, sets),
        },
        "interface": {
            "motifs": lambda: curves.plot_cation_motifs(features, sets),
            "profile": lambda: curves.plot_profile(features, sets),
        },
    }
    target = root / "figures" / dataset
    target.mkdir(parents=True)
    drawn = next((root / "figures").glob("alloy_*/sro.svg"), None)
    for name, make in makers[kind].items():
        if kind == "alloy" and drawn is not None:  # four datasets look the same
            shutil.copy(drawn.with_name(f"{name}.svg"), target)
        else:
            figures.save_figure(make(), target / f"{name}.svg")


@pytest.fixture(scope="module")
def page(folder):
    return run_page(RunFiles(folder), "2026-01-01")


class Reader(HTMLParser):
    """Headings, everything that could be fetched, and whether tags close."""

    def __init__(self):
        super().__init__()
        self.open, self.headings, self.fetched, self.ids = [], [], [], []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.fetched += [v for k, v in attrs if k in ("src", "href", "data", "poster", "srcset")]
        self.ids += [values["id"]] if "id" in values else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.fetched += [v for k, v in attrs if k in ("src", "href")]

    def handle_data(self, data):
        if self.open and self.open[-1] in ("h1", "h2"):
            self.headings.append(data)


@pytest.fixture(scope="module")
def read(page):
    reader = Reader()
    reader.feed(page)
    return reader


def test_the_page_answers_the_questions_in_their_order(read):
    assert read.headings == [
        "Dismai-Bench, run synthetic",
        "Which model leads, and how sure is that?",
        "What does each dataset look like?",
        "Why did structures fail?",
        "What did it cost?",
        "How to get every number again",
    ]
    assert read.open == []


def test_nothing_is_fetched_and_the_browser_is_told_so(read, page):
    assert all(target.startswith(("#", "data:image/png")) for target in read.fetched)
    assert "default-src 'none'" in page
    assert "connect-src 'none'" in page
    outside = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r"url\((?!#)[^)]*\)|@import", outside)


def test_a_page_of_thirty_pairs_and_three_seeds_is_small(page, folder):
    pairs = {(path.parts[-3], path.parts[-2]) for path in folder.glob("metrics/*/*/*.parquet")}
    assert len([model for _, model in pairs if model != "held_out"]) == 30
    size = len(page.encode()) / 1e6
    largest = max(MAKERS[kind](1)[0].positions.size for kind in MAKERS)
    structures = re.search(r'id="structures">(.*?)</script>', page, re.DOTALL).group(1)
    at_paper_scale = len(structures) / 1e6 * 264 * 3 / (largest / 2)
    assert size + at_paper_scale < LARGEST_MB


def test_every_set_is_in_the_viewer_in_every_state_it_reached(page, folder):
    content = json.loads(re.search(r'id="structures">(.*?)</script>', page, re.DOTALL).group(1))
    assert list(content["datasets"]) == list(KIND_OF)
    for dataset, group in content["datasets"].items():
        states = pd.DataFrame(group["structures"]).groupby("set")["state"].apply(list)
        assert states["training set"] == ["training"] * 2
        assert states["cdvae, seed 2"] == ["as generated", "cleaned", "relaxed", "as generated"]
        assert states["unimat"] == ["as generated"]
        assert group["lattice"] == (KIND_OF[dataset] == "alloy")
    rejected = [one for one in group["structures"] if one.get("why")]
    assert rejected[0]["why"] == "clean: 3 <atoms> & 1.2 Å"
    assert "<atoms>" not in page.replace(rejected[0]["why"], "")


def test_names_from_files_cannot_break_the_page(page):
    assert "# &lt;atoms&gt; &amp; # Å" in page  # the reason, its numbers replaced


def test_failures_are_told_by_stage_and_costs_by_rule(page):
    assert "Where structures fail" in page
    assert "<td>100</td>" in page  # UniMat
    assert "1 jobs took 1 processor hours (2 hours one after another)" in page
    energy = 1.67 * (12.0 * 1 + 0.3725 * 2) / 1000
    assert f"<strong>{energy:.2g} kWh</strong>" in page


def test_the_numbers_can_be_had_again(page, folder):
    path = folder / "datasets" / "interface" / "train.extxyz"
    assert f"{sha256(path)}  datasets/interface/train.extxyz" in page
    assert "ase==3.29" in page
    assert "snakemake all --configfile config.yaml" in page


def test_a_small_run_is_called_no_benchmark_and_published_values_are_marked(page):
    assert "Not a benchmark" in page
    assert 'class="differs" title="does not compare: 32 atoms instead of 256' in page
    assert "<li>† Published values of interface do not compare" in page


def test_the_published_values_are_ranked_by_the_same_rule(page):
    table = page.partition("Published values on 6 datasets")[2].partition("</table>")[0]
    names = re.findall(r"</span>(\w+)</td>", table)
    assert names == ["diffcsp", "cdvae", "cryingan", "crystens", "unimat"]


def test_every_figure_of_our_kinds_has_a_caption():
    for kind in our_kinds():
        captions = {name: picture.caption for name, picture in kind.pictures.items()}
        captions |= OF_ALL_KINDS
        assert all(captions[name].endswith(".") for name in kind.figures)


def test_those_who_share_the_first_place_are_named_with_what_they_lack():
    first = pd.DataFrame(
        {
            "model": ["a", "b", "c"], "place": [1, 1, 1], "note": ["", "not run on 2 of 3", ""],
            "place_low": 1.0, "place_high": 2.0, "mean_rank": 1.5, "tied": "",
        }
    )  # fmt: skip
    assert _sentence(first, 3) == (
        "<strong>a</strong>, <strong>b</strong> and <strong>c</strong> share the first place over "
        "3 datasets (b: not run on 2 of 3)."
    )


def test_the_command_writes_one_file(folder, tmp_path):
    out = tmp_path / "page.html"
    result = CliRunner().invoke(app, ["report", str(folder), "--out", str(out)])
    assert result.exit_code == 0
    assert "MiB" in result.output
    assert out.read_text().startswith("<!doctype html>")


def test_a_folder_without_results_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="expected results of the workflow, found no metrics/"):
        RunFiles(tmp_path)
    (tmp_path / "metrics").mkdir()
    files = RunFiles(tmp_path)
    with pytest.raises(InputError, match="expected the configuration of a run"):
        _ = files.config


def test_studies_stand_on_the_page_where_there_are_any(tmp_path):
    row = [
        "lambda",
        "gan_0",
        "percent_not_converged",
        "%",
        3,
        60,
        30.5,
        20.0,
        41.0,
        28.0,
        33.0,
        34.0,
    ]
    table = pd.DataFrame([[*row, np.nan, np.nan]], columns=STUDY_SCHEMA.names)
    tables = tmp_path / "tables" / "studies" / "interface_dft"
    assert studies_section(tmp_path, lambda path, dataset: "") == ""
    write_table(table, tables / "gan.parquet", STUDY_SCHEMA, {})
    said = ["falls", "percent_not_converged", "%", "gan_0", "gan_005", -20.0, -30.0, -10.0, "yes"]
    statements = pd.DataFrame([said], columns=STATEMENTS_SCHEMA.names)
    write_csv(statements, tables / "gan_statements.csv", digits=6)
    pictures = tmp_path / "figures" / "studies" / "interface_dft"
    pictures.mkdir(parents=True)
    (pictures / "gan_lambda.svg").touch()
    html = studies_section(tmp_path, lambda path, dataset: f"[{path.name} of {dataset}]")
    for text in (
        "30.5 [20, 41]",
        "<td>34</td>",
        "-20 [-30, -10]",
        "[gan_lambda.svg of interface_dft]",
    ):
        assert text in html


def test_what_studies_alone_run_has_no_place_in_the_ranking(folder, tmp_path):
    given = folder / "metrics" / "interface" / "cdvae" / "seed0.parquet"
    models = {"in_both": "interface", "variant": "interface", "other_set": "loose"}
    for model, dataset in models.items():
        table = read_table(given).assign(model=model, dataset=dataset)
        path = tmp_path / "metrics" / dataset / model / "seed0.parquet"
        write_table(table, path, METRICS_SCHEMA, {})
    runs = [{"datasets": ["interface"], "models": ["in_both"], "seeds": [0]}]
    studied = [
        {"datasets": ["interface"], "models": ["in_both", "variant"], "seeds": [0]},
        {"datasets": ["loose"], "models": ["other_set"], "seeds": [0]},
    ]
    config = {"models": dict.fromkeys(models, {}), "runs": runs, "studies": {"gan": studied}}
    write_config(config, tmp_path / "config.yaml")
    files = RunFiles(tmp_path)
    assert set(files.metrics["model"]) == {"in_both"}
    assert files.models == ["in_both"]
    write_config(
        {**config, "runs": [], "studies": {"gan": [*studied, *runs]}}, tmp_path / "config.yaml"
    )
    with pytest.raises(InputError, match="metrics of `runs`, found those of studies alone"):
        _ = RunFiles(tmp_path).metrics


def luminance(color):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_every_colour_of_a_set_has_a_dark_form_that_can_be_seen():
    sets = [*style.MODELS, *style.baseline_styles(), *(f"model{i}" for i in range(12))]
    dark_page = "#14191f"
    for look in style.model_styles(sets).values():
        if look != style.TRAINING:
            other = themes.DARK[look.color.lower()]
            assert contrast(other, dark_page) >= 3
    assert themes.themed('<svg><path fill="#000000" stroke="#0072B2"/></svg>') == (
        '<svg><path fill="currentColor" stroke="var(--c0072b2)"/></svg>'
    )


def test_close_atoms_and_vacancies_are_marked():
    crystal = MAKERS["alloy"](1)[0]
    spec = card("alloy")
    assert len(vacancies(crystal, spec)) == 0
    holed = crystal.copy()
    site = holed.positions[5].copy()
    del holed[5]
    np.testing.assert_allclose(vacancies(holed, spec), [site], atol=1e-6)
    near = crystal.copy()
    near.positions[3] = near.positions[7] + [0.5, 0, 0]
    assert close_pairs(near).tolist() == [[3, 7]]
    told = entry(near, spec)
    assert (told["close"], told["n_close"], len(told["vacant"])) == ([3, 7], 1, 1)
