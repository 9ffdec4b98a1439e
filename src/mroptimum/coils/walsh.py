"""Adaptive maps: the dominant eigenvector of the coils' covariance around each voxel.

Walsh 2000, doi:10.1002/(SICI)1522-2594(200005)43:5<682::AID-MRM10>3.0.CO;2-G: with whitened coil images p, the filter
that matches the signal around q is the eigenvector of ``R(q) = sum_q' p(q') p(q')^H`` over a box around q with the
largest eigenvalue.
"""

from __future__ import annotations

import numpy as np

from mroptimum.coils.calibration import CalibrationRegion
from mroptimum.coils.eigenvectors import dominant_eigenvectors
from mroptimum.coils.phase import aligned, principal_coil
from mroptimum.convention import Complex
from mroptimum.threads import over_blocks

HALF_WIDTH = 3
"""Of the box around a voxel, in voxels: 3 means 7 x 7."""
_BLOCK_BYTES = 2**20
"""Matrices made at once: few enough to stay in a core's cache."""


def walsh(region: CalibrationRegion, *, half_width: int = HALF_WIDTH) -> Complex:
    """Return adaptive maps of one slice, (coil, y, x), of unit norm, from its low-resolution images.

    The box shrinks at the edges of the image. Not valid where sensitivities change within the box, or where the noise
    in it is as strong as the signal. The phase is that of `aligned`.
    """
    image = region.image
    n_coils, n_y, n_x = image.shape
    width = 2 * half_width + 1
    edges = (half_width, half_width)
    padded = np.pad(_scaled(image).transpose(1, 2, 0), (edges, edges, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (width, width), axis=(0, 1)).transpose(0, 1, 3, 4, 2)
    reference = principal_coil(region.block(max(region.widths)))
    maps = np.empty_like(image)

    def find(rows: slice) -> None:
        samples = windows[rows].reshape(-1, width**2, n_coils)
        matrices = samples.swapaxes(-1, -2) @ samples.conj()
        power = np.einsum("vcc->v", matrices).real
        matrices /= np.maximum(power, np.finfo(power.dtype).tiny)[:, None, None]
        vectors, _ = dominant_eigenvectors(matrices, matrices @ reference.astype(matrices.dtype))
        maps[:, rows] = aligned(vectors, reference).T.reshape(n_coils, -1, n_x)

    over_blocks(find, n_y, max(1, _BLOCK_BYTES // (n_x * n_coils**2 * image.dtype.itemsize)))
    return maps


def _scaled(image: Complex) -> Complex:
    """Return the image with a largest magnitude of 1, so that weak signals do not underflow when they are squared."""
    largest = np.abs(image).max(initial=0.0)
    return image / largest if largest > 0 else image
