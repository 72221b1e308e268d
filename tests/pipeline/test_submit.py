"""`dismai submit`: what it packs, and every fault in one line."""

import gzip
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from dismai.base.atomic import sha256
from dismai.base.errors import InputError
from dismai.cli import app
from dismai.datasets.baselines import random_decoration
from dismai.evaluation.submission import CARD, load_submission
from dismai.files.structures import read_structures, read_table, write_structures
from dismai.pipeline.submit import pack
from dismai.pipeline.submit_checks import faults
from tests.conftest import ROOT
from tests.finished import DATASET, OVERLAY, finished_run

SETTINGS = {
    **OVERLAY,
    "runs": [{"datasets": [DATASET], "models": ["cryingan"], "seeds": [0, 1, 2]}],
}
SAMPLES = f"samples/{DATASET}/cryingan/seed1.extxyz.gz"


def new_structures(train, spec, n, seed):
    return random_decoration(spec, n, seed=100 + seed)


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("submit") / "run"
    return finished_run(folder, SETTINGS, new_structures)


@pytest.fixture(scope="session")
def submission(results, tmp_path_factory):
    out = tmp_path_factory.mktemp("submissions") / "mine"
    out.mkdir()
    (out / "README.md").write_text("Notes.\n")
    pack(results, out)
    return out


@pytest.fixture
def copy(submission, tmp_path):
    return Path(shutil.copytree(submission, tmp_path / "mine"))


def stamped(folder, **changes):
    """The card with the hashes of the files as they are now, and some entries changed."""
    card = json.loads((folder / CARD).read_text())
    card["files"] = {name: sha256(folder / name) for name in card["files"]} | changes.pop(
        "files", {}
    )
    (folder / CARD).write_text(json.dumps(card | changes))


def test_what_is_packed_is_whole_and_says_what_ran(results, submission):
    assert faults(submission) == []
    card, metrics = load_submission(submission)
    assert (card.name, card.seeds) == ("mine", [0, 1, 2])
    assert card.datasets[DATASET].n_atoms == 32
    made = results / "metrics" / DATASET / "cryingan" / "seed2.parquet"
    assert card.scores[f"{DATASET}/cryingan/seed2"] == sha256(made)
    assert not metrics["relaxed"].any()
    kept = read_table(results / "metrics" / DATASET / "cryingan" / "seed1.parquet")
    own = metrics.query("model == 'cryingan' and seed == 1").reset_index(drop=True)
    assert own[kept.columns].equals(kept)
    drawn = read_structures(results / "generated" / DATASET / "cryingan" / "seed1" / "raw.extxyz")
    sampled = read_structures(submission / SAMPLES)
    assert [one.info["structure"] for one in sampled] == list(range(len(drawn)))
    np.testing.assert_allclose(sampled[3].positions, drawn[3].positions)


def test_the_same_results_give_the_same_bytes(results, submission, tmp_path):
    pack(results, tmp_path / "again", "mine")
    first, second = (
        json.loads((one / CARD).read_text()) for one in (submission, tmp_path / "again")
    )
    assert first["files"] == second["files"]


def test_the_command_packs_checks_and_ends_with_two_on_faults(results, submission, tmp_path):
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["submit", str(results), "--out", str(out), "--name", "me"])
    assert done.exit_code == 0, done.output
    assert "all whole" in done.output
    (out / SAMPLES).unlink()
    done = CliRunner().invoke(app, ["submit", str(out)])
    assert done.exit_code == 2
    assert done.output.splitlines()[0] == f"{out / SAMPLES}: expected a file, found none"
    with pytest.raises(InputError, match="expected a submission"):
        CliRunner().invoke(app, ["submit", str(results)], catch_exceptions=False)
    with pytest.raises(InputError, match="expected no such folder, or one with README.md alone"):
        pack(results, submission)


def test_a_changed_byte_is_one_line(copy):
    path = copy / "metrics.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    (line,) = faults(copy)
    assert line.startswith(f"{path}: expected the SHA-256 ")


