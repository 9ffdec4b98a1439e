"""One core and two: a job of pseudo replicas over several slices; and what every command waits for first, importing.

Two cores that others use as well show little of what they could. So a third figure says what two free ones would take:
the core time of the thread that hands out work, and half of all others'.
"""

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
import os, sys, time
os.sched_setaffinity(0, {int(core) for core in sys.argv[2].split(",")})
from pathlib import Path
from benchmarks import jobs
from benchmarks.timing import taken
from mroptimum.flags import Flags
flags = Flags(method="pmr", reconstruction=sys.argv[3], replicas=100)
handing_out = time.thread_time()
one = taken(lambda: jobs.do(Path(sys.argv[1]), flags))
print(one.clock_s, one.cores_s, time.thread_time() - handing_out)
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
    both = ",".join(str(core) for core in cores)
    with tempfile.TemporaryDirectory() as folder:
        scan = str(jobs.write_scan(Path(folder), n_slices=N_SLICES, n=256))
        for reconstruction in ("rss", "b1"):
            on_two, on_one, ideal = [], [], []
            for _ in range(ROUNDS):
                clock_s, cores_s, handing_out_s = jobs.numbers_of(_JOB, scan, both, reconstruction)
                on_two.append(Taken(clock_s=clock_s, cores_s=cores_s))
                free_s = handing_out_s + (cores_s - handing_out_s) / 2
                ideal.append(Taken(clock_s=free_s, cores_s=cores_s))
                clock_s, cores_s, _ = jobs.numbers_of(_JOB, scan, str(cores[0]), reconstruction)
                on_one.append(Taken(clock_s=clock_s, cores_s=cores_s))
            name = f"PMR {reconstruction.upper()}, {N_SLICES} slices"
            yield timings({f"{name}, two cores": on_two, f"{name}, two free cores": ideal, f"{name}, one core": on_one})
    imports: dict[str, list[Taken]] = {}
    for module in ("mroptimum", "mroptimum.run"):
        rounds = [jobs.numbers_of(_IMPORT.format(module=module)) for _ in range(ROUNDS)]
        imports[f"import {module}"] = [Taken(clock_s=clock_s, cores_s=cores_s) for clock_s, cores_s in rounds]
    yield timings(imports)
