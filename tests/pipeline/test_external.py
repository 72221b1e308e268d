"""Commands of third-party models: no shell, and one line when they fail."""

import logging
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dismai.base import stopping
from dismai.base.errors import InputError
from dismai.pipeline.external import fill_in, run_command


def test_words_are_filled_in_and_never_seen_by_a_shell(tmp_path):
    nasty = "a b; touch /tmp/x && $(id) `id` 'q'"
    assert fill_in(["x", "{train}", "--n={n}"], {"train": nasty, "n": 3}) == ["x", nasty, "--n=3"]
    with pytest.raises(InputError, match="expected only {n}, found {N}"):
        fill_in(["{N}"], {"n": 1})


def test_a_command_makes_its_file(tmp_path):
    code = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"
    values = {"output": tmp_path / "deep" / "out.txt", "seed": 5}
    run_command([sys.executable, "-c", code, "{output}", "{seed}"], values, 1, makes="output")
    assert (tmp_path / "deep" / "out.txt").read_text() == "5"


@pytest.mark.parametrize(
    ("words", "minutes", "message"),
    [
        (["no-such-program-here"], 1, "expected a program, found none"),
        ([sys.executable, "-c", "raise SystemExit(4)"], 1, "expected exit code 0, found 4"),
        ([sys.executable, "-c", "pass"], 1, "expected it to make .*out, found nothing"),
        ([sys.executable, "-c", "import time; time.sleep(60)"], 0.005, "an end within 0.005 min"),
    ],
)
def test_a_command_that_fails_is_one_line(tmp_path, words, minutes, message):
    with pytest.raises(InputError, match=message) as error:
        run_command(words, {"output": tmp_path / "out"}, minutes, makes="output")
    assert "\n" not in str(error.value)


SLEEPS = "import subprocess, sys, time; subprocess.Popen(['sleep', '{mark}']); time.sleep(60)"


def running(mark):
    """Whether a process `sleep {mark}` is alive."""
    wanted = b"sleep\0" + mark.encode() + b"\0"
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes() == wanted:
                return True
        except OSError:
            continue
    return False


def test_what_a_hanging_command_has_started_ends_with_it(tmp_path):
    words = [sys.executable, "-c", SLEEPS.replace("{mark}", "61.25")]
    with pytest.raises(InputError, match="an end within"):
        run_command(words, {"output": tmp_path / "out"}, 2 / 60, makes="output")
    deadline = time.monotonic() + 30
    while running("61.25"):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_command_ends_with_the_job_that_runs_it(tmp_path):
    code = (
        "from dismai.pipeline.external import run_command\n"
        f"run_command(['sleep', '62.5'], {{'output': {str(tmp_path / 'out')!r}}}, 1, 'output')"
    )
    job = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 60
    while not running("62.5"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    job.kill()
    job.wait()
    while running("62.5"):
        assert time.monotonic() < deadline
        time.sleep(0.05)


SAVES = """
import signal, sys, time
from pathlib import Path
output, state = map(Path, sys.argv[1:])
step = int(state.read_text()) if state.exists() else 0
def save(*_):
    state.write_text(str(step))
    sys.exit(3)
signal.signal(signal.SIGTERM, save)
if step == 0:
    step = 7
    print("at work", flush=True)
    Path(f"{state}.at_work").touch()
    time.sleep(60)
output.write_text(str(step))
"""


def test_a_command_is_told_to_save_when_its_job_has_to_end(tmp_path):
    words = [sys.executable, "-c", SAVES, "{output}", "{state}"]
    values = {"output": str(tmp_path / "out"), "state": str(tmp_path / "state")}
    code = (
        "import sys; from dismai.base import stopping\n"
        "from dismai.pipeline.external import run_command\n"
        f"stopping.listen(); run_command({words!r}, {values!r}, 1, 'output')"
    )
    job = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 60
    while not (tmp_path / "state.at_work").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    job.terminate()
    assert job.wait(timeout=30) == stopping.EXIT_CODE
    assert not (tmp_path / "out").exists()
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    assert (tmp_path / "out").read_text() == "7"


def test_a_warning_names_the_command_before_it_runs(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        run_command(["touch", "{output}"], {"output": tmp_path / "out"}, 1, makes="output")
    assert "running a third-party command, with your rights: ['touch', " in caplog.text
