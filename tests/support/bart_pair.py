"""BART's pair of files as BART writes them, from an array whose axes are in our order, the readout last."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def write_pair(path: Path, array: NDArray[np.complex64], dimensions: tuple[int, ...] | None = None) -> Path:
    """Write an array of 16 axes, BART's in reverse; `dimensions` is what the header says instead of the truth."""
    lengths = dimensions or array.shape[::-1]
    path.write_bytes(array.astype("<c8").tobytes())
    about = "# Command\nfft in out \n# Files\n >out <in\n# Creator\nBART v0.8.00\n"
    header = f"# Dimensions\n{' '.join(map(str, lengths))} \n{about}"
    path.with_suffix(".hdr").write_text(header)
    return path


def zip_pair(path: Path, pair: Path, *, compressed: bool = False) -> Path:
    """Pack the pair of a .cfl file into one zip file."""
    kind = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", kind) as archive:
        for member in (pair, pair.with_suffix(".hdr")):
            archive.write(member, member.name)
    return path


def as_bart(kspace: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """Return k-space (average, repetition, slice, coil, y, x) with BART's 16 axes in reverse."""
    n_averages, n_repetitions, n_slices, n_coils, n_y, n_x = kspace.shape
    in_order = kspace.swapaxes(1, 2)
    return in_order.reshape(
        1, n_averages, n_slices, 1, 1, n_repetitions, 1, 1, 1, 1, 1, 1, n_coils, 1, n_y, n_x
    )  # fmt: skip
