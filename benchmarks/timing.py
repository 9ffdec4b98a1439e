"""How things are timed here: alternating, best of several rounds, BLAS on one thread, always as a ratio."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Timing:
    """The best time of one contestant, in seconds, and its ratio to the reference of the same run.

    ``median_s``, over the same rounds, says how noisy the machine was.
    """

    name: str
    best_s: float
    median_s: float
    ratio: float


def compare(contestants: Mapping[str, Callable[[], object]], *, rounds: int = 20) -> list[Timing]:
    """Time callables in turn, `rounds` times, after one round that does not count; the first is the reference."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for counts in [False, *[True] * rounds]:
        for name, contestant in contestants.items():
            started = time.perf_counter()
            contestant()
            if counts:
                seconds[name].append(time.perf_counter() - started)
    reference = min(next(iter(seconds.values())))
    return [
        Timing(name=name, best_s=min(some), median_s=statistics.median(some), ratio=min(some) / reference)
        for name, some in seconds.items()
    ]


def noisiness(timings: Sequence[Timing]) -> float:
    """Return by how much a median round was slower than the best, as a part of it: 0 on a quiet machine."""
    return statistics.median(timing.median_s / timing.best_s for timing in timings) - 1
