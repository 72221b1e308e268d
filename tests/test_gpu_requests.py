"""What SLURM is asked for where a rule needs a GPU: the profile, and it changed as the docs say."""

import os
import re
import subprocess
import sys

import pytest
import yaml

from tests.gpu import PROFILE, ROW, SNAKEFILE, documented


@pytest.fixture
def request_of(tmp_path):
    """Words of the call of sbatch that a profile makes of a training."""
    programs = tmp_path / "programs"
    programs.mkdir()
    calls = tmp_path / "calls"
    for name, body in (
        ("sbatch", f'echo "$@" >> {calls}; exit 1'),
        *((name, "exit 0") for name in ("squeue", "sacct", "sinfo", "scancel", "sacctmgr")),
    ):
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)

    def submit(training):
        profile = yaml.safe_load(PROFILE.read_text())
        profile["set-resources"]["train_model"] = training(profile["set-resources"]["train_model"])
        profile |= {"retries": 0, "slurm-init-seconds-before-status-checks": 1}
        (tmp_path / "profile").mkdir()
        (tmp_path / "profile" / "config.yaml").write_text(yaml.safe_dump(profile))
        (tmp_path / "Snakefile").write_text(SNAKEFILE)
        subprocess.run(
            [sys.executable, "-m", "snakemake", "--profile", "profile", "weights"],
            cwd=tmp_path,
            env=os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"},
            capture_output=True,
        )
        return calls.read_text().split()

    return submit


def gpu_words(words):
    return [word for word in words if re.match(r"--(gpus|gres)", word)]


def test_one_gpu_of_any_kind_is_asked_for_once(request_of):
    words = request_of(lambda resources: resources)
    assert gpu_words(words) == ["--gpus=1"]
    assert "-p" in words
    assert words[words.index("-p") + 1].strip("'") == "gpu"


def test_several_gpus_are_asked_for_as_documented(request_of):
    (row,) = [row for name, row in ROW.items() if name.startswith("several GPUs")]
    (text,) = re.findall(r"`(gpu: .+?)`", row)
    (words,) = yaml.safe_load(text).values()
    for_one_model = {"gpu": words.replace("wildcards.model", "'diffcsp'")}
    assert gpu_words(request_of(lambda resources: resources | for_one_model)) == ["--gpus=2"]


def test_one_gpu_of_a_kind_is_asked_for_once_as_documented(request_of):
    words = request_of(lambda resources: resources | documented("kind of GPU"))
    assert gpu_words(words) == ["--gpus=a100:1"]


def test_a_rule_without_a_gpu_as_documented_asks_for_none(request_of):
    words = request_of(lambda resources: documented("no GPU for relaxation"))
    assert gpu_words(words) == []
    assert words[words.index("-p") + 1].strip("'") == "cpu"
