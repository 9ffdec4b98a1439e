"""The voxels of the scan, and values from NIfTI files that were drawn or computed on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mroptimum.errors import ReconstructionError, UnreadableFile
from mroptimum.export.nifti import Volume, stacks
from mroptimum.noise import n_columns
from mroptimum.partitions import geometry_of_slices, n_partitions
from mroptimum.rawdata.acquisition import Acquisition, SliceGeometry
from mroptimum.volume_file import UnreadableMap, volume_from

SAME_WITHIN_VOXELS = 0.05
"""Grids whose voxels lie nearer to each other are the same grid; headers are rounded to single precision."""


@dataclass(frozen=True, kw_only=True)
class SliceGrid:
    """The voxels of a scan, oversampling removed, partitions as slices; no ``geometry`` when the file knows none."""

    n_slices: int
    n_coils: int
    n_y: int
    n_x: int
    geometry: tuple[SliceGeometry, ...] = ()

    @classmethod
    def of(cls, scan: Acquisition) -> SliceGrid:
        """Return the grid of a scan."""
        return cls(
            n_slices=scan.n_slices * n_partitions(scan),
            n_coils=scan.n_coils,
            n_y=int(scan.kspace.shape[5]),
            n_x=n_columns(scan),
            geometry=geometry_of_slices(scan),
        )

    def affines(self) -> list[NDArray[np.float64]]:
        """Return for each slice the matrix (4, 4) from (x, y, 0, 1) to RAS millimetres, as our own NIfTI files say."""
        if self.geometry:
            return [stacks((of_slice,), 1, (self.n_y, self.n_x))[0].affine for of_slice in self.geometry]
        affines = [np.eye(4) for _ in range(self.n_slices)]
        for position, affine in enumerate(affines):
            affine[2, 3] = position
        return affines


def read_nifti_on(grid: SliceGrid, files: Sequence[bytes], what: str) -> NDArray[np.floating[Any]]:
    """Return the values (slice, y, x) that NIfTI files hold at the voxels of a grid; no file needs to hold all slices.

    The axes of a file may be in any order and direction. Raises `UnreadableFile` for damaged content and
    `ReconstructionError` where the files lie on other voxels; `what` names them for the reader.
    """
    values: list[NDArray[np.floating[Any]] | None] = [None] * grid.n_slices
    for content in files:
        volume = _volume(content, what)
        to_file = np.linalg.inv(volume.affine)
        for position, of_slice in enumerate(grid.affines()):
            if values[position] is None:
                values[position] = _slice_of(volume.data, to_file @ of_slice, (grid.n_y, grid.n_x))
    found = [of_slice for of_slice in values if of_slice is not None]
    if len(found) < grid.n_slices:
        missing = ", ".join(str(number) for number, of_slice in enumerate(values, start=1) if of_slice is None)
        raise ReconstructionError(
            f"The {what} does not lie on the voxels of the scan (slice {missing}).",
            "Make it on an image of the same scan, for example on the SNR map of an earlier result.",
        )
    return np.stack(found)


def _slice_of(
    volume: NDArray[np.floating[Any]], matrix: NDArray[np.float64], shape: tuple[int, int]
) -> NDArray[np.floating[Any]] | None:
    """Return the values (y, x) at ``matrix @ (x, y, 0, 1)``; None if these are not voxels of the volume."""
    last_y, last_x = shape[0] - 1, shape[1] - 1
    corners = matrix[:3] @ np.array([[0, last_x, 0], [0, 0, last_y], [0, 0, 0], [1, 1, 1]])
    rounded = np.round(corners)
    inside = np.all((rounded >= 0) & (rounded < np.array(volume.shape)[:, None]))
    if not inside or np.any(np.abs(corners - rounded) > SAME_WITHIN_VOXELS):
        return None
    steps = np.round(matrix[:3, :2])
    if np.any(np.abs(steps).sum(axis=0) != 1):
        return None
    x, y = np.arange(shape[1]), np.arange(shape[0])[:, None]
    index = (rounded[:, 0, None, None] + steps[:, 0, None, None] * x + steps[:, 1, None, None] * y).astype(np.intp)
    return np.asarray(volume[tuple(index)])


def _volume(content: bytes, what: str) -> Volume:
    try:
        return volume_from(content)
    except UnreadableMap as error:
        raise UnreadableFile(f"The {what} cannot be read. {error.message}", error.next_step) from None
