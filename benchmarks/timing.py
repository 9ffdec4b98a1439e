"""How things are timed here: alternating, best of several rounds, BLAS on one thread, always as a ratio."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What one round took, in seconds: by the clock, and of all cores together, which others' work hardly changes."""

    clock_s: float
    cores_s: float


@dataclass(frozen=True, kw_only=True)
class Timing:
    """The best round of one contestant, and its ratio to the reference of the same run: by the clock and in core time.

    ``median_s`` of the same rounds says how noisy the machine was. Where it was busy, `cores_ratio` is to be trusted.
    """

    name: str
    best_s: float
    median_s: float
    cores_s: float
    ratio: float
    cores_ratio: float


def taken(call: Callable[[], object]) -> Taken:
    """Time a call."""
    clock, cores = time.perf_counter(), time.process_time()
    call()
    return Taken(clock_s=time.perf_counter() - clock, cores_s=time.process_time() - cores)


def compare(contestants: Mapping[str, Callable[[], object]], *, rounds: int = 20) -> list[Timing]:
    """Time callables in turn, `rounds` times, after one round that does not count; the first is the reference."""
    found: dict[str, list[Taken]] = {name: [] for name in contestants}
    for counts in [False, *[True] * rounds]:
        for name, contestant in contestants.items():
            one = taken(contestant)
            if counts:
                found[name].append(one)
    return timings(found)


def timings(found: Mapping[str, Sequence[Taken]]) -> list[Timing]:
    """Return the best rounds; the first contestant is the reference."""
    reference = next(iter(found.values()))
    clock_s, cores_s = min(one.clock_s for one in reference), min(one.cores_s for one in reference)
    return [
        Timing(
            name=name,
            best_s=min(one.clock_s for one in rounds),
            median_s=statistics.median(one.clock_s for one in rounds),
            cores_s=min(one.cores_s for one in rounds),
            ratio=min(one.clock_s for one in rounds) / clock_s,
            cores_ratio=min(one.cores_s for one in rounds) / cores_s,
        )
        for name, rounds in found.items()
    ]


def noisiness(of_table: Sequence[Timing]) -> float:
    """Return by how much a median round was slower than the best, as a part of it: 0 on a quiet machine."""
    return statistics.median(timing.median_s / timing.best_s for timing in of_table) - 1
