"""Which GPU a job of one machine takes, and whether a job that was given one finds it."""

import fcntl
import logging
import os
import tempfile
from itertools import islice
from pathlib import Path
from typing import IO

from dismai.base.device import compute_on_cpu

logger = logging.getLogger(__name__)

DRIVER = Path("/proc/driver/nvidia/gpus")
"""The driver of NVIDIA lists its GPUs here, a folder each."""
VISIBLE = "CUDA_VISIBLE_DEVICES"

_claims: list[IO] = []
"""Locks that this process holds until it ends."""


def granted() -> bool:
    """Whether a GPU must be there: a queue has given one, or the machine has a driver for it."""
    return not compute_on_cpu() and ("SLURM_JOB_ID" in os.environ or DRIVER.exists())


def claim(driver: Path | None = None, locks: Path | None = None, wanted: int = 1) -> int | None:
    """Take GPUs that no other job of this machine has, and show this process no other.

    A queue, or whoever sets CUDA_VISIBLE_DEVICES, has chosen already. Jobs beyond the number of
    GPUs share the first one.

    Returns:
        the number of the first, or None where nothing is to be chosen.
    """
    driver = driver or DRIVER
    n_gpus = len(list(driver.iterdir())) if driver.exists() else 0
    if n_gpus < 2 or VISIBLE in os.environ or "SLURM_JOB_ID" in os.environ:
        return None
    folder = locks or Path(tempfile.gettempdir()) / f"dismai-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    free = (number for number in range(n_gpus) if _locked(folder / str(number)))
    chosen = list(islice(free, wanted))
    if not chosen:
        logger.warning("all %d GPUs are taken by other jobs: sharing the first one", n_gpus)
    os.environ[VISIBLE] = ",".join(map(str, chosen or [0]))
    return chosen[0] if chosen else None


def _locked(path: Path) -> bool:
    """Whether the lock was free; this process then holds it."""
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return False
    _claims.append(file)
    return True
