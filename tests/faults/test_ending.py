"""A signal to a command at work in several processes: no traceback, and nothing is left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dismai.base.errors import InputError
from dismai.evaluation.parallel import in_order

SCRIPT = """
import os, sys, time
from pathlib import Path
from dismai.evaluation.parallel import in_order
from tests.faults.test_ending import slow

list(in_order(slow, [Path(sys.argv[1])] * 200, 2))
"""


def slow(folder):
    """Work that says which process does it, and with whom."""
    (folder / str(os.getpid())).touch()
    time.sleep(0.5)


def slow_or_killed(folder):
    """The same; the first process that is not the test's is killed, as where memory runs out."""
    slow(folder)
    if os.getpid() != int((folder / "test").read_text()) and not (folder / "killed").exists():
        (folder / "killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(true, seconds=120):
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    return true()


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL, "group"])
def test_processes_end_with_the_one_that_was_told(tmp_path, how):
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        cwd=root,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert until(lambda: len(list(tmp_path.iterdir())) == 3)  # itself and two others
    if how == "group":  # as a queue does
        os.killpg(process.pid, signal.SIGTERM)
    else:
        process.send_signal(how)
    said = process.communicate(timeout=120)[1].splitlines()
    assert until(lambda: not any(alive(int(path.name)) for path in tmp_path.iterdir()))
    number = signal.SIGTERM if how == "group" else how
    assert process.returncode == -number
    assert not [line for line in said if "Traceback" in line or "Error" in line]


def test_a_process_that_is_killed_from_outside_is_an_error_of_one_line(tmp_path):
    (tmp_path / "test").write_text(str(os.getpid()))
    with pytest.raises(InputError, match="found that one was ended from outside; out of memory"):
        list(in_order(slow_or_killed, [tmp_path] * 200, 2, "structures"))
    workers = [int(path.name) for path in tmp_path.iterdir() if path.name.isdigit()]
    assert os.getpid() in workers
    assert until(lambda: not any(alive(pid) for pid in workers if pid != os.getpid()))
