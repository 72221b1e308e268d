"""The leaderboard: submissions side by side where they compare, apart where they do not."""

import re

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from dismai.base.errors import InputError
from dismai.cli import app
from dismai.evaluation.submission import SubmissionCard, SubmittedDataset
from dismai.files.structures import METRICS_SCHEMA, write_table
from dismai.report.leaderboard import benchmarks_of, leaderboard_page
from dismai.report.results import results_page

ALLOY, SILICON = "alloy_300K_wide", "amorphous_si"
METRICS = {
    ALLOY: {"d_cluster": "1", "percent_failed": "%"},
    SILICON: {"d_motif": "1", "d_rdf": "1", "percent_failed": "%"},
}
KINDS = {ALLOY: "alloy", SILICON: "amorphous_si"}


def rows(dataset, model, level, kind="trained", seeds=(0, 1, 2)):
    return [
        {
            **{"dataset": dataset, "model": model, "kind": kind, "seed": seed, "metric": metric},
            **{"unit": unit, "value": level + 0.01 * seed},
            **{"ci_low": level - 0.02, "ci_high": level + 0.03},
            **{"n_accepted": 40, "n_generated": 50},
        }
        for seed in seeds
        for metric, unit in METRICS[dataset].items()
    ]


def submission(folder, models, datasets=(ALLOY, SILICON), reference="a", moved=80, **changes):
    """A folder with what the page reads of a submission; models: level of every model.

    moved: structures that are not those of a training set with another reference.
    """
    folder.mkdir()
    found = [
        row
        for dataset in datasets
        for model, level in models.items()
        for row in rows(dataset, model, level)
    ]
    for dataset in datasets:
        found += rows(dataset, "held_out", 0.05, "baseline", (0,))
    for dataset in datasets:
        rows_of = np.arange(100.0)[:, None] + np.array([0.0, 0.1])
        rows_of[:moved] += 1000.0 * (reference != "a") + 200.0 * (reference == "d")
        table = pd.DataFrame(rows_of, columns=["f0", "f1"])
        table.insert(0, "held_out", np.arange(100) >= 80)
        (folder / "datasets" / dataset).mkdir(parents=True)
        table.to_parquet(folder / "datasets" / dataset / "fingerprints.parquet")
    metrics = pd.DataFrame(found)
    write_table(metrics, folder / "metrics.parquet", METRICS_SCHEMA)
    before = metrics[metrics["dataset"] == SILICON].assign(value=9.0)
    write_table(before, folder / "unrelaxed.parquet", METRICS_SCHEMA)
    entries = {
        name: SubmittedDataset(
            kind=KINDS[name], n_train=80, n_val=20, n_atoms=64 if name == SILICON else 108,
            relaxed=name == SILICON, reference_sha256=reference * 64,
        )
        for name in datasets
    }  # fmt: skip
    card = SubmissionCard(
        **{
            **{"name": folder.name, "command": "snakemake all", "commit": "0" * 40},
            **{
                "hardware": "two cores",
                "processor_hours": 1.5,
                "dismai": "0.1",
                "seeds": [0, 1, 2],
            },
            **{"n_samples": 50, "aligned": {}, "datasets": entries, "files": {}, **changes},
        }
    )
    (folder / "card.json").write_text(card.model_dump_json())
    return folder


@pytest.fixture
def folders(tmp_path):
    ours = submission(tmp_path / "ours", {"melt": 0.2, "cdvae": 0.4})
    return [ours, submission(tmp_path / "theirs", {"mine": 0.3, "cdvae": 0.5})]


def table_of(page, title):
    """Cells of the table of a section, row by row."""
    section = re.search(rf"<section[^>]*><h2>{re.escape(title)}</h2>.*?</section>", page, re.S)
    body = re.search(r"<tbody>(.*?)</tbody>", section[0], re.S)[1]
    parts = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.S) for row in body.split("</tr>")]
    return [[re.sub(r"<[^>]*>", "", cell) for cell in cells] for cells in parts if cells]


def test_models_of_all_submissions_stand_in_the_order_of_the_headline_metric(folders):
    page = leaderboard_page(folders)
    for title in (f"{ALLOY}, as they were generated", f"{SILICON}, relaxed"):
        table = table_of(page, title)
        names = [row[0] for row in table]
        assert names == ["melt", "mine", "cdvae, ours", "cdvae, theirs", "held_out"]
    assert table[0][3] == "0.21 [0.2, 0.22]"
    assert table[-1][3] == "0.05 [0.03, 0.08]"
    (first, *_) = table_of(page, "Overall, 2 datasets of 64 to 108 atoms")
    assert first[:2] == ["1", "melt"]


def test_values_before_relaxation_have_a_table_of_their_own(folders):
    table = table_of(leaderboard_page(folders), f"{SILICON}, as they were generated")
    assert {row[3].split()[0] for row in table} == {"9"}


def test_what_learned_from_other_training_sets_stands_apart(folders, tmp_path):
    other = submission(tmp_path / "other", {"melt": 0.1}, reference="b")
    half = submission(tmp_path / "half", {"more": 0.1}, datasets=(ALLOY,))
    names = [[card.name for card in one.cards] for one in benchmarks_of([*folders, other, half])]
    assert names == [["ours", "theirs", "half"], ["other"]]


def test_training_sets_that_were_relaxed_on_another_machine_are_the_same(folders, tmp_path):
    near = submission(tmp_path / "near", {"more": 0.1}, reference="c", moved=20)
    far = submission(tmp_path / "far", {"more": 0.1}, reference="d", moved=21)
    names = [[card.name for card in one.cards] for one in benchmarks_of([*folders, near, far])]
    assert names == [["ours", "theirs", "near"], ["far"]]


def test_two_submissions_of_one_name_are_refused(folders, tmp_path):
    (tmp_path / "more").mkdir()
    again = submission(tmp_path / "more" / "ours", {"melt": 0.1})
    with pytest.raises(InputError, match=r"more/ours: expected another name than that of .*ours"):
        leaderboard_page([*folders, again])


def test_the_command_writes_a_page_that_loads_nothing(folders, tmp_path):
    out = tmp_path / "page.html"
    done = CliRunner().invoke(app, ["leaderboard", *map(str, folders), "--out", str(out)])
    assert done.exit_code == 0, done.output
    page = out.read_text()
    assert "default-src 'none'" in page
    assert not re.search(r'(?:src|href)="(?!#)', page)
    for key in ("dataset", "size", "relaxed"):
        assert f'data-filter="{key}"' in page
    assert leaderboard_page(folders) == page


def test_a_note_with_markup_stays_text(tmp_path):
    page = leaderboard_page(
        [submission(tmp_path / "one", {"a<b>": 0.1}, note="<script>alert(1)</script>")]
    )
    assert "<script>alert" not in page
    assert "a<b>" not in page


def test_the_page_of_results_holds_the_numbers_of_the_submission(tmp_path):
    one = submission(tmp_path / "ours", {"cdvae": 0.2, "diffcsp": 0.4})
    page = results_page(one)
    assert results_page(one) == page
    assert "| cdvae | trained | 40 | 0.21 [0.2, 0.22] |" in page
    assert f"| {ALLOY} | 2 | 1.00 [1.00, 1.00] |" in page  # the paper has them in this order
    assert "| overall | 2 | 1.00 [1.00, 1.00] |" in page
    assert "| processor hours of all jobs | 1.5 |" in page
    assert all(len(line) <= 100 for line in page.splitlines() if not line.startswith("|"))
