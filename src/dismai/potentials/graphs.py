"""Graphs of several structures at one time, each made by a process of its own on the host.

The graph of 264 atoms takes a tenth of a second of a processor, more than a GPU needs for the rest.
"""

import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

from ase import Atoms

from dismai.base.device import is_fault_of_machine

_potential: Any = None
"""Of a process that makes graphs; on the CPU, whatever computes with them."""


@contextmanager
def graphs_in_processes(
    potential: Any, setup: dict[str, Any]
) -> Iterator[Callable[[Sequence[Atoms]], list[Any]]]:
    """What makes graphs of structures; a structure that has none gets the exception instead.

    Args:
        potential: makes them, where one process is enough.
        setup: entry and elements of the potential, and `n_processes`.
    """
    n_processes = setup["n_processes"]
    if n_processes < 2:
        yield lambda structures: [graph_or_error(potential, atoms) for atoms in structures]
        return
    context = get_context("spawn")
    ours = (n_processes, context, _begin, (setup,))
    with ProcessPoolExecutor(*ours) as pool:
        yield lambda structures: [pickle.loads(made) for made in pool.map(_made, structures)]


def graph_or_error(potential: Any, atoms: Atoms) -> Any:
    """The graph of a structure, or why there is none; a fault of the machine is raised."""
    try:
        return potential.graph(atoms)
    except Exception as error:  # a network may raise anything on a structure
        if is_fault_of_machine(error):
            raise
        return error


def _begin(setup: dict[str, Any]) -> None:
    global _potential
    from dismai.base.processes import end_with
    from dismai.potentials import load

    end_with(os.getppid())
    _potential = load(setup["entry"], setup["elements"], "cpu")


def _made(atoms: Atoms) -> bytes:
    """A graph as bytes: tensors sent as such would each take an open file."""
    return pickle.dumps(graph_or_error(_potential, Atoms(atoms)))
