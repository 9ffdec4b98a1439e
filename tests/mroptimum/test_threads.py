from __future__ import annotations

import threading

import pytest

from mroptimum.threads import WORKERS, in_parallel, n_free, over_blocks


@pytest.mark.parametrize(("n", "block"), [(0, 3), (1, 3), (7, 3), (100, 1), (100, 7)])
def test_blocks_cover_everything_once(n: int, block: int) -> None:
    seen = [0] * n

    def count(part: slice) -> None:
        assert part.stop - part.start <= block
        for i in range(n)[part]:
            seen[i] += 1

    over_blocks(count, n, block)
    assert seen == [1] * n


def test_results_come_in_the_order_of_the_items() -> None:
    assert list(in_parallel(lambda i: i * i, range(50))) == [i * i for i in range(50)]


def test_work_on_a_thread_of_ours_goes_on_there_alone() -> None:
    """More of it than there are threads would otherwise wait for itself, for ever."""

    def outer(_: int) -> tuple[int, set[int]]:
        inside: set[int] = set()
        over_blocks(lambda _: inside.add(threading.get_ident()), 20, 1)
        inside |= set(in_parallel(lambda _: threading.get_ident(), range(20)))
        return threading.get_ident(), inside

    for own, inside in in_parallel(outer, range(4 * WORKERS)):
        assert inside == {own}
    assert n_free() == WORKERS


def test_an_error_comes_out_and_leaves_the_threads_usable() -> None:
    def fail(_: object) -> None:
        raise ValueError("here")

    with pytest.raises(ValueError, match="here"):
        over_blocks(fail, 10, 1)
    with pytest.raises(ValueError, match="here"):
        list(in_parallel(fail, range(10)))
    assert set(in_parallel(lambda _: n_free(), range(10))) == {1}
