"""Processes that end with their parent."""

import ctypes
import os
import select
import signal
import sys
import threading
from pathlib import Path

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent is gone; `preexec_fn` of a child."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def end_with_parents() -> None:
    """Kill this process when its parent, or the snakemake that started it, is gone.

    Snakemake runs a script below a shell, and a SIGKILL of snakemake leaves both alive: two
    processes would then write the same files after a restart.
    """
    if sys.platform != "linux":
        return
    die_with_parent()
    ancestors: list[int] = []
    found = False
    pid = os.getppid()
    while pid > 1 and not found:
        try:
            ancestors.append(os.pidfd_open(pid))
            status = Path(f"/proc/{pid}/stat").read_text()
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            break
        found = any(os.path.basename(word) == b"snakemake" for word in words[:3])
        pid = int(status.rpartition(")")[2].split()[1])
    if not ancestors:
        os.kill(os.getpid(), signal.SIGKILL)
    # run by hand: only the parent counts, not the terminal above it
    _end_with(ancestors if found else ancestors[:1])


def end_with(pid: int) -> None:
    """Kill this process when another one is gone, which need not be its parent."""
    if sys.platform != "linux":
        return
    try:
        _end_with([os.pidfd_open(pid)])
    except OSError:
        os.kill(os.getpid(), signal.SIGKILL)


def _end_with(processes: list[int]) -> None:
    """Kill this process when one of others, given as file descriptors, is gone."""

    def wait() -> None:
        select.select(processes, [], [])
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()
