"""Scripts of the workflow: log, exit code, end with the parent, lock, hashes."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from types import SimpleNamespace

import pytest

from dismai.base import atomic
from dismai.base.errors import InputError
from dismai.base.seeds import generator_for, seed_for
from dismai.pipeline import jobs


def run(code, **options):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, **options
    )


SCRIPT = """
    from types import SimpleNamespace
    from dismai.errors import InputError
    from dismai.pipeline.jobs import job
    snakemake = SimpleNamespace(log=[{log!r}], threads=1, rule="some_rule")
    with job(snakemake):
        {body}
"""


@pytest.mark.parametrize(
    ("resources", "words"),
    [
        ({}, []),
        ({"tasks": 4}, []),
        ({"mpi": "srun", "tasks": 32}, ["srun", "-n", "32"]),
        ({"mpi": "srun --cpu-bind=cores", "tasks_per_node": 16}, ["srun", "--cpu-bind=cores"]),
    ],
)
def test_a_program_is_started_on_the_ranks_that_the_profile_gives(resources, words):
    from snakemake.iocontainers import ResourceList

    assert jobs.launcher(SimpleNamespace(resources=ResourceList(fromdict=resources))) == words


@pytest.mark.parametrize(
    ("body", "code", "expected"),
    [
        ("pass", 0, ""),
        ("raise InputError('x.xyz: expected 1, found 2')", 2, "x.xyz: expected 1, found 2"),
        ("1 / 0", 1, "rule some_rule failed"),
    ],
)
def test_the_log_and_the_exit_code_say_how_a_job_ended(tmp_path, body, code, expected):
    log = tmp_path / "job.log"
    result = run(SCRIPT.format(log=str(log), body=body))
    assert result.returncode == code
    text = log.read_text()
    assert expected in text
    assert expected in result.stderr
    assert ("Traceback" in text) == (code == 1)


def test_a_job_ends_with_its_parent(tmp_path):
    child = tmp_path / "child.pid"
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(f"""
            import subprocess, sys
            subprocess.run([sys.executable, "-c", '''
            import os, time
            from dismai.base.processes import end_with_parents
            end_with_parents()
            open({str(child)!r}, "w").write(str(os.getpid()))
            time.sleep(600)
            '''.replace("            ", "")])
        """)]
    )  # fmt: skip
    wait_for(lambda: child.exists() and child.read_text())
    pid = int(child.read_text())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    wait_for(lambda: not alive(pid))


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stream:
            return stream.read().rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_two_jobs_cannot_work_in_one_folder(tmp_path):
    with atomic.locked(tmp_path):
        result = run(
            f"""
            from dismai.base.atomic import locked
            with locked({str(tmp_path)!r}):
                pass
            """
        )
    assert "expected no other job here, found one at work" in result.stderr
    with atomic.locked(tmp_path):
        pass


def test_the_hash_of_a_folder_follows_names_and_contents(tmp_path):
    (tmp_path / "a").write_text("1")
    first = atomic.sha256(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    assert atomic.sha256(tmp_path) != first
    (tmp_path / "b").write_text("2")
    assert len(atomic.sha256(tmp_path)) == 64


def test_the_recorded_configuration_carries_its_own_hash(tmp_path):
    jobs.write_config({"b": 1, "a": [2]}, tmp_path / "config.yaml")
    first, *rest = (tmp_path / "config.yaml").read_text().splitlines()
    assert first.startswith("# sha256 ")
    assert rest == ["a:", "- 2", "b: 1"]
    jobs.write_environment(tmp_path / "environment.txt")
    assert "numpy==" in (tmp_path / "environment.txt").read_text()


def test_random_streams_depend_on_names_only():
    assert seed_for(1, "a", 2) == seed_for(1, "a", 2)
    assert len({seed_for(1, "a", 2), seed_for(1, "a", "2"), seed_for(2, "a", 2)}) == 3
    assert 0 <= seed_for(1, "x") < 2**63
    assert generator_for(1, "a").random() == generator_for(1, "a").random()


def test_origin_names_inputs_by_hash_not_by_path(tmp_path):
    path = tmp_path / "in.txt"
    path.write_text("x")

    class Named(dict):
        pass

    snakemake = SimpleNamespace(
        rule="r", wildcards={"seed": "0"}, params={"version": 1},
        input=Named(data=str(path)), threads=2,
    )  # fmt: skip
    found = jobs.origin(snakemake)
    assert found["inputs"] == {"data": [atomic.sha256(path)]}
    assert str(tmp_path) not in jobs.provenance(snakemake)["dismai"]


def test_locked_says_which_folder(tmp_path):
    with atomic.locked(tmp_path), pytest.raises(InputError, match=str(tmp_path)):
        atomic.locked(tmp_path).__enter__()
