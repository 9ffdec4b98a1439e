"""Sums over coils."""

from __future__ import annotations

import numpy as np

from mroptimum.convention import Complex, Real
from mroptimum.threads import over_blocks


def root_sum_of_squares(images: Complex) -> Real:
    """Return ``sqrt(sum_c |p_c|^2)`` over the first axis of (coil, ..., x)."""
    parts = np.ascontiguousarray(images).view(images.real.dtype)
    root = np.empty(images.shape[1:], dtype=parts.dtype)

    def add(rows: slice) -> None:
        squares = np.zeros_like(parts[0, rows])
        for of_coil in parts[:, rows]:
            squares += of_coil * of_coil
        np.sqrt(squares[..., 0::2] + squares[..., 1::2], out=root[rows])

    over_blocks(add, len(root), _ROWS)
    return root


def inner_product(a: Complex, b: Complex, dtype: type[np.complex128] | None = None) -> Complex:
    """Return ``sum_c conj(a_c) b_c`` over the first axis, in the data's precision or in `dtype`."""
    total = np.zeros(a.shape[1:], dtype=dtype or np.result_type(a, b))

    def add(rows: slice) -> None:
        product = np.empty_like(total[rows])
        for of_a, of_b in zip(a[:, rows], b[:, rows], strict=True):
            np.conjugate(of_a, out=product)
            product *= of_b
            total[rows] += product

    over_blocks(add, len(total), _ROWS)
    return total


_ROWS = 32
"""Rows summed at a time over all coils: few enough to stay in the cache."""
