"""Which voxels count as object."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mroptimum.coils.sums import root_sum_of_squares
from mroptimum.convention import Complex, Real, snr
from mroptimum.task import Mask, MaskMethod


def object_mask(image: Complex, mask: Mask) -> NDArray[np.bool_]:
    """Return (y, x): which voxels count as object, by the root of sum of squares of whitened coil images."""
    magnitude = root_sum_of_squares(image)
    value = mask.value or 0.0
    if mask.method is MaskMethod.PERCENTAGE:
        return _at_least(magnitude, value / 100.0 * float(magnitude.max()))
    if mask.method is MaskMethod.THRESHOLD:
        return _at_least(snr(magnitude, 1.0), value)
    return np.ones(magnitude.shape, dtype=np.bool_)


def _at_least(values: Real, threshold: float) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = values >= threshold
    return inside