def test_a_stranger_is_one_line(copy):
    (copy / "weights" / "more.bin").write_bytes(b"x")
    (line,) = faults(copy)
    assert "more.bin: expected only files that card.json lists" in line


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"seeds": [0, 1, 2, 3]}, f"{DATASET}, cryingan: expected a set of seed 3, found none"),
        ({"seeds": [0, 1]}, "seeds: expected at least 3 trainings of every model, found 2"),
    ],
)
def test_a_missing_seed_is_one_line(copy, changes, line):
    stamped(copy, **changes)
    (found,) = faults(copy)
    assert found.endswith(line)


def test_numbers_that_do_not_agree_are_one_line_a_set(copy):
    table = read_table(copy / "fates.parquet")
    lost = table.query("model == 'cryingan' and seed == 2").index[:1]
    table.drop(index=lost).to_parquet(copy / "fates.parquet")
    stamped(copy)
    (line, *others) = faults(copy)
    assert "cryingan, seed 2: n_generated: expected 11 as in fates.parquet, found 12" in line
    assert len(others) <= 1  # the lost one was accepted


def copied_in(copy, results, n):
    """Put n training structures, moved, in the place of the first samples."""
    samples = read_structures(copy / SAMPLES)
    train = read_structures(results / "datasets" / DATASET / "train.extxyz")
    for number, atoms in enumerate(train[:n]):
        atoms.positions += [1.8, 1.8, 0.0]
        atoms.info = {"structure": number}
        samples[number] = atoms
    plain = copy / "plain.extxyz"
    write_structures(samples, plain)
    (copy / SAMPLES).write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    stamped(copy)


def test_a_copied_training_structure_is_one_line(copy, results):
    copied_in(copy, results, 1)
    (line,) = faults(copy)
    assert line == (
        f"{copy / SAMPLES}: expected at most 0 copies of training structures, as many as held-out "
        "ones explain, found 1: structures 0"
    )


def test_fewer_samples_than_promised_are_one_line(copy):
    samples = read_structures(copy / SAMPLES)
    write_structures(samples[:-2], copy / "plain.extxyz")
    (copy / SAMPLES).write_bytes(gzip.compress((copy / "plain.extxyz").read_bytes()))
    (copy / "plain.extxyz").unlink()
    stamped(copy)
    (line,) = faults(copy)
    assert line.endswith("expected 11 to 12 structures, found 10")  # one could not be read


def test_a_card_that_is_none_is_one_line(copy):
    card = json.loads((copy / CARD).read_text())
    (copy / CARD).write_text(json.dumps(card | {"seeds": []}))
    with pytest.raises(InputError, match="card.json: seeds: expected .*at least 1 item"):
        faults(copy)
    (copy / CARD).write_text("{")
    with pytest.raises(InputError, match="expected the card of a submission, found"):
        faults(copy)


def test_results_that_are_not_whole_are_not_packed(results, tmp_path):
    spoiled = Path(shutil.copytree(results, tmp_path / "run"))
    (spoiled / "figures" / "ranking.svg").unlink()
    with pytest.raises(InputError, match="expected whole results, found 1 faults: .*ranking.svg"):
        pack(spoiled, tmp_path / "out")


def test_the_manual_can_be_followed(results, submission, tmp_path, monkeypatch):
    shutil.copytree(results, tmp_path / "results" / "mini")
    stamped(Path(shutil.copytree(submission, tmp_path / "results_mini")), name="mini")
    monkeypatch.chdir(tmp_path)
    manual = (ROOT / "docs" / "submit.md").read_text()
    lines = re.findall(r"^    dismai ((?:submit|leaderboard) .+)$", manual, re.MULTILINE)
    assert len(lines) == 3
    for line in lines:
        done = CliRunner().invoke(app, line.split(), catch_exceptions=False)
        assert done.exit_code == 0, done.output
    page = (tmp_path / "leaderboard.html").read_text()
    assert "cryingan, mini" in page
    assert "cryingan, mine" in page
