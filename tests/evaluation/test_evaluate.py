"""`dismai evaluate` on every kind of dataset, and the commands of docs/evaluate.md."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ase.io import write
from typer.testing import CliRunner

from dismai.base.card import write_card
from dismai.base.errors import InputError
from dismai.cli import app
from dismai.datasets.baselines import random_decoration
from dismai.datasets.options import Options
from dismai.evaluation.file import evaluate_file
from dismai.evaluation.parallel import in_order
from dismai.evaluation.process import describe_reference, process
from dismai.evaluation.reference import load_shipped
from dismai.files.structures import write_structures
from dismai.metrics import crystalnn, rdf
from dismai.metrics.clusters import published_expansion
from dismai.metrics.interface import cation_distances, cation_means
from dismai.metrics.statistics import euclidean
from tests.commands import dismai
from tests.conftest import ROOT
from tests.makers import MAKERS, card, diamonds, slabs


@pytest.fixture
def folder(tmp_path):
    """Training, held-out and generated silicon, with a card."""
    write_structures(diamonds(12), tmp_path / "train.extxyz")
    write_structures(diamonds(8, seed=50), tmp_path / "val.extxyz")
    write_structures(diamonds(9, seed=90), tmp_path / "set.extxyz")
    write_card(card("amorphous_si"), tmp_path / "card.json")
    return tmp_path


def values(evaluation):
    return evaluation.metrics.set_index("metric")["value"]


def test_silicon_has_the_distances_of_the_plain_functions(folder):
    result = evaluate_file(folder / "set.extxyz", "amorphous_si", folder / "train.extxyz")
    train, generated = diamonds(12), diamonds(9, seed=90)
    means = [
        np.mean([crystalnn.fingerprints(atoms).mean(axis=0) for atoms in part], axis=0)
        for part in (generated, train)
    ]
    assert values(result)["d_motif"] == pytest.approx(euclidean(*means), abs=1e-7)
    curves = [np.mean([rdf.rdf(atoms)[1] for atoms in part], axis=0) for part in (generated, train)]
    assert values(result)["d_rdf"] == pytest.approx(
        euclidean(*curves), rel=0.02
    )  # 8 digits in file
    assert values(result)["coordination_defects_above_training"] == 0
    assert "expected of 9 new structures" in " ".join(result.notes)
    assert result.metrics["noise_floor"].notna().all()


def test_the_interface_has_the_distances_of_the_plain_functions():
    spec, options = card("interface"), Options()
    train, generated = slabs(6), slabs(5, seed=40)
    reference = describe_reference(train, spec, options, "train")
    result = process(dict(enumerate(generated)), spec, options)
    from dismai.datasets.interface.describe import score

    found = score(result.features, reference, spec)
    numbers = {"Li": 18, "Co": 6, "Sc": 6}

    def means(structures):
        return np.mean(
            [
                cation_means(
                    crystalnn.fingerprints(atoms, "interface"),
                    np.array(atoms.get_chemical_symbols())[crystalnn.sites(atoms, "interface")],
                    numbers,
                )
                for atoms in structures
            ],
            axis=0,
        )

    expected = cation_distances(means(generated), means(train), numbers)
    assert set(expected) == {"d_Li", "d_Co", "d_Sc", "d_all"}
    for name, value in expected.items():
        assert found[name][1].value == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("kind", list(MAKERS))
def test_training_structures_have_distance_zero_and_are_copies(kind):
    spec, options = card(kind), Options()
    train = MAKERS[kind](8)
    reference = describe_reference(train, spec, options, "train")
    again = process(dict(enumerate(train)), spec, options)
    from dismai.evaluation.score import score

    table = score(again.features, again.fates, reference, None, spec, "m", "file", 0)
    found = table.set_index("metric")["value"]
    distances = [name for name in found.index if name.startswith("d_")]
    np.testing.assert_allclose(found[distances].astype(float), 0, atol=1e-12)
    assert found["memorisation"] == 1


def test_the_number_of_processes_changes_nothing():
    spec, options = card("amorphous_si"), Options()
    structures = dict(enumerate(diamonds(50)))
    one, two = (process(structures, spec, options, n_jobs) for n_jobs in (1, 2))
    pd.testing.assert_frame_equal(one.features, two.features, check_exact=True)
    pd.testing.assert_frame_equal(one.fates, two.fates)


def test_progress_counts_every_structure():
    told = []

    def report(name, n_items):
        told.append((name, n_items))
        return told.append

    assert list(in_order(abs, [-1, 2, -3], 1, "numbers", report)) == [1, 2, 3]
    assert told == [("numbers", 3), 1, 1, 1]


def test_processes_do_not_repeat_the_script_that_starts_them(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "snakemake  # given by whoever runs the script\n"
        "from dismai.evaluation.parallel import in_order\n"
        "print(sum(in_order(abs, range(-99, 0), 2)), __file__)\n"
    )
    start = f"import runpy; runpy.run_path({str(script)!r}, {{'snakemake': 0}}, '__main__')"
    done = subprocess.run([sys.executable, "-c", start], capture_output=True, text=True, timeout=90)
    assert done.stdout.split() == ["4950", str(script)], done.stderr


def test_a_card_of_another_kind_and_unknown_names_are_refused(folder):
    path, train = folder / "set.extxyz", folder / "train.extxyz"
    with pytest.raises(InputError, match="expected kind interface, found amorphous_si"):
        evaluate_file(path, "interface", train)
    with pytest.raises(InputError, match="expected 256 atoms, as in the shipped reference"):
        evaluate_file(path, "amorphous_si")
    (folder / "card.json").unlink()
    with pytest.raises(InputError, match="expected a dataset card, or a dataset of known kind"):
        evaluate_file(path, "silicon", train)
    with pytest.raises(InputError, match="on the fcc lattice of its cell, found 64"):
        evaluate_file(path, "alloy_300K_wide", train)


def test_a_folder_of_cif_files_is_evaluated(folder):
    (folder / "cifs").mkdir()
    for i, atoms in enumerate(diamonds(3, seed=70)):
        write(folder / "cifs" / f"{i}.cif", atoms)
    (folder / "cifs" / "9.cif").write_text("nonsense")
    result = evaluate_file(folder / "cifs", "amorphous_si", folder / "train.extxyz")
    assert result.fates["status"].tolist() == ["accepted"] * 3 + ["rejected"]


@pytest.mark.parametrize("damage", ["nan", "half", "noise", "species", "flat"])
def test_damaged_silicon_is_a_failure_or_one_line(folder, damage):
    path = folder / "set.extxyz"
    text = path.read_text()
    damaged = {
        "nan": text.replace("5.43", "nan", 1),
        "half": text[: len(text) // 2],
        "noise": "\0\1\2",
        "species": text.replace("Si ", "Ge ", 1),
        "flat": text.replace('Lattice="10.86', 'Lattice="0.0', 1),
    }
    path.write_text(damaged[damage])
    words = ["evaluate", path, "--dataset", "amorphous_si", "--reference", folder / "train.extxyz"]
    result = dismai(*words, "--jobs", 1, check=False)
    assert "Traceback" not in result.stderr
    if damage == "noise":
        assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
    else:
        assert result.returncode == 0
        assert "rejected:" in result.stdout


def test_every_command_of_the_docs_runs(tmp_path, monkeypatch):
    spec = load_shipped("alloy_300K_wide", published_expansion()).spec
    for i, name in enumerate(("mine", "a0", "a1", "b0", "b1")):
        write_structures(random_decoration(spec, 10, seed=i), tmp_path / f"{name}.extxyz")
    (tmp_path / "data").mkdir()
    write_structures(diamonds(10), tmp_path / "data" / "train.extxyz")
    monkeypatch.chdir(tmp_path)
    text = (Path(ROOT) / "docs" / "evaluate.md").read_text()
    commands = [
        line
        for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
        for line in block.split("\n")
    ]
    outputs = {}
    for command in filter(None, commands):
        if "amorphous_si" in command:
            write_structures(diamonds(6, seed=30), tmp_path / "mine.extxyz")
        words = shlex.split(command)
        assert words[0] == "dismai"
        result = CliRunner().invoke(app, words[1:])
        assert result.exit_code == 0, (command, result.output)
        outputs[command] = result.output
    assert "paired over 2 seeds" in outputs["dismai compare a0 a1 b0 b1"]
    for file in ("report.html", "metrics.parquet", "metrics.json", "fates.parquet"):
        assert (tmp_path / "mine" / file).stat().st_size > 0
        assert f"`{file}`" in text
    assert json.loads((tmp_path / "mine_si" / "metrics.json").read_text())["n_accepted"] == 6
    assert "amorphous_si" in outputs[next(c for c in outputs if "mine_si" in c)]
