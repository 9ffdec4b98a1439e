"""The phase of maps: data leave one phase per voxel open, and maps are to be smooth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mroptimum.convention import Complex


def principal_coil(samples: Complex) -> NDArray[np.complex128]:
    """Return the weights (coil,) of the virtual coil that receives most: ``w^H k``, of unit norm.

    The first eigenvector of the coils' covariance over `samples` (coil, ...), turned so that the sum of its own samples
    is real and positive. It follows the coils through permutation and unitary mixing.
    """
    flat = samples.reshape(len(samples), -1).astype(np.complex128)
    weights: NDArray[np.complex128] = np.linalg.eigh(flat @ flat.conj().T)[1][:, -1]
    total = weights.conj() @ flat.sum(axis=1)
    if total == 0:
        return weights
    turned: NDArray[np.complex128] = weights * (total / abs(total))
    return turned


def aligned(maps: Complex, weights: NDArray[np.complex128]) -> Complex:
    """Return maps (..., coil) times one phase per voxel, which makes ``w^H s`` real and positive."""
    seen = maps @ weights.conj().astype(maps.dtype)
    magnitude = np.abs(seen)
    turn = np.ones_like(seen)
    np.divide(seen.conj(), magnitude, out=turn, where=magnitude > 0)
    return maps * turn[..., None]
