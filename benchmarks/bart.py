"""BART, as a command that reads and writes files: which takes a few milliseconds that are not its work.

Its commands are therefore timed in memory, on one thread and on two (the better counts), and what starting and copying
the same file takes is subtracted.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Single = NDArray[np.complex64]


@dataclass(frozen=True, kw_only=True)
class BartTime:
    """What a command made, (coil, y, x), and how long it took without start and files."""

    made: Single
    seconds: float


def run(command: list[str], *inputs: Single, rounds: int = 3) -> BartTime:
    """Time a command with inputs (coil, y, x) and one output."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        names = [f"in{i}" for i in range(len(inputs))]
        for name, values in zip(names, inputs, strict=True):
            _write(Path(folder) / name, values)
        copying = min(_seconds(["copy", names[0], "copied"], folder, threads=1) for _ in range(rounds))
        whole = min(_seconds([*command, *names, "out"], folder, threads) for _ in range(rounds) for threads in (1, 2))
        return BartTime(made=_read(Path(folder) / "out"), seconds=whole - copying)


def _seconds(command: list[str], folder: str, threads: int) -> float:
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": "1"}
    started = time.perf_counter()
    subprocess.run(["bart", *command], cwd=folder, env=environment, check=True, capture_output=True)
    return time.perf_counter() - started


def _write(path: Path, values: Single) -> None:
    """Write (coil, y, x) as BART's (x, y, 1, coil), first axis fastest."""
    n_coils, n_y, n_x = values.shape
    path.with_suffix(".hdr").write_text(f"# Dimensions\n{n_x} {n_y} 1 {n_coils}\n")
    np.ascontiguousarray(values, dtype=np.complex64).tofile(path.with_suffix(".cfl"))


def _read(path: Path) -> Single:
    n_x, n_y, _, n_coils, *_ = (int(n) for n in path.with_suffix(".hdr").read_text().splitlines()[1].split())
    return np.fromfile(path.with_suffix(".cfl"), dtype=np.complex64).reshape(n_coils, n_y, n_x)
