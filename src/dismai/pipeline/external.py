"""Third-party models run by commands: words, no shell, a time limit, output into the log."""

import contextlib
import logging
import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from dismai.base import stopping
from dismai.base.errors import InputError
from dismai.base.processes import die_with_parent

logger = logging.getLogger(__name__)

PLACE = re.compile(r"\{(\w+)\}")
LAST_LINES = 200
LOOK_EVERY_S = 1.0


def fill_in(words: Sequence[str], values: Mapping[str, object]) -> list[str]:
    """The words of a command with every {name} replaced; InputError for an unknown name."""

    def value(match: re.Match) -> str:
        name = match.group(1)
        if name not in values:
            known = ", ".join(f"{{{key}}}" for key in values)
            raise InputError(f"command: expected only {known}, found {{{name}}}")
        return str(values[name])

    return [PLACE.sub(value, word) for word in words]


def run_command(
    words: Sequence[str], values: Mapping[str, object], timeout_minutes: float, makes: str
) -> None:
    """Run a third-party command and check that it made what it should.

    When a signal has asked this process to end, the command gets SIGTERM, may finish what it
    wants to save, and this process leaves with the exit code of `stopping`.

    Args:
        words: the command; each word is passed on as it is, no shell sees it.
        values: what the places in braces stand for.
        timeout_minutes: the command is ended after this time.
        makes: name in `values` of the file or folder that the command has to make.

    Raises:
        InputError: the command is missing, fails, takes too long or makes nothing.
    """
    command = fill_in(words, values)
    target = Path(str(values[makes]))
    target.parent.mkdir(parents=True, exist_ok=True)
    logger.warning("running a third-party command, with your rights: %s", command)
    try:
        code, output = _run(command, 60 * timeout_minutes)
    except FileNotFoundError:
        raise InputError(f"command {command[0]!r}: expected a program, found none") from None
    except PermissionError:
        raise InputError(
            f"command {command[0]!r}: expected a program, found no right to run it"
        ) from None
    except subprocess.TimeoutExpired:
        raise InputError(
            f"command {command[0]!r}: expected an end within {timeout_minutes} minutes, found none"
        ) from None
    for line in output.decode(errors="replace").splitlines()[-LAST_LINES:]:
        logger.info("%s", line)
    stopping.leave_if_asked()
    if code != 0:
        raise InputError(f"command {command[0]!r}: expected exit code 0, found {code}")
    if not target.exists():
        raise InputError(f"command {command[0]!r}: expected it to make {target}, found nothing")


def _run(command: list[str], timeout_s: float) -> tuple[int, bytes]:
    """Exit code and output of a command, which ends with us, and whose own children end with it."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=die_with_parent,
        start_new_session=True,
    )
    deadline = time.monotonic() + timeout_s
    told = False
    try:
        while True:
            left_s = deadline - time.monotonic()
            with contextlib.suppress(subprocess.TimeoutExpired):
                output, _ = process.communicate(timeout=max(0.0, min(left_s, LOOK_EVERY_S)))
                return process.returncode, output
            if left_s <= 0.0:
                raise subprocess.TimeoutExpired(command, timeout_s)
            if stopping.asked() and not told:
                os.killpg(process.pid, signal.SIGTERM)
                told = True
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
