"""Whole jobs, from the reading of a file to the result, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mroptimum.flags import Flags
from mroptimum.phantom import Phantom, simulate, write_npz
from mroptimum.run import run
from mroptimum.task import FileReference


def write_scan(folder: Path, *, n_slices: int, n_coils: int = 8, n: int = 128, acceleration: int = 1) -> Path:
    """Write a scan and its noise scan as one file."""
    phantom = Phantom(
        n_x=n, n_y=n, n_coils=n_coils, n_slices=n_slices, acceleration=acceleration, n_calibration_lines=24
    )
    path = folder / f"{n_coils}x{n}x{n}x{n_slices}.npz"
    write_npz(path, simulate(phantom))
    return path


def do(scan: Path, flags: Flags) -> None:
    """Do a job in this process."""
    signal = FileReference.model_validate({"type": "file", "options": {"type": "local", "filename": str(scan)}})
    run(flags.document(signal, None), locate=lambda reference: Path(reference.options.filename))


def numbers_of(program: str, *arguments: str) -> list[float]:
    """Run a program of Python in a process of its own and return the numbers it prints."""
    command = [sys.executable, "-c", program, *arguments]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [float(number) for number in printed.split()]
