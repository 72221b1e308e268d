"""Work in several processes begins in this one."""

import os

from dismai.evaluation.parallel import MIN_PER_PROCESS, in_order


def where(item: int) -> tuple[int, int]:
    return item, os.getpid()


def test_the_first_item_is_compiled_here_and_the_others_elsewhere_in_order():
    items = list(range(2 * MIN_PER_PROCESS))
    found = list(in_order(where, items, 2))
    assert [item for item, _ in found] == items
    assert found[0][1] == os.getpid()
    assert os.getpid() not in {process for _, process in found[1:]}
