"""NIfTI files in the scanner's geometry, so that maps lie over the scanner's own images.

Our geometry is LPS (DICOM), NIfTI's is RAS: the first two coordinates change sign. Volumes are stored closest to R-A-S,
because viewers' statistics are wrong for other orders.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mroptimum.grid import Affine, Grid
from mroptimum.rawdata.acquisition import SliceGeometry

PARALLEL_WITHIN = 1e-4
"""Directions whose components agree this well are one direction."""
EVEN_WITHIN_MM = 0.01
"""Slices whose spacing varies by less lie evenly."""
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Slices that make one volume: which (in order along the normal), and voxel indices to RAS millimetres (4, 4).

    ``is_placed`` says whether the geometry is known; if not, voxels are 1 mm at no known place.
    """

    slices: tuple[int, ...]
    affine: Affine
    is_placed: bool = True


@dataclass(frozen=True, kw_only=True)
class Volume:
    """A volume stored closest to R-A-S: data (i, j, k), affine to RAS millimetres, and which axis is across slices.

    ``is_placed`` says whether the affine is where the scanner put it, or only a stand-in.
    """

    data: NDArray[Any]
    affine: Affine
    slice_axis: int
    is_placed: bool = True

    @property
    def grid(self) -> Grid:
        """Where the voxels lie."""
        n_i, n_j, n_k = self.data.shape
        return Grid(shape=(n_i, n_j, n_k), affine=self.affine, slice_axis=self.slice_axis, is_placed=self.is_placed)


def stacks(geometry: Sequence[SliceGeometry], n_slices: int, matrix: tuple[int, int]) -> tuple[Stack, ...]:
    """Sort slices into volumes: parallel, of one size, evenly spaced; a slice that fits nowhere is its own.

    `matrix` is (y, x). Without geometry, all slices make one volume of 1 mm voxels.
    """
    if not geometry:
        return (Stack(slices=tuple(range(n_slices)), affine=np.eye(4), is_placed=False),)
    groups: list[list[int]] = []
    for index, slice_geometry in enumerate(geometry):
        for group in groups:
            if _alike(geometry[group[0]], slice_geometry):
                group.append(index)
                break
        else:
            groups.append([index])
    found: list[Stack] = []
    for group in groups:
        order = sorted(group, key=lambda i: float(np.dot(geometry[i].centre_mm, geometry[i].slice_direction)))
        parts = [order] if _is_even(geometry, order) else [[i] for i in order]
        found.extend(Stack(slices=tuple(part), affine=_affine(geometry, part, matrix)) for part in parts)
    return tuple(found)


def volume(data: NDArray[Any], stack: Stack) -> Volume:
    """Return the stack's slices of a map (slice, y, x) as a volume stored closest to R-A-S."""
    import nibabel

    picked = np.ascontiguousarray(data[list(stack.slices)].transpose(2, 1, 0))
    image = nibabel.Nifti1Image(picked, stack.affine)
    orientation = nibabel.io_orientation(stack.affine)
    canonical = nibabel.as_closest_canonical(image)
    return Volume(
        data=np.asanyarray(canonical.dataobj),
        affine=np.asarray(canonical.affine, dtype=np.float64),
        slice_axis=int(orientation[2, 0]),
        is_placed=stack.is_placed,
    )


def volumes(data: NDArray[Any], geometry: Sequence[SliceGeometry]) -> tuple[Volume, ...]:
    """Return a map (slice, y, x) as the volumes that it is stored in, one for each stack of its slices."""
    n_slices, n_y, n_x = data.shape
    return tuple(volume(data, stack) for stack in stacks(geometry, n_slices, (n_y, n_x)))


def write_nifti(path: Path, data: NDArray[Any], stack: Stack, *, unit: str, description: str) -> None:
    """Write a map (slice, y, x) as `path` (.nii.gz), the same bytes for the same map."""
    path.write_bytes(nifti_file(volume(data, stack), unit=unit, description=description))


def nifti_file(stored: Volume, *, unit: str, description: str) -> bytes:
    """Return a volume as the bytes of a .nii.gz file, the same for the same volume.

    A volume whose place is not known says so: its voxels have no unit of length, and its space is not the scanner's.
    """
    import nibabel

    image = nibabel.Nifti1Image(stored.data, stored.affine)
    image.header.set_xyzt_units("mm" if stored.is_placed else "unknown")
    image.header.set_dim_info(slice=stored.slice_axis)
    image.header["descrip"] = f"{description} [{unit}]".encode("ascii", "replace")[:79]
    space = "scanner" if stored.is_placed else "aligned"
    image.set_qform(stored.affine, code=space)
    image.set_sform(stored.affine, code=space)
    return gzip.compress(image.to_bytes(), mtime=0)


def _alike(a: SliceGeometry, b: SliceGeometry) -> bool:
    pairs = (
        (a.readout_direction, b.readout_direction),
        (a.phase_direction, b.phase_direction),
        (a.slice_direction, b.slice_direction),
    )
    return np.allclose(a.fov_mm, b.fov_mm) and all(np.allclose(p, q, atol=PARALLEL_WITHIN) for p, q in pairs)


def _is_even(geometry: Sequence[SliceGeometry], order: Sequence[int]) -> bool:
    steps = np.diff([geometry[i].centre_mm for i in order], axis=0)
    return len(steps) == 0 or (
        bool(np.all(np.abs(steps - steps[0]) < EVEN_WITHIN_MM)) and float(np.linalg.norm(steps[0])) > EVEN_WITHIN_MM
    )


def _affine(geometry: Sequence[SliceGeometry], order: Sequence[int], matrix: tuple[int, int]) -> Affine:
    first = geometry[order[0]]
    n_y, n_x = matrix
    affine = np.eye(4)
    affine[:3, 0] = np.multiply(first.readout_direction, first.fov_mm[0] / n_x)
    affine[:3, 1] = np.multiply(first.phase_direction, first.fov_mm[1] / n_y)
    if len(order) > 1:
        affine[:3, 2] = np.subtract(geometry[order[1]].centre_mm, first.centre_mm)
    else:
        affine[:3, 2] = np.multiply(first.slice_direction, first.fov_mm[2])
    affine[:3, 3] = first.centre_mm - affine[:3, 0] * (n_x // 2) - affine[:3, 1] * (n_y // 2)
    ras: Affine = LPS_TO_RAS @ affine
    return ras
