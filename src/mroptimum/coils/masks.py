"""Which voxels count as object."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mroptimum.coils.array_file import is_array_file, read_arrays
from mroptimum.coils.slice_grid import SliceGrid, read_nifti_on
from mroptimum.coils.sums import root_sum_of_squares
from mroptimum.convention import Complex, Real, snr
from mroptimum.errors import ReconstructionError, WrongKindOfFile
from mroptimum.task import Mask, MaskMethod

BoolMask = NDArray[np.bool_]

DARKEST = 1e-3
"""Signal below this part of the maximum is told apart from nothing: it counts as this much."""
_N_BINS = 256


def object_mask(image: Complex, mask: Mask) -> BoolMask:
    """Return (y, x): which voxels count as object, by the root of sum of squares of whitened coil images.

    Of the methods `no`, `percentage`, `threshold` and `reference`; the others need more than an image.
    """
    return mask_by_magnitude(root_sum_of_squares(image), mask)


def mask_by_magnitude(magnitude: Real, mask: Mask) -> BoolMask:
    """Return the same of a root of sum of squares, (y, x), that was computed elsewhere."""
    value = mask.value or 0.0
    match mask.method:
        case MaskMethod.NO:
            return np.ones(magnitude.shape, dtype=np.bool_)
        case MaskMethod.PERCENTAGE:
            return _at_least(magnitude, value / 100.0 * float(magnitude.max()))
        case MaskMethod.THRESHOLD:
            return _at_least(snr(magnitude, 1.0), value)
        case MaskMethod.REFERENCE:
            return reference_mask(magnitude)
        case MaskMethod.ESPIRIT | MaskMethod.UPLOAD:
            raise ValueError(f"a mask by {mask.method} is not made from an image")


def reference_mask(magnitude: Real) -> BoolMask:
    """Return which voxels of a reference image (y, x) are object: the brighter class by Otsu's criterion.

    Otsu 1979, doi:10.1109/TSMC.1979.4310076, on the logarithm of the magnitude, where coil shading is a shift and the
    background a class of its own: the threshold with the greatest variance between classes,
    ``w_0 w_1 (mu_0 - mu_1)^2``. An image of one value is all object, an image of zeros has none.
    """
    largest = float(magnitude.max(initial=0.0))
    if largest <= 0:
        return np.zeros(magnitude.shape, dtype=np.bool_)
    level = np.log(np.maximum(magnitude.astype(np.float64) / largest, DARKEST))
    counts, edges = np.histogram(level, bins=_N_BINS)
    middles = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)[:-1]
    above = counts.sum() - below
    sum_below = np.cumsum(counts * middles)[:-1]
    sum_above = (counts * middles).sum() - sum_below
    is_split = (below > 0) & (above > 0)
    if not is_split.any():
        return np.ones(magnitude.shape, dtype=np.bool_)
    distance = sum_above[is_split] / above[is_split] - sum_below[is_split] / below[is_split]
    variance = below[is_split] * above[is_split] * distance**2
    # Thresholds inside an empty stretch of the histogram are equally good; the middle one is robust.
    best = edges[1:-1][is_split][np.isclose(variance, variance.max(), rtol=1e-12)]
    return _at_least(level, float(best[len(best) // 2]))


def read_mask(path: Path, grid: SliceGrid) -> BoolMask:
    """Return the mask (slice, y, x) that a file holds: true where it is not 0.

    A NIfTI file on the voxels of the scan, or an array: .npy or .npz (slice, y, x) or, of one slice, (y, x), .mat
    (x, y, slice) or (x, y). Raises `UnreadableFile`, `WrongKindOfFile`, and `ReconstructionError` where the file does
    not fit the scan.
    """
    if not is_array_file(path):
        return np.asarray(read_nifti_on(grid, [path.read_bytes()], "mask") != 0)
    wanted = (grid.n_slices, grid.n_y, grid.n_x)
    arrays = read_arrays(path, max_bytes=16 * int(np.prod(wanted)))
    candidates = [arrays["mask"]] if "mask" in arrays else [a for a in arrays.values() if a.ndim in (2, 3)]
    if len(candidates) != 1:
        raise WrongKindOfFile(
            f"The file holds {len(candidates)} arrays that could be the mask.", "Save it alone, or under the name mask."
        )
    [found] = candidates
    if found.shape != wanted and (grid.n_slices, found.shape) != (1, wanted[1:]):
        raise ReconstructionError(
            f"The mask has shape {found.shape}, the scan needs {wanted} (slice, y, x), readout oversampling removed.",
            "Make the mask on an image of the same scan, for example on the SNR map of an earlier result.",
        )
    return np.asarray(found.reshape(wanted) != 0)


def _at_least(values: Real, threshold: float) -> BoolMask:
    inside: BoolMask = values >= threshold
    return inside
