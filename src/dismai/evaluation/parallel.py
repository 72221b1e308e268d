"""Work on many structures in several processes, with the results in order."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.context import BaseContext
from typing import TypeVar

from threadpoolctl import ThreadpoolController, threadpool_limits

from dismai.base.errors import InputError
from dismai.base.processes import end_with

Item = TypeVar("Item")
Result = TypeVar("Result")
Reporter = Callable[[str, int], Callable[[int], None]]
"""Makes, from the name and the size of a work, what is told how many more items are finished."""

MIN_PER_PROCESS = 24
"""A process starts in seconds; fewer structures are not worth one."""
CHUNK = 8


def usable_cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    n_jobs: int,
    name: str = "structures",
    reporter: Reporter | None = None,
) -> Iterator[Result]:
    """Results of work on each item, in the order of the items.

    Each item is worked on alone, so that the number of processes changes nothing. The first one
    is this process's: what it compiles the others find, and do not all compile themselves.

    Raises:
        InputError: one of the processes was ended from outside, as where memory ran out.
    """
    advance = reporter(name, len(items)) if reporter else lambda n_done: None
    n_processes = min(n_jobs, len(items) // MIN_PER_PROCESS)
    blas = ThreadpoolController()
    for item in items if n_processes < 2 else items[:1]:
        # Matrices are small: further threads would only wait for each other, at full load.
        with blas.limit(limits=1, user_api="blas"):
            result = work(item)
        yield result
        advance(1)
    if n_processes < 2:
        return
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["dismai.evaluation.process"])
    with _script_not_repeated(), _pool(context, n_processes) as pool:
        try:
            for result in pool.map(work, items[1:], chunksize=CHUNK):
                yield result
                advance(1)
        except BrokenProcessPool:
            raise InputError(
                f"{name}: expected {n_processes} processes that work to the end, found that one "
                "was ended from outside; out of memory? Fewer processes need less of it"
            ) from None


@contextmanager
def _pool(context: BaseContext, n_processes: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that end at once where the work ends early, as by an error or a signal."""
    others = multiprocessing.active_children()
    pool = ProcessPoolExecutor(n_processes, context, _begin, (os.getpid(),))
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()).difference(others):
            process.terminate()
        raise
    pool.shutdown()


def _begin(pid: int) -> None:
    """In a process that works for another one: leave Ctrl-C to that one, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with(pid)
    threadpool_limits(1, user_api="blas")


@contextmanager
def _script_not_repeated() -> Iterator[None]:
    """Keep new processes from running the script of this one again.

    multiprocessing imports the main file in every new process. A script of the workflow needs the
    object that only Snakemake gives it: each process would fail and be replaced, without end.
    """
    main = vars(sys.modules["__main__"])
    missing = object()
    file = main.pop("__file__", missing)
    try:
        yield
    finally:
        if file is not missing:
            main["__file__"] = file
