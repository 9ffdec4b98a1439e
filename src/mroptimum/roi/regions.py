"""Where a region is: drawn as a box or an ellipse on slices, or taken from the labels of a mask.

Voxels are counted from 0 in the order of the stored map. x and y are the two axes of a slice, in their order, z counts
slices; for axial slices these are the three indices that a viewer shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mroptimum.export.nifti import Volume
from mroptimum.grid import Grid
from mroptimum.roi.errors import EmptyRegion, OtherGrid, OutsideMap, RegionError
from mroptimum.volume_file import in_order_of

Voxels = NDArray[np.bool_]

MAX_LABELS = 255
"""More regions than this are no drawing but a map given as a mask."""


@dataclass(frozen=True, kw_only=True)
class Box:
    """Voxels `x` from-to, `y` from-to, both ends included, on the slices `z` from-to (None: on all of them)."""

    x: tuple[int, int]
    y: tuple[int, int]
    z: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        for low, high in (self.x, self.y, self.z or (0, 0)):
            if low > high:
                raise RegionError(f"A box from {low} to {high} is empty.", "Give the smaller number first.")

    def holds(self, x: NDArray[np.intp], y: NDArray[np.intp]) -> Voxels:
        """Return which places of a slice are inside."""
        return (x >= self.x[0]) & (x <= self.x[1]) & (y >= self.y[0]) & (y <= self.y[1])


@dataclass(frozen=True, kw_only=True)
class Ellipse:
    """Voxels whose centre lies in or on the ellipse with centre (x, y) and half-axes in voxels; `z` as of a box."""

    centre: tuple[float, float]
    half_axes: tuple[float, float]
    z: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not all(0 < length < np.inf for length in self.half_axes) or not all(map(np.isfinite, self.centre)):
            raise RegionError("The half-axes of an ellipse are positive numbers.", "Give centre x, y, then half-axes.")
        if self.z is not None and self.z[0] > self.z[1]:
            raise RegionError(f"Slices from {self.z[0]} to {self.z[1]} are none.", "Give the smaller number first.")

    def holds(self, x: NDArray[np.intp], y: NDArray[np.intp]) -> Voxels:
        """Return which places of a slice are inside."""
        along_x = (x - self.centre[0]) / self.half_axes[0]
        along_y = (y - self.centre[1]) / self.half_axes[1]
        inside: Voxels = along_x**2 + along_y**2 <= 1
        return inside


Shape = Box | Ellipse


@dataclass(frozen=True, kw_only=True, eq=False)
class Region:
    """A named set of voxels (i, j, k) on a grid."""

    name: str
    voxels: Voxels
    grid: Grid

    def within(self, mask: Volume) -> Region:
        """Return the part of the region that is inside a mask on the same voxels. Raises `OtherGrid`."""
        if not self.grid.coincides_with(mask.grid):
            raise OtherGrid(f"The region {self.name}", self.grid, mask.grid)
        return Region(name=self.name, voxels=self.voxels & (mask.data > 0), grid=self.grid)


def drawn(shape: Shape, grid: Grid, *, name: str) -> Region:
    """Return the voxels of a grid that a shape holds; an ellipse may reach over the edge of a slice.

    Raises `OutsideMap` for a box or for slices that the map does not have, and `EmptyRegion`.
    """
    first, second = grid.in_plane_axes
    n_x, n_y, n_slices = grid.shape[first], grid.shape[second], grid.shape[grid.slice_axis]
    bounds = [(shape.z, n_slices)] + ([(shape.x, n_x), (shape.y, n_y)] if isinstance(shape, Box) else [])
    if any(given is not None and not 0 <= given[0] <= given[1] < length for given, length in bounds):
        raise OutsideMap(
            f"The region {name} reaches out of the map: its slices have {n_x} x {n_y} voxels, and there are "
            f"{n_slices} of them.",
            f"Count from 0: x to {n_x - 1}, y to {n_y - 1}, slices to {n_slices - 1}.",
        )
    inside = shape.holds(*np.ogrid[:n_x, :n_y])
    low, high = shape.z or (0, n_slices - 1)
    on_slices = np.zeros(n_slices, dtype=np.bool_)
    on_slices[low : high + 1] = True
    voxels = np.moveaxis(inside[..., np.newaxis] & on_slices, -1, grid.slice_axis)
    if not voxels.any():
        raise EmptyRegion(f"The region {name} holds the centre of no voxel.", "Make it larger, or move it.")
    return Region(name=name, voxels=voxels, grid=grid)


def regions_of_mask(mask: Volume, grid: Grid, *, name: str) -> tuple[Region, ...]:
    """Return one region for each label of a mask: each whole number in it that is not 0, in rising order.

    A mask may be stored in any order and direction of its axes. One label gives a region called `name`, several give
    `name 1`, `name 2`, … after their labels. Raises `OtherGrid` for a mask on other voxels, `EmptyRegion` and
    `RegionError`.
    """
    turned = in_order_of(mask, grid.affine)
    if not turned.grid.coincides_with(grid):
        raise OtherGrid("The mask", mask.grid, grid)
    labels = _labels(turned.data)
    return tuple(
        Region(name=name if len(labels) == 1 else f"{name} {label:g}", voxels=turned.data == label, grid=grid)
        for label in labels
    )


def _labels(data: NDArray[Any]) -> list[float]:
    found = np.unique(data)
    if found.dtype.kind == "f" and not (np.all(np.isfinite(found)) and np.all(found == np.round(found))):
        raise RegionError(
            "The mask holds values that are not whole numbers.", "Give a mask of 0 and 1, or of labels 1, 2, 3."
        )
    labels = [float(label) for label in found if label != 0]
    if not labels:
        raise EmptyRegion("The mask is 0 everywhere.", "Draw a region in it.")
    if len(labels) > MAX_LABELS:
        raise RegionError(f"The mask holds {len(labels)} different labels.", "Give a mask, not a map.")
    return labels
