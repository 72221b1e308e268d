"""The workflow: plans, runs, resumes, and refuses what is wrong before any job."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from dismai.base.errors import InputError
from dismai.files.structures import read_table
from dismai.pipeline.demo import CONFIGURATIONS
from dismai.pipeline.validation import findings
from tests.commands import (
    TINY,
    command,
    planned,
    snakemake,
    tiny_run,
    wait_for,
    with_datasets_of,
)

ROOT = Path(__file__).parents[2]
METRICS = "results/tiny/metrics/alloy_300K_wide/cryingan/seed0.parquet"


def test_the_workflow_passes_snakemakes_own_lint():
    result = subprocess.run(
        [sys.executable, "-m", "snakemake", "--lint"], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr


def test_the_paper_scale_plan_has_every_job(tmp_path):
    jobs = planned(snakemake("all", "-n", directory=tmp_path, configs=()).stdout)
    # Three seeds: four models and three baselines on each of four alloys; three models on silicon,
    # six on the interface, and more baselines there, by molecular dynamics or without relaxation.
    assert jobs["train_model"] == jobs["generate_structures"] == 75
    assert jobs["make_baseline"] == 18
    assert jobs["quench_baseline"] == 1
    assert jobs["random_interfaces_baseline"] == 2
    # One shard of a set that is not relaxed, 20 of others: silicon on CPUs, interfaces in M3GNet.
    assert jobs["process_structures"] == 4 * 15 + 13 * 20
    assert jobs["process_in_network"] == 22 * 20 + 1
    assert jobs["score_structures"] == 96
    assert jobs["sample_alloy"] == 2
    assert jobs["build_alloy_dataset"] == 4
    assert jobs["relax_training_blocks"] == 20
    assert jobs["build_amorphous_si_dataset"] == 1
    assert "melt_quench" not in jobs  # the large cell ships with the project


@pytest.mark.parametrize(
    ("name", "trained", "total"),
    # One model on a dataset of each kind; six models on six datasets.
    [("demo", 3, 67), ("demo-all", 36, 233), ("chain", 2, 61)],
)
def test_the_plans_of_the_demos_have_every_job_and_stay_small(tmp_path, name, trained, total):
    configs = [ROOT / path for path in CONFIGURATIONS[name]]
    jobs = planned(snakemake("all", "-n", directory=tmp_path, configs=configs).stdout)
    assert jobs["train_model"] == jobs["generate_structures"] == trained
    assert jobs["total"] == total


@pytest.mark.parametrize(
    ("study", "total"),
    [
        *(("potentials", 10), ("study_potential", 6), ("study_degradation", 12)),
        *(("study_gan", 52), ("study_interface", 14)),
    ],
)
def test_the_studies_that_the_demo_offers_can_be_planned(tmp_path, study, total):
    configs = [ROOT / path for path in CONFIGURATIONS["demo"]]
    jobs = planned(snakemake(study, "-n", directory=tmp_path, configs=configs).stdout)
    assert jobs["total"] == total


def test_the_ablations_draw_in_other_steps_without_another_training(tmp_path):
    configs = [ROOT / path for path in CONFIGURATIONS["demo"]]
    plan = snakemake("study_ablation", "-n", directory=tmp_path, configs=configs).stdout
    jobs = planned(plan)
    assert (jobs["train_model"], jobs["resample_structures"]) == (9, 2)
    assert jobs["process_in_network"] == jobs["score_structures"] == 11
    assert (jobs["tabulate_ablation"], jobs["total"]) == (1, 48)


def test_rates_and_batches_of_m3gnet_are_trained_on_the_same_labels(tmp_path):
    configs = [*(ROOT / path for path in CONFIGURATIONS["demo"]), ROOT / "config/m3gnet_scan.yaml"]
    jobs = planned(snakemake("scan_m3gnet", "-n", directory=tmp_path, configs=configs).stdout)
    assert jobs["train_m3gnet"] == 6
    assert (jobs["gather_labels"], jobs["tabulate_m3gnets"]) == (1, 1)


def test_under_vasp_labels_and_minima_are_jobs_with_ranks_of_a_few_structures(tmp_path):
    overlay = tmp_path / "vasp.yaml"
    overlay.write_text("dft: {engine: vasp}")
    words = command("study_potential", "-n", directory=tmp_path, configs=())
    words[words.index(str(ROOT / "profiles" / "local"))] = str(ROOT / "profiles" / "slurm")
    plan = subprocess.run([*words, "--configfile", str(overlay)], capture_output=True, text=True)
    jobs = planned(plan.stdout)
    assert jobs["label_interfaces_vasp"] == 50
    assert jobs["compare_minima_vasp"] == 25  # four of the hundred structures each
    assert jobs["gather_minima"] == 1
    assert not {"label_interfaces", "compare_minima"} & jobs.keys()
    assert plan.stdout.count("mpi=srun, tasks=32, mem_mb_per_cpu=3000") == 75


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with a finished tiny run."""
    directory = tmp_path_factory.mktemp("tiny")
    tiny_run("alloy", directory)
    return directory


