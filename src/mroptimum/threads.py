"""Two threads of our own instead of BLAS's: many small products side by side beat one product cut in two.

Work that is already on one of them goes on there alone: its pieces would wait for threads that wait for it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")

WORKERS = min(2, os.cpu_count() or 1)
"""How many threads work at once; results do not depend on it."""
_this_thread = threading.local()


def n_free() -> int:
    """Return how many threads may help here: one, itself, on a thread of ours."""
    return 1 if getattr(_this_thread, "is_ours", False) else WORKERS


def over_blocks(work: Callable[[slice], None], n: int, block: int) -> None:
    """Call `work` with slices that cover ``range(n)`` in blocks, on `WORKERS` threads; the first error is raised."""
    blocks = [slice(start, min(start + block, n)) for start in range(0, n, block)]
    if n_free() == 1 or len(blocks) < 2 * WORKERS:
        for part in blocks:
            work(part)
        return
    for _ in _pool().map(_on_ours(work), blocks):
        pass


def in_parallel(work: Callable[[Given], Made], items: Sequence[Given]) -> Iterator[Made]:
    """Yield ``work(item)`` for all items, in their order, made on `WORKERS` threads."""
    return map(work, items) if n_free() == 1 else _pool().map(_on_ours(work), items)


def _on_ours(work: Callable[[Given], Made]) -> Callable[[Given], Made]:
    """Return `work` that knows, while it goes on, that its thread is one of ours."""

    def known(item: Given) -> Made:
        _this_thread.is_ours = True
        try:
            return work(item)
        finally:
            _this_thread.is_ours = False

    return known


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(WORKERS, thread_name_prefix="mroptimum")
