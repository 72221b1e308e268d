"""A process that relaxes structures, so that a potential which dies takes one structure along.

Compiled potentials end their process on input they cannot stand. The worker reads a line of JSON
for every structure and answers with one; it ends with its parent.
"""

import contextlib
import json
import logging
import math
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from ase import Atoms

from dismai.base import stopping
from dismai.base.device import described, is_fault_of_machine
from dismai.base.errors import InputError
from dismai.potentials import name_of
from dismai.potentials.graphs import graphs_in_processes
from dismai.potentials.relax import RelaxedStructure, relax_structure
from dismai.potentials.settings import NETWORKS, Potential, RelaxationSettings
from dismai.potentials.together import Batches, relax_together

logger = logging.getLogger(__name__)

DEADLY = {signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGBUS, signal.SIGILL}
"""Signals by which a program ends itself; others come from outside."""


def as_numbers(atoms: Atoms) -> dict[str, Any]:
    """A structure as plain numbers: atomic numbers, positions and cell, Å."""
    return {
        "numbers": atoms.numbers.tolist(),
        "positions": atoms.positions.tolist(),
        "cell": atoms.cell.array.tolist(),
    }


STRUCTURES_PER_PROCESS = 20
"""After so many a new process takes over where the code is compiled or unknown: quippy never gives
back the neighbours of a force call, half a megabyte for 256 atoms."""


class Worker:
    """The other side of a worker process; it is started when the first structure comes.

    Args:
        entry: the potential.
        settings: how structures are relaxed.
        elements: symbols that the potential has to know.
        device: where networks compute, cpu or cuda.
        n_threads: threads of the potential.
    """

    def __init__(
        self,
        entry: Potential,
        settings: RelaxationSettings,
        elements: Sequence[str] = (),
        device: str = "cpu",
        n_threads: int = 1,
    ):
        self.name = name_of(entry)
        self.setup = {
            "entry": entry.model_dump(mode="json"),
            "settings": settings.model_dump(mode="json"),
            "elements": list(elements),
            "device": device,
            "n_processes": n_threads if device != "cpu" else 1,
        }
        self.most = STRUCTURES_PER_PROCESS if entry.kind in ("gap", "ase") else math.inf
        self.environment = {
            f"{name}_NUM_THREADS": str(n_threads) for name in ("OMP", "MKL", "OPENBLAS")
        }
        self.process: subprocess.Popen | None = None
        self.n_asked = 0
        self.at_work = False

    def relax(self, atoms: Atoms) -> dict[str, Any]:
        """Positions, steps, energy_eV, fmax_eV_per_A and status of one structure.

        Raises:
            InputError: the potential cannot be loaded, or ends its process while it is.
        """
        if self.n_asked == self.most:
            self.close()
        if self.process is None:
            self._start()
        self.n_asked += 1
        answer = self._ask(as_numbers(atoms))
        if answer is not None:
            return answer
        ended = self._end()
        return {
            "positions": atoms.positions.tolist(),
            "steps": 0,
            "energy_eV": float("nan"),
            "fmax_eV_per_A": float("nan"),
            "status": f"the potential ended its process: {ended}",
        }

    def relax_together(
        self, structures: Sequence[Atoms], width: int
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """Numbers of structures and what `relax` gives, as they end; fewer if the process ends.

        width: structures that are relaxed side by side.
        """
        if self.process is None:
            self._start()
        asked = {"structures": [as_numbers(one) for one in structures], "width": width}
        for number in range(len(structures)):
            answer = self._answer() if number else self._ask(asked)
            if answer is None:
                logger.warning(
                    "%s: its process ended (%s): what was relaxed side by side and is not finished "
                    "is relaxed one by one",
                    self.name,
                    self._end(),
                )
                return
            self.at_work = number + 1 < len(structures)  # so that `close` need not wait for it
            yield answer.pop("number"), answer

    def close(self) -> None:
        """End the process, in the middle of a structure if need be."""
        if self.process is not None:
            if self.at_work:
                self.process.kill()
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def _start(self) -> None:
        """Start the process; what a library says while the potential loads is kept off stderr."""
        self.n_asked = 0
        stderr = os.dup(2)
        with tempfile.TemporaryFile() as stderr_file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dismai.potentials.worker", str(stderr)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr_file,
                pass_fds=(stderr,),
                env={**os.environ, **self.environment},
                text=True,
            )
            os.close(stderr)
            answer = self._ask(self.setup)
            if answer is None:
                ended = self._end()
                stderr_file.seek(0)
                last = _last_line(stderr_file.read().decode(errors="replace"))
                raise InputError(
                    f"{self.name}: expected a potential that loads, found that its process ended "
                    f"({ended}){f': {last}' if last else ''}"
                )
        if "error" in answer:
            self.close()
            raise InputError(answer["error"])
        if "device" in answer:
            logger.info("computing on %s", answer["device"])

    def _ask(self, question: dict[str, Any]) -> dict[str, Any] | None:
        """The answer, or None if the process has ended; RuntimeError for a fault of the machine."""
        try:
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return None
        return self._answer()

    def _answer(self) -> dict[str, Any] | None:
        self.at_work = True
        line = self.process.stdout.readline()
        self.at_work = False
        answer = json.loads(line) if line.endswith("\n") else None
        if answer is not None and "machine" in answer:
            self.close()
            raise RuntimeError(f"a relaxation was ended by the machine: {answer['machine']}")
        return answer

    def _end(self) -> str:
        """How the process ended; RuntimeError if somebody else ended it."""
        code = self.process.wait()
        self.process.stdout.close()
        self.process = None
        if code >= 0:
            return f"exit code {code}"
        name = signal.Signals(-code).name
        if -code not in DEADLY:
            raise RuntimeError(f"a relaxation was ended from outside by {name}; out of memory?")
        return name


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines[-1].split())[:160] if lines else ""


