"""Sums over coils."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mroptimum.convention import Complex, Real


def root_sum_of_squares(images: Complex) -> Real:
    """Return ``sqrt(sum_c |p_c|^2)`` over the first axis."""
    power: NDArray[np.floating[Any]] = inner_product(images, images).real.copy()
    np.sqrt(power, out=power)
    return power


def inner_product(a: Complex, b: Complex, dtype: type[np.complex128] | None = None) -> Complex:
    """Return ``sum_c conj(a_c) b_c`` over the first axis, in the data's precision or in `dtype`.

    Coil by coil, so that a product stays in the cache.
    """
    total = np.zeros(a.shape[1:], dtype=dtype or np.result_type(a, b))
    product = np.empty_like(total)
    for of_a, of_b in zip(a, b, strict=True):
        np.conjugate(of_a, out=product)
        product *= of_b
        total += product
    return total
