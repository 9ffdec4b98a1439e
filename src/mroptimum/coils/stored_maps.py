"""Coil maps as they lie in a file, and the way back to the coils as recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mroptimum.coils.array_file import Arrays
from mroptimum.coils.slice_grid import SliceGrid
from mroptimum.convention import Complex
from mroptimum.errors import ReconstructionError, UnreadableFile, WrongKindOfFile

NEXT_STEP = (
    "Give complex maps of all coils on the voxels of the scan: .npz or .npy (slice, coil, y, x), .mat (x, y, slice, "
    "coil), or the package.zip of an earlier result with coil maps."
)


@dataclass(frozen=True, kw_only=True)
class StoredMaps:
    """Maps (slice, coil, y, x) or, of one slice or one coil, with that axis left out.

    ``whitening`` (coil, coil) is the matrix that the maps of the recorded coils were multiplied with, None if none.
    """

    maps: NDArray[np.generic]
    whitening: NDArray[np.generic] | None

    def recorded(self, grid: SliceGrid) -> Complex:
        """Return the maps of the coils as recorded, (slice, coil, y, x), single precision.

        Raises `WrongKindOfFile` for maps that are not complex, `UnreadableFile` for values that are not numbers, and
        `ReconstructionError` for the maps of another scan.
        """
        if not np.iscomplexobj(self.maps):
            raise WrongKindOfFile(f"The coil maps hold {self.maps.dtype} numbers; maps are complex.", NEXT_STEP)
        wanted = (grid.n_slices, grid.n_coils, grid.n_y, grid.n_x)
        if self.maps.shape not in _shapes(wanted):
            raise ReconstructionError(
                f"The coil maps have shape {self.maps.shape}, the scan needs {wanted} (slice, coil, y, x), readout "
                "oversampling removed.",
                NEXT_STEP,
            )
        maps: NDArray[Any] = self.maps.reshape(wanted)
        if self.whitening is not None:
            maps = _solved(self.whitening, maps)
        if not np.all(np.isfinite(maps)):
            raise UnreadableFile("The coil maps hold values that are not numbers.", "Save them again, with 0 outside.")
        return np.ascontiguousarray(maps, dtype=np.complex64)


def whitening_of(covariance: NDArray[np.generic]) -> NDArray[np.complex128]:
    """Return ``L^-1`` of ``Psi = L L^H``: what maps of a result were multiplied with."""
    try:
        lower = np.linalg.cholesky(covariance.astype(np.complex128))
        return np.asarray(np.linalg.inv(lower), dtype=np.complex128)
    except np.linalg.LinAlgError:
        raise UnreadableFile(
            "The noise covariance stored with the coil maps is not one: it cannot be inverted.",
            "Give maps of the coils as recorded, not whitened.",
        ) from None


def complex_array(arrays: Arrays, names: tuple[str, ...]) -> NDArray[np.generic]:
    """Return the array with the first of `names` there is, else the only complex one with three or four axes."""
    named = [arrays[name] for name in names if name in arrays]
    others = [array for array in arrays.values() if array.ndim in (3, 4) and np.iscomplexobj(array)]
    if not named and len(others) != 1:
        raise WrongKindOfFile(f"The file holds {len(others)} arrays that could be the coil maps.", NEXT_STEP)
    return named[0] if named else others[0]


def _shapes(wanted: tuple[int, int, int, int]) -> set[tuple[int, ...]]:
    n_slices, n_coils, *plane = wanted
    shapes: set[tuple[int, ...]] = {wanted}
    if n_slices == 1:
        shapes.add((n_coils, *plane))
    if n_coils == 1:
        shapes.add((n_slices, *plane))
    return shapes


def _solved(whitening: NDArray[np.generic], maps: NDArray[Any]) -> NDArray[np.complex128]:
    """Return what a matrix (coil, coil) was multiplied with to give maps (slice, coil, y, x)."""
    n_coils = maps.shape[1]
    if whitening.shape != (n_coils, n_coils):
        raise ReconstructionError(
            f"The whitening matrix stored with the maps of {n_coils} coils has shape {whitening.shape}.", NEXT_STEP
        )
    try:
        inverse = np.linalg.inv(whitening.astype(np.complex128))
    except np.linalg.LinAlgError:
        raise UnreadableFile(
            "The whitening matrix stored with the coil maps is singular.",
            "Give maps of the coils as recorded, not whitened.",
        ) from None
    solved: NDArray[np.complex128] = np.einsum("cd,sdyx->scyx", inverse, maps, optimize=True)
    return solved