def main() -> None:
    """Answer question after question until there are no more."""
    from dismai.base.processes import end_with_parents
    from dismai.potentials import check_entry, load

    for number in (*stopping.SIGNALS, signal.SIGINT):  # for the parent, which ends this process
        signal.signal(number, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints must not mix with the answers
    end_with_parents()

    def answer(content: dict[str, Any]) -> None:
        answers.write(json.dumps(content) + "\n")
        answers.flush()

    setup = json.loads(sys.stdin.readline())
    entry = check_entry(setup["entry"])
    try:
        potential = load(entry, setup["elements"], setup["device"])
    except InputError as error:
        answer({"error": str(error)})
        return
    except Exception as error:  # a damaged model makes a library raise anything
        found = " ".join(f"{type(error).__name__}: {error}".split())[:160]
        answer({"error": f"{name_of(entry)}: expected a potential that loads, found {found}"})
        return
    for stream in (1, 2):  # what is said from here on is for the log
        os.dup2(int(sys.argv[1]), stream)
    answer({"device": described(setup["device"])} if entry.kind in NETWORKS else {})
    questions = map(json.loads, sys.stdin)
    try:
        for content in _relaxed(questions, potential, setup):
            answer(content)
    except Exception as error:
        if not is_fault_of_machine(error):
            raise
        answer({"machine": " ".join(f"{type(error).__name__}: {error}".split())[:160]})


def _relaxed(
    questions: Iterator[dict[str, Any]], potential: Any, setup: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Answers to questions: one structure each, or many that are relaxed side by side."""
    settings = RelaxationSettings(**setup["settings"])
    relax_one = partial(
        relax_structure,
        fmax=settings.fmax_eV_per_A,
        max_steps=settings.max_steps,
        optimizer=settings.optimizer,
    )
    for question in questions:
        if "structures" not in question:
            yield _as_numbers(relax_one(_atoms(question), potential))
            continue
        structures, width = [_atoms(one) for one in question["structures"]], question["width"]
        with graphs_in_processes(potential, setup) as graphs:
            batches = Batches(potential, width, setup["device"], graphs)
            for number, one in relax_together(structures, batches, width, relax_one):
                yield {"number": number, **_as_numbers(one)}


def _atoms(numbers: dict[str, Any]) -> Atoms:
    return Atoms(**{key: np.array(value) for key, value in numbers.items()}, pbc=True)


def _as_numbers(ended: RelaxedStructure) -> dict[str, Any]:
    return {
        "positions": ended.atoms.positions.tolist(),
        "steps": ended.steps,
        "energy_eV": float(ended.energy_eV),
        "fmax_eV_per_A": float(ended.fmax_eV_per_A),
        "status": ended.status,
    }


if __name__ == "__main__":
    main()
