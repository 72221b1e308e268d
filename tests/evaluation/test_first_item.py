"""Work in several processes begins in this one."""

import os

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from dismai.evaluation.parallel import MIN_PER_PROCESS, in_order


def where(item: int) -> tuple[int, int]:
    return item, os.getpid()


def test_the_first_item_is_compiled_here_and_the_others_elsewhere_in_order():
    items = list(range(2 * MIN_PER_PROCESS))
    found = list(in_order(where, items, 2))
    assert [item for item, _ in found] == items
    assert found[0][1] == os.getpid()
    assert os.getpid() not in {process for _, process in found[1:]}


def blas_threads(item: int) -> tuple[int, list[int]]:
    pools = threadpool_info()
    return item, [pool["num_threads"] for pool in pools if pool["user_api"] == "blas"]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_each_process_uses_one_thread_of_blas(n_jobs):
    """More of them wait for each other at full load: S(q) took 18.6 s instead of 5.5."""
    items = range(2 * MIN_PER_PROCESS)
    with threadpool_limits(2, user_api="blas"):
        found = dict(in_order(blas_threads, items, n_jobs))
        assert found.keys() == set(items)
        assert {threads for pool in found.values() for threads in pool} == {1}
        assert max(blas_threads(0)[1]) == 2
