"""VASP on a real SLURM daemon: its ranks, and what a signal before a time limit costs."""

import re
import shutil
import subprocess

import pytest
import yaml

from dismai.dft.potcar import VARIABLE
from dismai.files.structures import read_table
from tests.commands import wait_for
from tests.dft.install import install_library, install_stand_in
from tests.slurm.daemon import CONFIGS, PROFILE, jobs, on_slurm

pytestmark = pytest.mark.slurm
RULE = "label_interfaces_vasp"
RELAXATIONS = "results/tiny/labels/interface/relaxations.parquet"


def small_profile(folder):
    """The profile of clusters with two ranks and little memory for VASP."""
    profile = yaml.safe_load((PROFILE / "config.yaml").read_text())
    profile["set-resources"][RULE] |= {"tasks": 2, "mem_mb_per_cpu": "attempt * 600"}
    folder.mkdir()
    (folder / "config.yaml").write_text(yaml.safe_dump(profile))
    return folder


def running():
    """Numbers of the jobs of VASP that run now."""
    text = subprocess.run(
        ["scontrol", "--oneliner", "show", "job"], capture_output=True, text=True, check=True
    ).stdout
    lines = [line for line in text.splitlines() if f"Comment=rule_{RULE}" in line]
    return [re.search(r"JobId=(\d+)", line).group(1) for line in lines if "=RUNNING" in line]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A folder with labels by the stand-in; one job was signalled in stage 2 as SLURM does it."""
    if not shutil.which("sbatch"):
        pytest.skip("needs SLURM: make test-slurm")
    folder = tmp_path_factory.mktemp("vasp")
    install_stand_in(folder / "programs")
    overlay = folder / "vasp.yaml"
    section = {"engine": "vasp", "vasp": {"command": [str(folder / "programs" / "vasp_gam")]}}
    section |= {"region_steps": 2, "max_steps": 200, "fmax_eV_per_A": 0.05}
    overlay.write_text(yaml.safe_dump({"dft": section, "labels": {"unfinished": "refuse"}}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(install_library(folder / "potentials")))
        patch.setenv("STAND_IN_CALLS", str(folder / "calls"))
        patch.setenv("STAND_IN_PACE_S", "0.5")
        words = on_slurm(
            RELAXATIONS,
            directory=folder,
            configs=(*CONFIGS, overlay),
            profile=small_profile(folder / "profile"),
        )
        run = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wait_for(lambda: list(folder.glob("results/**/stage2-*/1/CONTCAR")), seconds=300)
    # To the steps of a job and not to its script, as --signal=TERM@300 before a time limit.
    subprocess.run(["scancel", "--signal=TERM", *running()], check=True)
    said, _ = run.communicate()
    assert run.returncode == 0, said
    return folder


def test_vasp_ran_on_the_ranks_of_the_profile_in_its_partition(told):
    found = [job for job in jobs() if job[0] == RULE]
    for _, partition, allocated, state in found:
        print(f"\n{RULE:24s} {partition:9s} {allocated:50s} {state}", end="")
        assert partition == "vasp"
        assert "cpu=2," in allocated
        assert "mem=1200M" in allocated or "mem=2400M" in allocated  # of the second attempt
    calls = [line.split() for line in (told / "calls").read_text().splitlines()]
    assert {ranks for _, ranks, _ in calls} == {"2"}


def test_a_signal_before_the_time_limit_costs_another_attempt_and_no_step(told):
    states = [state for rule, _, _, state in jobs() if rule == RULE]
    assert states.count("COMPLETED") == 2
    assert "FAILED" in states
    table = read_table(told / RELAXATIONS)
    assert table["status"].tolist() == ["ok", "ok"]
    assert table["region_steps"].tolist() == [2, 2]
    calls = [line.split() for line in (told / "calls").read_text().splitlines()]
    stage_2 = [int(nsw) for folder, _, nsw in calls if "/stage2-" in folder]
    assert sorted(stage_2)[-2:] == [200, 200]
    assert 0 < min(stage_2) < 200  # less the steps that were there
