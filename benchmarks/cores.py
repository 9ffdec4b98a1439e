"""One core and two: a job of pseudo replicas over several slices; and what every command waits for first, importing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import jobs
from benchmarks.timing import Taken, Timing, timings

N_SLICES = 4
ROUNDS = 5

_JOB = """
import os, sys
os.sched_setaffinity(0, {int(core) for core in sys.argv[2].split(",")})
from pathlib import Path
from benchmarks import jobs
from benchmarks.timing import taken
from mroptimum.flags import Flags
flags = Flags(method="pmr", reconstruction=sys.argv[3], replicas=100)
one = taken(lambda: jobs.do(Path(sys.argv[1]), flags))
print(one.clock_s, one.cores_s)
"""
_IMPORT = """
import time
clock, cores = time.perf_counter(), time.process_time()
import {module}
print(time.perf_counter() - clock, time.process_time() - cores)
"""


def measure() -> Iterator[list[Timing]]:
    """Yield the times of a job on one core and on two, and that of importing."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    with tempfile.TemporaryDirectory() as folder:
        scan = jobs.write_scan(Path(folder), n_slices=N_SLICES)
        for reconstruction in ("rss", "b1"):
            name = f"PMR {reconstruction.upper()}, {N_SLICES} slices"
            yield _alternating(
                {
                    f"{name}, two cores": (_JOB, str(scan), ",".join(str(core) for core in cores), reconstruction),
                    f"{name}, one core": (_JOB, str(scan), str(cores[0]), reconstruction),
                }
            )
    modules = ("mroptimum", "mroptimum.run")
    yield _alternating({f"import {module}": (_IMPORT.format(module=module),) for module in modules})


def _alternating(programs: dict[str, tuple[str, ...]]) -> list[Timing]:
    """Time programs in turn; the first is the reference."""
    rounds: dict[str, list[Taken]] = {name: [] for name in programs}
    for _ in range(ROUNDS):
        for name, program in programs.items():
            rounds[name].append(jobs.taken_elsewhere(*program))
    return timings(rounds)