def test_a_tiny_run_makes_every_table_and_figure(finished):
    results = finished / "results" / "tiny"
    for name in ("alloys", "ranking"):
        for suffix in ("parquet", "csv", "md", "html"):
            assert (results / "tables" / f"{name}.{suffix}").stat().st_size > 0
    for figure in ("sro", "energy", "structures", "training"):
        text = (results / "figures" / "alloy_300K_wide" / f"{figure}.svg").read_text()
        assert text.rstrip().endswith("</svg>")
    config = yaml.safe_load((results / "config.yaml").read_text())
    assert config["alloy"]["n_passes"] == 1000
    fates = read_table(results / "generated/alloy_300K_wide/random_decoration/seed0/fates.parquet")
    assert fates["structure"].tolist() == list(range(6))
    assert (fates["status"] == "accepted").all()


def test_every_table_says_where_it_comes_from(finished):
    import json

    footer = json.loads(pq.read_schema(finished / METRICS).metadata[b"dismai"])
    assert footer["rule"] == "score_structures"
    assert footer["wildcards"]["model"] == "cryingan"
    assert len(footer["inputs"]["reference"][0]) == 64
    assert "torch" in footer["versions"]
    assert str(finished) not in json.dumps(footer)


def test_a_finished_run_is_found_whole_and_damage_is_named(finished, tmp_path):
    whole = finished / "results" / "tiny"
    assert findings(whole) == (4, [])
    damaged = tmp_path / "tiny"
    shutil.copytree(whole, damaged)
    own = Path("alloy_300K_wide", "random_decoration", "seed0")
    (damaged / "generated" / own / "raw.extxyz").unlink()
    fates = read_table(damaged / "generated/alloy_300K_wide/held_out/seed0/fates.parquet")[:-1]
    fates.to_parquet(damaged / "generated/alloy_300K_wide/held_out/seed0/fates.parquet")
    card = damaged / "datasets/alloy_300K_wide/card.json"
    card.write_text(card.read_text() + "\n")
    _, found = findings(damaged)
    text = "\n".join(found)
    assert f"{own}/raw.extxyz: expected a file, found none" in text
    assert "held_out/seed0/fates.parquet: structures: expected 4, found 3" in text
    assert "cryingan/seed0.parquet: SHA-256 of" in text
    (damaged / "config.yaml").write_text("run: tiny\n")
    with pytest.raises(InputError, match="line 1: expected the SHA-256"):
        findings(damaged)


def test_a_second_run_has_nothing_to_do(finished):
    result = snakemake("all", directory=finished)
    assert "Nothing to be done" in result.stdout + result.stderr


def test_the_report_is_one_file(finished):
    snakemake("all", "--report", "report.html", directory=finished)
    text = (finished / "report.html").read_text()
    assert "Warren-Cowley" in text
    assert len(text) > 1_000_000  # everything is inside


def test_one_target_runs_alone_and_the_number_of_shards_changes_nothing(finished, tmp_path):
    one_shard = tmp_path / "one.yaml"
    one_shard.write_text("shards: 1\n")
    result = snakemake(METRICS, directory=tmp_path, configs=(TINY, one_shard))
    assert "make_baseline" not in result.stdout + result.stderr
    ours, theirs = read_table(tmp_path / METRICS), read_table(finished / METRICS)
    assert ours.equals(theirs)


def test_a_file_of_structures_is_scored_like_a_model(finished, tmp_path):
    with_datasets_of(finished, tmp_path)
    source = finished / "results/tiny/datasets/alloy_300K_wide/val.extxyz"
    overlay = {
        "models": {"mine": {"kind": "file", "path": str(source), "n_generated": 5}},
        "runs": [{"datasets": ["alloy_300K_wide"], "models": ["mine"], "seeds": [0]}],
    }
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(overlay))
    target = "results/tiny/metrics/alloy_300K_wide/mine/seed0.parquet"
    snakemake(target, directory=tmp_path, configs=(TINY, tmp_path / "mine.yaml"))
    table = read_table(tmp_path / target).set_index("metric")
    assert table["value"]["percent_failed"] == pytest.approx(20)  # four of five are in the file
    fates = tmp_path / "results/tiny/generated/alloy_300K_wide/mine/seed0/fates.parquet"
    assert read_table(fates)["reason"].tolist()[4] == "expected 5 structures, found 4"


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ("alloy: {n_pass: 3}", "configuration: alloy.n_pass: expected one of the keys"),
        ("seed: -1", "configuration: seed: expected greater than or equal to 0, found -1"),
        ("runs: [{datasets: [glass], models: [cryingan], seeds: [0]}]",
         "runs.0.datasets: expected one of alloy_300K_wide"),
    ],
)  # fmt: skip
def test_a_wrong_configuration_ends_before_any_job(tmp_path, overlay, message):
    path = tmp_path / "wrong.yaml"
    path.write_text(overlay)
    result = snakemake("all", directory=tmp_path, configs=(TINY, path), check=False)
    assert result.returncode == 2
    *notices, line = result.stderr.splitlines()
    assert line.startswith("dismai: ")
    assert message in line
    own = ("Using profile ", "Config file ")
    assert all(notice.startswith(own) for notice in notices)  # what Snakemake says of itself
    assert not (tmp_path / "results").exists()


