"""Flip-angle correction: what the SNR would be with a 90 degree excitation, SNR / sin(alpha)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from mroptimum.coils.array_file import is_array_file, read_arrays
from mroptimum.coils.slice_grid import SliceGrid, read_nifti_on
from mroptimum.convention import Real
from mroptimum.errors import ReconstructionError, WrongKindOfFile
from mroptimum.snr import SnrMap

SMALLEST_SINE = 1e-3
"""A flip angle whose sine is smaller counts as no excitation."""


def read_flip_angle(path: Path, grid: SliceGrid) -> Real:
    """Return the flip angle in degrees, (slice, y, x), of a NIfTI file on the scan's voxels or of one array.

    Raises `UnreadableFile`, `WrongKindOfFile` for what is no such map, and `ReconstructionError` for one of another
    grid.
    """
    angle = _array(path, grid) if is_array_file(path) else read_nifti_on(grid, [path.read_bytes()], "flip-angle map")
    if not np.all(np.isfinite(angle)) or angle.min() < 0 or angle.max() > 180:
        raise WrongKindOfFile(
            "The flip-angle map holds values that are no angle between 0 and 180 degrees.", "Give the map in degrees."
        )
    return angle


def corrected(found: SnrMap, flip_angle_deg: Real) -> SnrMap:
    """Return the SNR that a 90 degree excitation would have, from the flip angle (y, x); 0 where there was none."""
    sine = np.sin(np.deg2rad(flip_angle_deg)).astype(found.snr.dtype)
    inverse = np.zeros_like(sine)
    np.divide(1.0, sine, out=inverse, where=sine > SMALLEST_SINE)
    error = None if found.standard_error is None else found.standard_error * inverse
    return replace(found, snr=found.snr * inverse, image=found.image * inverse, standard_error=error)


def _array(path: Path, grid: SliceGrid) -> Real:
    wanted = (grid.n_slices, grid.n_y, grid.n_x)
    arrays = [a for a in read_arrays(path, max_bytes=16 * int(np.prod(wanted))).values() if a.ndim in (2, 3)]
    if len(arrays) != 1 or np.iscomplexobj(arrays[0]):
        raise WrongKindOfFile(
            f"The file holds {len(arrays)} arrays that could be the flip-angle map; one of real numbers is needed.",
            "Save the map alone, in degrees.",
        )
    [found] = arrays
    if found.shape != wanted and (grid.n_slices, found.shape) != (1, wanted[1:]):
        raise ReconstructionError(
            f"The flip-angle map has shape {found.shape}, the scan needs {wanted} (slice, y, x).",
            "Make the map on the voxels of the scan, readout oversampling removed.",
        )
    angle: Real = found.reshape(wanted).astype(np.float64)
    return angle
