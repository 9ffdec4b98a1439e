"""The dominant eigenvector of many small Hermitian matrices at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mroptimum.convention import Complex, Real

DAMPED_BELOW = 0.9
"""Eigenvalues up to this part of the largest one (as far as it is known) are damped."""
DEGREES = (6, 6)
"""Degrees of the filters that are applied in turn. Fixed, so that a result depends on nothing but the data."""


def dominant_eigenvectors(matrices: Complex, start: Complex) -> tuple[Complex, Real]:
    """Return unit eigenvectors (voxel, coil) and eigenvalues (voxel,), the largest of each matrix (voxel, coil, coil).

    Matrices are Hermitian and positive semidefinite, their eigenvalues of order 1; `start` (voxel, coil) is a guess.
    Chebyshev polynomials of the matrix damp every eigenvalue below `DAMPED_BELOW` of the largest and amplify what is
    above: 15 products of matrix and vector do what 30 to 100 do in power iteration. Where a second eigenvalue is within
    a few percent of the first, the vector is a mixture of the two, and its value a mean. A matrix or a guess of zeros
    gives the eigenvalue 0.
    """
    vectors = _normalised(_product(matrices, _normalised(np.ascontiguousarray(start))))
    # No estimate of the largest eigenvalue may be lower than the mean of all: a poor guess would overflow the filter.
    mean: Real = np.einsum("vcc->v", matrices).real / matrices.shape[-1]
    for degree in DEGREES:
        product = _product(matrices, vectors)
        largest = np.maximum(_values(vectors, product), mean)
        vectors = _normalised(_filtered(matrices, vectors, product, DAMPED_BELOW * largest, degree))
    return vectors, _values(vectors, _product(matrices, vectors))


def _filtered(matrices: Complex, vectors: Complex, product: Complex, damped: Real, degree: int) -> Complex:
    """Return ``T_degree((2 G - b) / b) v``, T the Chebyshev polynomials, b = `damped`, and `product` = G v."""
    twice: Real = (2.0 / np.maximum(damped, np.finfo(damped.dtype).tiny * 4))[:, None]
    before: Complex = vectors
    now: Complex = twice * product - vectors
    for _ in range(degree - 1):
        following = _product(matrices, now)
        following *= twice
        following -= now
        following *= 2
        following -= before
        before, now = now, following
    return now


def _product(matrices: Complex, vectors: Complex) -> Complex:
    product: NDArray[np.complexfloating[Any, Any]] = np.matmul(matrices, vectors[..., None])[..., 0]
    return product


def _values(vectors: Complex, product: Complex) -> Real:
    """Return ``Re v^H G v``."""
    values: Real = np.einsum("vc,vc->v", vectors.conj(), product).real
    return values


def _normalised(vectors: Complex) -> Complex:
    """Return unit vectors, and zeros where there is nothing to normalise."""
    parts = vectors.view(vectors.real.dtype)
    norm: Real = np.sqrt(np.einsum("vp,vp->v", parts, parts))
    return vectors / np.maximum(norm, np.finfo(norm.dtype).tiny)[:, None]
