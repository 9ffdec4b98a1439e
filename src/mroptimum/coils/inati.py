"""Iterative adaptive maps: Walsh's idea without a matrix per voxel.

Inati, Hansen and Kellman, Proc. ISMRM 21 (2013), p. 2672, and 22 (2014), p. 4407. Maps s and the combined image rho are
found in turn: ``s(q) ~ sum_q' p(q') conj(rho(q'))`` over a box around q, of unit norm, and ``rho = s^H p``. What the
two leave open, a phase per voxel, is fixed in each round by the virtual coil ``u = sum_q p(q) conj(rho(q))``, so that
neighbours add up in phase.
"""

from __future__ import annotations

import numpy as np

from mroptimum.coils.calibration import CalibrationRegion
from mroptimum.coils.phase import principal_coil
from mroptimum.coils.sums import inner_product, root_sum_of_squares
from mroptimum.convention import Complex
from mroptimum.threads import over_blocks

HALF_WIDTH = 3
"""Of the box around a voxel, in voxels: 3 means 7 x 7."""
ROUNDS = 5
"""After these the maps have settled: a sixth round changes the SNR by less than 0.01 %."""


def inati(region: CalibrationRegion, *, half_width: int = HALF_WIDTH, rounds: int = ROUNDS) -> Complex:
    """Return iterative adaptive maps of one slice, (coil, y, x), of unit norm, from its low-resolution images.

    Valid where `walsh` is, and as good there, but for the few voxels around a place where the coil that receives most
    sees nothing: the phase turns once around it, within the box. The box shrinks at the edges of the image.
    """
    image = region.image
    weights = principal_coil(region.block(max(region.widths))).astype(image.dtype)
    largest = np.abs(image).max(initial=0.0)
    image = image / largest if largest > 0 else image
    combined = np.tensordot(weights.conj(), image, axes=1)
    maps = image
    for _ in range(rounds):
        maps = _box_sums(image * combined.conj(), half_width)
        norm = root_sum_of_squares(maps)
        maps /= np.maximum(norm, np.finfo(norm.dtype).tiny)
        combined = inner_product(maps, image)
        virtual = np.tensordot(image, combined.conj(), axes=2)
        seen = np.tensordot(virtual.conj(), maps, axes=1)
        magnitude = np.abs(seen)
        phase = np.ones_like(seen)
        np.divide(seen, magnitude, out=phase, where=magnitude > 0)
        maps *= phase.conj()
        combined *= phase
    return maps


def _box_sums(values: Complex, half_width: int) -> Complex:
    """Return sums over boxes around each position of the last two axes, which shrink at the edges."""
    sums = np.empty_like(values)

    def add(coils: slice) -> None:
        along_y = _sums(values[coils], half_width, axis=-2)
        sums[coils] = _sums(along_y, half_width, axis=-1)

    over_blocks(add, len(values), 1)
    return sums


def _sums(values: Complex, half_width: int, axis: int) -> Complex:
    total = values.copy()
    for step in range(1, min(half_width, values.shape[axis] - 1) + 1):
        upper, lower = (np.moveaxis(array, axis, 0) for array in (total, values))
        upper[step:] += lower[:-step]
        upper[:-step] += lower[step:]
    return total
