"""Structures relaxed side by side: each by its own minimiser, energies and forces in batches.

A network on a GPU computes 32 structures in little more time than one. Every structure has a thread
that runs `relax_structure` unchanged and waits whenever it wants energy and forces; when all wait,
one batch answers all. So minimiser, stop and acceptance are those of structures relaxed alone, and
numbers differ by the rounding of sums only.
"""

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from dismai.base.device import free_memory, is_fault_of_machine, is_out_of_memory
from dismai.potentials.relax import RelaxedStructure

logger = logging.getLogger(__name__)

Answer = tuple[float, np.ndarray] | Exception
"""Energy, eV, and forces, eV/Å, (n_atoms, 3), or why there are none."""


class BatchedPotential(Protocol):
    """A potential that computes several structures at one time."""

    def graph(self, atoms: Atoms) -> Any:
        """What the network reads of a structure, made on the host."""

    def energies_and_forces(self, graphs: Sequence[Any]) -> list[tuple[float, np.ndarray]]:
        """Energy, eV, and forces, eV/Å, (n_atoms, 3), of each."""


class Batches:
    """Energies and forces of any number of structures, in batches that fit the memory.

    Args:
        potential: of all of them.
        most: structures in a batch, halved whenever the memory does not suffice.
        device: of the potential.
        graphs: structures to what the network reads of them, or to why there is nothing to read.
    """

    def __init__(
        self,
        potential: BatchedPotential,
        most: int,
        device: str,
        graphs: Callable[[Sequence[Atoms]], list[Any]],
    ):
        self.potential, self.most, self.device, self.graphs = potential, most, device, graphs

    def answers(self, structures: Sequence[Atoms]) -> list[Answer]:
        """One answer each; a fault of the machine is raised, any other costs one structure."""
        found: list[Answer] = list(self.graphs(structures))
        usable = [i for i, graph in enumerate(found) if not isinstance(graph, Exception)]
        start = 0
        while start < len(usable):
            batch = usable[start : start + self.most]
            answers = self._batch([found[i] for i in batch])
            if answers is None:
                continue  # the same again, in halves
            for i, answer in zip(batch, answers, strict=True):
                found[i] = answer
            start += len(batch)
        return found

    def _batch(self, graphs: list[Any]) -> list[Answer] | None:
        """Answers of a batch; None if the memory does not hold it, and `most` is smaller now."""
        try:
            return list(self.potential.energies_and_forces(graphs))
        except Exception as error:  # a network may raise anything
            if is_out_of_memory(error) and len(graphs) > 1:
                self.most = (len(graphs) + 1) // 2
            elif is_fault_of_machine(error):
                raise
            elif len(graphs) == 1:
                return [error]
            else:  # one of them is at fault; it alone is to have the error
                return [self._batch([graph])[0] for graph in graphs]
        free_memory(self.device)  # out of the except clause, which holds on to the tensors
        logger.warning(
            "%d structures together do not fit the memory: from here on %d are computed together; "
            "the resource relax_batch: %d avoids the attempt",
            len(graphs),
            self.most,
            self.most,
        )
        return None


class _Abandoned(BaseException):
    """Ends the thread of a structure whose relaxation nobody waits for any more."""


class _Line(Calculator):
    """The calculator of one structure: a line to where batches are computed."""

    implemented_properties = ("energy", "forces")

    def __init__(self, number: int, events: queue.SimpleQueue):
        super().__init__()
        self.number, self.events = number, events
        self.replies: queue.SimpleQueue = queue.SimpleQueue()

    def calculate(self, atoms=None, properties=None, system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        self.events.put((self.number, self.atoms))
        answer = self.replies.get()
        if isinstance(answer, BaseException):
            raise answer
        energy, forces = answer
        self.results = {"energy": energy, "forces": forces}


def relax_together(
    structures: Sequence[Atoms],
    batches: Batches,
    width: int,
    relax_one: Callable[[Atoms, Calculator], RelaxedStructure],
) -> Iterator[tuple[int, RelaxedStructure]]:
    """Relax structures, up to `width` at a time; the next begins when one has ended.

    Args:
        structures: all of them.
        batches: computes energies and forces.
        width: relaxations at one time.
        relax_one: relaxes a structure in a calculator, as `relax_structure` does.

    Yields:
        The number of a structure and where it ended, in the order in which they end.
    """
    events: queue.SimpleQueue = queue.SimpleQueue()
    lines: dict[int, _Line] = {}
    asking: dict[int, Atoms] = {}
    waiting = iter(range(len(structures)))

    def begin() -> None:
        for number in waiting:
            lines[number] = _Line(number, events)
            arguments = (lines[number], structures[number], relax_one)
            threading.Thread(target=_relax_in_thread, args=arguments, daemon=True).start()
            return

    try:
        for _ in range(width):
            begin()
        while lines:
            number, said = events.get()
            if isinstance(said, Atoms):
                asking[number] = said
            else:
                del lines[number]
                if isinstance(said, BaseException):
                    raise said
                yield number, said
                begin()
            if lines and len(asking) == len(lines):
                numbers = sorted(asking)
                answers = batches.answers([asking[number] for number in numbers])
                asking.clear()
                for number, answer in zip(numbers, answers, strict=True):
                    lines[number].replies.put(answer)
    finally:
        for line in lines.values():
            line.replies.put(_Abandoned())


def _relax_in_thread(
    line: _Line, atoms: Atoms, relax_one: Callable[[Atoms, Calculator], RelaxedStructure]
) -> None:
    try:
        line.events.put((line.number, relax_one(atoms, line)))
    except _Abandoned:
        return
    except BaseException as error:
        line.events.put((line.number, error))
