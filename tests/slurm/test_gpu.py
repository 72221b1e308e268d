"""A kind of GPU, asked for as the page on clusters says, on a real daemon whose GPU has one."""

import shutil
import subprocess
import sys

import pytest
import yaml

from tests.gpu import PROFILE, SNAKEFILE, documented
from tests.slurm.daemon import jobs

pytestmark = pytest.mark.slurm


@pytest.mark.parametrize("kind", [{}, documented("kind of GPU")], ids=["any", "a100"])
def test_a_training_gets_its_gpu_whether_or_not_a_kind_is_asked_for(tmp_path, kind):
    if not shutil.which("sbatch"):
        pytest.skip("needs SLURM: make test-slurm")
    profile = yaml.safe_load(PROFILE.read_text())
    profile["set-resources"]["train_model"] |= kind
    (tmp_path / "profile").mkdir()
    (tmp_path / "profile" / "config.yaml").write_text(yaml.safe_dump(profile))
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    words = ["--profile", "profile", "--slurm-init-seconds-before-status-checks", "5", "weights"]
    result = subprocess.run(
        [sys.executable, "-m", "snakemake", *words], cwd=tmp_path, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
    trainings = [allocated for rule, _, allocated, _ in jobs() if rule == "train_model"]
    assert trainings
    assert all("gpu:a100:1" in allocated for allocated in trainings)
