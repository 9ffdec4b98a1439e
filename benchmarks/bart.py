"""BART, as a command that reads and writes files: which takes a few milliseconds that are not its work.

Its commands are therefore timed in memory, on one thread and on two (the better counts), and what starting and copying
the same file takes is subtracted.
"""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import Taken

Single = NDArray[np.complex64]


@dataclass(frozen=True, kw_only=True)
class BartRounds:
    """What a command made, (coil, y, x), and what each round took without start and files."""

    made: Single
    rounds: list[Taken]


def run(command: list[str], *inputs: Single, rounds: int = 3) -> BartRounds:
    """Time a command with inputs (coil, y, x) and one output."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        names = [f"in{i}" for i in range(len(inputs))]
        for name, values in zip(names, inputs, strict=True):
            _write(Path(folder) / name, values)
        copying = [_taken(["copy", names[0], "copied"], folder, threads=1) for _ in range(rounds)]
        clock_s, cores_s = min(one.clock_s for one in copying), min(one.cores_s for one in copying)
        whole = [_taken([*command, *names, "out"], folder, threads) for _ in range(rounds) for threads in (1, 2)]
        return BartRounds(
            made=_read(Path(folder) / "out"),
            rounds=[Taken(clock_s=one.clock_s - clock_s, cores_s=one.cores_s - cores_s) for one in whole],
        )


def _taken(command: list[str], folder: str, threads: int) -> Taken:
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": "1"}
    started, before = time.perf_counter(), _cores_s()
    subprocess.run(["bart", *command], cwd=folder, env=environment, check=True, capture_output=True)
    return Taken(clock_s=time.perf_counter() - started, cores_s=_cores_s() - before)


def _cores_s() -> float:
    """Return the core time of all commands so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _write(path: Path, values: Single) -> None:
    """Write (coil, y, x) as BART's (x, y, 1, coil), first axis fastest."""
    n_coils, n_y, n_x = values.shape
    path.with_suffix(".hdr").write_text(f"# Dimensions\n{n_x} {n_y} 1 {n_coils}\n")
    np.ascontiguousarray(values, dtype=np.complex64).tofile(path.with_suffix(".cfl"))


def _read(path: Path) -> Single:
    n_x, n_y, _, n_coils, *_ = (int(n) for n in path.with_suffix(".hdr").read_text().splitlines()[1].split())
    return np.fromfile(path.with_suffix(".cfl"), dtype=np.complex64).reshape(n_coils, n_y, n_x)
