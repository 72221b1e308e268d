"""make profiles: links that never replace what is not ours."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def make_profiles(config_home):
    environment = {**os.environ, "XDG_CONFIG_HOME": str(config_home)}
    return subprocess.run(
        ["make", "--no-print-directory", "profiles"],
        cwd=ROOT, env=environment, capture_output=True, text=True,
    )  # fmt: skip


def test_profiles_are_linked_once(tmp_path):
    assert make_profiles(tmp_path).returncode == 0
    for name in ("local", "slurm"):
        link = tmp_path / "snakemake" / name
        assert link.readlink() == ROOT / "profiles" / name
    again = make_profiles(tmp_path)
    assert again.returncode == 0
    assert again.stdout == ""


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_a_profile_that_is_not_ours_is_left_alone(tmp_path, kind):
    theirs = tmp_path / "snakemake" / "slurm"
    theirs.parent.mkdir()
    if kind == "folder":
        theirs.mkdir()
    else:
        theirs.symlink_to(tmp_path)
    result = make_profiles(tmp_path)
    assert result.returncode != 0
    assert "is not our link; left as it is" in result.stderr
    assert theirs.is_symlink() == (kind == "link")
