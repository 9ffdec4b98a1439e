"""What every method gives: maps of unit norm, the voxels they hold for, and in words where they come from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mroptimum.coils.sums import root_sum_of_squares
from mroptimum.convention import Complex


@dataclass(frozen=True, kw_only=True)
class CoilMaps:
    """Sensitivities of one slice.

    ``maps`` is (coil, y, x), whitened, with unit root of sum of squares inside the object and 0 outside; ``mask`` is
    (y, x); ``method`` says in words how they were made.
    """

    maps: Complex
    mask: NDArray[np.bool_]
    method: str


def coil_maps(image: Complex, mask: NDArray[np.bool_], method: str) -> CoilMaps:
    """Return maps from sensitivities up to a factor per voxel, (coil, y, x): divided by their root of sum of squares.

    Voxels of the mask without any sensitivity leave it.
    """
    magnitude = root_sum_of_squares(image)
    inside = mask & (magnitude > 0)
    scale = np.zeros_like(magnitude)
    np.divide(1.0, magnitude, out=scale, where=inside)
    return CoilMaps(maps=image * scale, mask=inside, method=method)