def test_a_damaged_eci_file_stops_the_job_with_one_line(tmp_path):
    broken = tmp_path / "eci.yaml"
    text = (ROOT / "resources" / "eci.yaml").read_text()
    broken.write_text(text.replace("Cr-Ni: -0.017503750379865866", ""))
    overlay = tmp_path / "broken.yaml"
    overlay.write_text(f"alloy: {{ecis: {broken}}}")
    target = "results/tiny/datasets/snapshots_300K.npz"
    result = snakemake(target, directory=tmp_path, configs=(TINY, overlay), check=False)
    assert result.returncode != 0
    log = (tmp_path / "results/tiny/logs/sample_alloy/300K.log").read_text()
    assert log.strip().endswith("dimers.1NN.eci: expected an entry 'Cr-Ni', found Cr-Cr, Cr-Fe, "
                                "Fe-Fe, Fe-Ni, Ni-Ni")  # fmt: skip
    assert "Traceback" not in log


def test_a_sigkill_in_training_is_resumed_to_the_same_bytes(finished, tmp_path):
    slow = tmp_path / "slow.yaml"
    slow.write_text("models: {cryingan: {params: {epochs: 40}}}")
    arguments = {"directory": with_datasets_of(finished, tmp_path), "configs": (TINY, slow)}
    undisturbed = with_datasets_of(finished, tmp_path / "undisturbed")
    snakemake(METRICS, directory=undisturbed, configs=(TINY, slow))

    process = subprocess.Popen(
        command(METRICS, **arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    state = tmp_path / "results/tiny/models/alloy_300K_wide/cryingan/seed0/state"
    wait_for(lambda: len(list(state.glob("step*.safetensors"))) > 0)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: not children_of(tmp_path))
    assert not (tmp_path / METRICS).exists()

    snakemake("all", "--unlock", **arguments)
    snakemake(METRICS, **arguments)
    log = tmp_path / "results/tiny/logs/train_model/alloy_300K_wide/cryingan/seed0.log"
    assert "resum" in log.read_text().lower()
    assert (tmp_path / METRICS).read_bytes() == (undisturbed / METRICS).read_bytes()


def children_of(directory):
    """Live processes whose working folder is the given one."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").resolve() == directory:
                found.append(entry.name)
        except OSError:
            continue
    return found


def test_a_third_party_model_of_two_commands_is_scored_like_any_other(finished, tmp_path):
    with_datasets_of(finished, tmp_path)
    copy = "import shutil, os, sys; os.makedirs(sys.argv[2]); shutil.copy(sys.argv[1], sys.argv[2])"
    give = (
        "import sys; lines = open(sys.argv[1] + '/train.extxyz').read().splitlines();"
        "open(sys.argv[2], 'w').write('\\n'.join(lines[: 34 * int(sys.argv[3])]) + '\\n')"
    )
    model = {
        "kind": "command",
        "train": [sys.executable, "-c", copy, "{train}", "{model}"],
        "generate": [sys.executable, "-c", give, "{model}", "{output}", "{n}"],
    }
    overlay = {
        "models": {"parrot": model},
        "runs": [{"datasets": ["alloy_300K_wide"], "models": ["parrot"], "seeds": [0]}],
    }
    (tmp_path / "parrot.yaml").write_text(yaml.safe_dump(overlay))
    target = "results/tiny/metrics/alloy_300K_wide/parrot/seed0.parquet"
    snakemake(target, directory=tmp_path, configs=(TINY, tmp_path / "parrot.yaml"))
    table = read_table(tmp_path / target).set_index("metric")
    assert table["value"]["percent_failed"] == 0
    assert table["kind"].unique().tolist() == ["command"]


def test_the_degradation_study_and_the_comparison_run_on_a_finished_run(finished):
    snakemake("study_degradation", directory=finished)
    results = finished / "results" / "tiny"
    table = read_table(results / "tables/degradation/alloy_300K_wide.parquet")
    assert {"swapped", "copied", "memorised", "broken"} <= set(table["damage"])
    figure = (results / "figures/alloy_300K_wide/degradation.svg").read_text()
    assert "d_cluster" in figure
    from dismai.evaluation.comparison import compare
    from dismai.evaluation.runs import load_runs

    ranking = compare(load_runs([results])).ranking
    assert {"cryingan", "random_decoration", "held_out"} <= set(ranking["model"])


def copy_of(finished, tmp_path, ignore=None):
    """A finished run in another folder, with its modification times."""
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder, ignore=ignore)
    return folder


def test_clocks_that_differ_make_nothing_twice(finished, tmp_path):
    """Inputs from the future, outputs from the past: what counts is whether contents changed."""
    folder = copy_of(finished, tmp_path)
    day = 86_400
    for path in (folder / "results").rglob("*"):
        shift = 2 * day if "datasets" in path.parts else -3650 * day
        os.utime(path, (time.time() + shift,) * 2)
    result = snakemake("all", "-n", directory=folder)
    assert "Nothing to be done" in result.stdout + result.stderr


def test_results_brought_from_another_cluster_are_not_made_again(finished, tmp_path):
    folder = copy_of(finished, tmp_path, shutil.ignore_patterns(".snakemake", "logs"))
    result = snakemake("all", "-n", directory=folder)
    assert "Nothing to be done" in result.stdout + result.stderr


def test_a_second_workflow_in_the_same_folder_is_refused(finished, tmp_path):
    folder = copy_of(finished, tmp_path)
    (folder / METRICS).unlink()
    first = subprocess.Popen(
        command(METRICS, directory=folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_for(lambda: list((folder / ".snakemake" / "locks").glob("*.lock")))
    second = snakemake(METRICS, directory=folder, check=False)
    assert second.returncode != 0
    assert "Directory cannot be locked" in second.stdout + second.stderr
    assert first.wait() == 0
    assert (folder / METRICS).exists()


def test_models_that_fail_or_misbehave_cost_only_themselves(finished, tmp_path):
    """One gives NaN, another composition and too few structures; the other one does not train."""
    folder = copy_of(finished, tmp_path)
    spoil = (
        "import sys; from dismai.files.structures import read_structures, write_structures;"
        "a = read_structures(sys.argv[1])[:4]; a[0].positions[3] = float('nan');"
        "a[1].symbols[:] = 'Fe'; write_structures(a, sys.argv[2])"
    )
    train = finished / "results/tiny/datasets/alloy_300K_wide/train.extxyz"
    make_model = "import os, sys; os.listdir(sys.argv[2]); os.makedirs(sys.argv[1])"
    make = [sys.executable, "-c", make_model, "{model}", "{state}"]
    fail = [sys.executable, "-c", "import sys; sys.exit('out of luck')"]
    overlay = {
        "models": {
            "wild": {
                "kind": "command",
                "train": make,
                "generate": [sys.executable, "-c", spoil, str(train), "{output}"],
            },
            "broken": {"kind": "command", "train": fail, "generate": make},
        },
        "runs": [{"datasets": ["alloy_300K_wide"], "models": ["wild", "broken"], "seeds": [0]}],
    }
    (tmp_path / "models.yaml").write_text(yaml.safe_dump(overlay))
    targets = [METRICS.replace("cryingan", name) for name in ("broken", "wild")]
    configs = (TINY, tmp_path / "models.yaml")
    result = snakemake(*targets, directory=folder, configs=configs, check=False)
    assert result.returncode != 0
    assert not (folder / targets[0]).exists()
    log = folder / "results/tiny/logs/train_by_command/alloy_300K_wide/broken/seed0.log"
    assert log.read_text().splitlines()[-2:] == [
        "INFO dismai.pipeline.external: out of luck",
        f"ERROR dismai.pipeline.jobs: command {sys.executable!r}: expected exit code 0, found 1",
    ]
    fates = read_table(folder / "results/tiny/generated/alloy_300K_wide/wild/seed0/fates.parquet")
    assert fates["status"].tolist() == ["rejected"] * 2 + ["accepted"] * 2 + ["rejected"] * 2
    assert fates["reason"].tolist() == [
        "expected finite coordinates, found NaN or infinity",
        "composition: expected Cr6 Fe20 Ni6, found Fe32",
        *("", ""),
        *["expected 6 structures, found 4"] * 2,
    ]
    table = read_table(folder / targets[1]).set_index("metric")
    assert table["value"]["percent_failed"] == pytest.approx(100 * 4 / 6)
