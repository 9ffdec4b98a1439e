"""Where the voxels of a volume lie: two volumes can be compared voxel by voxel only on one grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Affine = NDArray[np.float64]

SAME_WITHIN_VOXELS = 0.05
"""Grids whose corners lie nearer to each other are one grid; NIfTI headers are rounded to single precision."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Grid:
    """The voxels of a volume.

    ``affine`` (4, 4) takes voxel indices to RAS millimetres; ``slice_axis`` is the axis across slices. ``is_placed``
    says whether that place and size are real: a file without geometry has voxels of 1 at no known place.
    """

    shape: tuple[int, int, int]
    affine: Affine
    slice_axis: int = 2
    is_placed: bool = True

    @property
    def voxel_volume_mm3(self) -> float | None:
        """Volume of one voxel in mm³; None where its size is not known."""
        along_i, along_j, along_k = self.affine[:3, :3].T
        return abs(float(np.dot(np.cross(along_i, along_j), along_k))) if self.is_placed else None

    @property
    def in_plane_axes(self) -> tuple[int, int]:
        """The two axes of a slice, in their order: x and y of a region drawn on it."""
        first, second = (axis for axis in range(3) if axis != self.slice_axis)
        return first, second

    def coincides_with(self, other: Grid) -> bool:
        """Return whether both are the same voxels at the same places, in the same order."""
        if self.shape != other.shape:
            return False
        corners = np.array(np.meshgrid(*((0.0, n - 1.0) for n in self.shape), [1.0], indexing="ij")).reshape(4, -1)
        apart = np.linalg.norm(((self.affine - other.affine) @ corners)[:3], axis=0)
        return bool(apart.max() <= SAME_WITHIN_VOXELS * np.linalg.norm(self.affine[:3, :3], axis=0).min())

    def in_words(self) -> str:
        """Say shape, voxel size and position in one line."""
        sizes = " x ".join(f"{size:.4g}" for size in np.linalg.norm(self.affine[:3, :3], axis=0))
        matrix = "; ".join(" ".join(f"{value:.4g}" for value in row) for row in self.affine[:3])
        return f"{' x '.join(map(str, self.shape))} voxels of {sizes} mm, affine [{matrix}]"
