"""How things are timed here: alternating, best of many, BLAS on one thread, always as a ratio."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Timing:
    """The best time of one contestant, in seconds, and its ratio to the reference of the same run."""

    name: str
    best_s: float
    ratio: float


def compare(contestants: Mapping[str, Callable[[], object]], *, rounds: int = 20) -> list[Timing]:
    """Time callables in turn, `rounds` times; the first is the reference. The best round of each counts."""
    best = dict.fromkeys(contestants, float("inf"))
    for contestant in contestants.values():
        contestant()
    for _ in range(rounds):
        for name, contestant in contestants.items():
            started = time.perf_counter()
            contestant()
            best[name] = min(best[name], time.perf_counter() - started)
    reference = next(iter(best.values()))
    return [Timing(name=name, best_s=seconds, ratio=seconds / reference) for name, seconds in best.items()]
