"""The program of VASP under custodian, which mends common errors and starts it again."""

import contextlib
import signal
import subprocess
from pathlib import Path

from custodian import Custodian
from custodian.custodian import CustodianError
from custodian.vasp.handlers import (
    FrozenJobErrorHandler,
    NonConvergingErrorHandler,
    StdErrHandler,
    VaspErrorHandler,
)
from custodian.vasp.jobs import VaspJob

from dismai.base import stopping
from dismai.base.errors import StructureError
from dismai.base.processes import die_with_parent

POLLING_S = 1
MONITOR_EVERY = 300
"""Custodian looks every second whether VASP has ended, and every five minutes at its output."""
ENDED_FROM_OUTSIDE = {
    code
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGUSR1)
    for code in (-number, 128 + number)  # of the program itself; of a launcher that tells of it
}


class _Program(VaspJob):
    """VASP that ends with this process, and that knows whether custodian has ended it.

    Custodian gives VASP a session of its own, in which it would outlive a kill of this process and
    write into the folder of the call that goes on.
    """

    def run(self, directory: str = "./") -> subprocess.Popen:
        self.ended_by_custodian = False
        folder = Path(directory)
        with (
            open(folder / self.output_file, "w") as said,
            open(folder / self.stderr_file, "w", buffering=1) as errors,
        ):
            self._vasp_process = subprocess.Popen(
                list(self.vasp_cmd),
                cwd=directory,
                stdout=said,
                stderr=errors,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        return self._vasp_process

    def terminate(self, directory: str = "./") -> None:
        self.ended_by_custodian = True
        super().terminate(directory)


def run_program(folder: Path, command: list[str], max_errors: int) -> None:
    """Run VASP in a folder with its inputs.

    A program that a signal ended, as SLURM sends one before a time limit, ends this process, too,
    with the exit code that says "try again": the next call goes on from what was written.

    Args:
        folder: holds INCAR, KPOINTS, POSCAR and POTCAR.
        command: words that start the program.
        max_errors: corrections by custodian before it gives up.

    Raises:
        StructureError: VASP failed.
    """
    folder = folder.absolute()  # for custodian, which is called inside it
    handlers = [
        VaspErrorHandler(),
        NonConvergingErrorHandler(),
        FrozenJobErrorHandler(),
        StdErrHandler(),
    ]
    program = _Program(command, backup=False, auto_gamma=False)
    keeper = Custodian(
        handlers,
        [program],
        max_errors=max(1, max_errors),
        polling_time_step=POLLING_S,
        monitor_freq=MONITOR_EVERY,
        directory=str(folder),
    )
    failure = None
    try:
        with contextlib.chdir(folder):
            keeper.run()
    except CustodianError as error:
        failure = " ".join(str(error).split())[:120]
    code = program._vasp_process.returncode
    if code in ENDED_FROM_OUTSIDE and not program.ended_by_custodian:
        stopping.leave(f"VASP was ended from outside (exit code {code}) in {folder}")
    if failure is not None:
        raise StructureError(f"VASP failed under custodian: {failure}")
