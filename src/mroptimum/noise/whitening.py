"""Making the noise of the coils white, with power 1."""

from __future__ import annotations

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from mroptimum.convention import Complex
from mroptimum.errors import NoiseError
from mroptimum.noise.model import NoiseModel
from mroptimum.threads import over_blocks

INDEPENDENT_ABOVE = 1e-10
"""A coil whose noise power is explained by the other coils up to this part cannot be whitened."""
_BLOCK = 4096


def whitener(model: NoiseModel) -> NDArray[np.complex128]:
    """Return ``L^-1`` with ``Psi = L L^H``, (coil, coil): what makes the noise of the coils white with power 1.

    Raises `NoiseError` when the covariance cannot be inverted.
    """
    try:
        lower = np.linalg.cholesky(model.covariance)
    except np.linalg.LinAlgError:
        raise _singular() from None
    own = np.diagonal(lower).real / model.sigma
    if float(own.min()) ** 2 < INDEPENDENT_ABOVE:
        raise _singular()
    inverse: NDArray[np.complex128] = scipy.linalg.solve_triangular(lower, np.eye(len(lower)), lower=True)
    return inverse


def whiten(kspace: Complex, matrix: NDArray[np.complex128]) -> Complex:
    """Return ``L^-1 p`` over the coil axis of k-space or images (coil, ...), in the precision of the data.

    In blocks, because one large product is slower than several that stay in the cache.
    """
    flat = kspace.reshape(kspace.shape[0], -1)
    white = np.empty_like(flat)
    factor = matrix.astype(kspace.dtype)

    def multiply(part: slice) -> None:
        np.matmul(factor, flat[:, part], out=white[:, part])

    over_blocks(multiply, flat.shape[1], _BLOCK)
    return white.reshape(kspace.shape)


def _singular() -> NoiseError:
    return NoiseError(
        "The noise covariance is singular: the noise of one coil is that of others.",
        "Check that no coil was recorded twice, or record a longer noise scan.",
    )
