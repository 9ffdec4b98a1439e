"""What the way from recorded samples to an image voxel does to noise power, whatever the noise was measured on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mroptimum.convention import ScaleStep, power_gain
from mroptimum.rawdata.acquisition import Acquisition


def n_columns(acquisition: Acquisition) -> int:
    """Return the number of voxels along x once the readout oversampling is gone."""
    return max(1, round(int(acquisition.kspace.shape[-1]) / acquisition.readout_oversampling))


def image_steps(acquisition: Acquisition, *, readout: bool = True) -> tuple[ScaleStep, ...]:
    """Return the factors that the reconstruction of this acquisition adds, that of a shortened readout if wanted."""
    steps = []
    if acquisition.n_averages > 1:
        n = acquisition.n_averages
        steps.append(
            ScaleStep(
                name="averaging",
                value=power_gain(lambda matrix: matrix.mean(axis=-1, keepdims=True), n),
                source=f"computed from the operator applied, mean of {n} readouts",
            )
        )
    steps.extend(_zero_filled("lines", *_lines_present(acquisition)))
    if readout:
        steps.extend(_zero_filled("samples of each readout", *samples_present(acquisition)))
    return tuple(steps)


def lines_power(acquisition: Acquisition) -> float:
    """Return the noise power of a voxel relative to that of a sampled line: below 1 where lines are zero-filled."""
    n_acquired, n_grid = _lines_present(acquisition)
    return n_acquired / n_grid


def partial_fourier_power(acquisition: Acquisition) -> float:
    """Return the noise power of a voxel relative to that of a recorded sample, shortened readouts counted, too."""
    n_acquired, n_grid = samples_present(acquisition)
    return lines_power(acquisition) * n_acquired / n_grid


def samples_present(acquisition: Acquisition) -> tuple[int, int]:
    """Return how many samples of the readouts were acquired (an asymmetric echo leaves zeros), and how many fit."""
    columns = np.zeros(acquisition.kspace.shape[-1], dtype=np.bool_)
    for of_coil in acquisition.kspace[0, 0, 0]:
        columns |= np.any(of_coil[acquisition.sampled] != 0, axis=0)
    return int(columns.sum()), len(columns)


def _zero_filled(name: str, n_acquired: int, n_grid: int) -> Iterator[ScaleStep]:
    if n_acquired < n_grid:
        yield ScaleStep(
            name=f"partial Fourier, {name}",
            value=n_acquired / n_grid,
            source=f"{n_acquired} of {n_grid} acquired, the rest zero-filled",
        )


def _lines_present(acquisition: Acquisition) -> tuple[int, int]:
    """Return how many phase-encoding lines were acquired, and how many a full scan of this acceleration has."""
    n_grid = 1
    for axis, factor in zip((1, 0), acquisition.acceleration, strict=True):
        positions = np.flatnonzero(acquisition.sampled.any(axis=1 - axis))
        n_grid *= len(range(int(positions[0]) % factor, acquisition.sampled.shape[axis], factor))
    return int(acquisition.sampled.sum()), n_grid
