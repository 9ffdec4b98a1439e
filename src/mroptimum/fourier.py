"""Centred, unitary Fourier transforms, and what is done to a readout before it becomes an image.

Index ``n // 2`` is the centre, of k-space and of the image alike. Single precision stays single.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from mroptimum.convention import Complex
from mroptimum.threads import WORKERS


def to_image(kspace: Complex, axes: tuple[int, ...] = (-2, -1)) -> Complex:
    """Return the image of k-space along the given axes (default y, x): centred, unitary, inverse FFT."""
    image = _multiplied(kspace, axes, sign=-1)
    image = scipy.fft.ifftn(image, axes=axes, norm="ortho", workers=WORKERS, overwrite_x=True)
    return _multiply_in_place(image, axes, sign=-1)


def to_kspace(image: Complex, axes: tuple[int, ...] = (-2, -1)) -> Complex:
    """Return the k-space of an image along the given axes: the inverse of `to_image`."""
    kspace = _multiplied(image, axes, sign=1)
    kspace = scipy.fft.fftn(kspace, axes=axes, norm="ortho", workers=WORKERS, overwrite_x=True)
    return _multiply_in_place(kspace, axes, sign=1)


@cache
def _ramp(n: int, sign: int, dtype: np.dtype[Any]) -> Complex:
    """Return the factor that centres a transform of length `n`: half of it goes before, half after.

    ``exp(2 pi i (k - c)(x - c) / n) = r(k) r(x) exp(2 pi i k x / n)`` with ``r(k) = exp(-2 pi i c (k - c/2) / n)``.
    Cheaper than moving the data: it goes along with a copy that is made anyway.
    """
    centre = n // 2
    ramp = np.exp(sign * 2j * np.pi * centre * (np.arange(n) - centre / 2) / n)
    if n % 4 == 0:
        ramp = np.round(ramp.real)
    rounded: Complex = ramp.astype(dtype if n % 4 else np.finfo(dtype).dtype)
    return rounded


def _multiplied(values: Complex, axes: tuple[int, ...], sign: int) -> Complex:
    dtype = np.result_type(values, np.complex64)
    last = _along(_ramp(values.shape[axes[-1]], sign, dtype), values.ndim, axes[-1])
    return _multiply_in_place((values * last).astype(dtype, copy=False), axes[:-1], sign)


def _multiply_in_place(values: Complex, axes: tuple[int, ...], sign: int) -> Complex:
    factors = [_along(_ramp(values.shape[axis], sign, values.dtype), values.ndim, axis) for axis in axes]
    if factors:
        product = factors[0]
        for factor in factors[1:]:
            product = product * factor
        values *= product
    return values


def _along(ramp: Complex, ndim: int, axis: int) -> Complex:
    return ramp.reshape([-1 if i == axis % ndim else 1 for i in range(ndim)])


def remove_oversampling(kspace: Complex, n_kept: int) -> Complex:
    """Return k-space whose last axis shows only the central `n_kept` voxels of the oversampled field of view.

    Image, crop, back: orthonormal both ways, so that white noise keeps its power (gain 1).
    """
    n = kspace.shape[-1]
    if n_kept == n:
        return kspace
    start = n // 2 - n_kept // 2
    return to_kspace(to_image(kspace, axes=(-1,))[..., start : start + n_kept], axes=(-1,))


def hann_window(n: int, width: int) -> NDArray[np.float64]:
    """Return a Hann window of `width` samples centred on ``n // 2`` in an axis of length `n`, zero outside."""
    distance = np.arange(n) - n // 2
    window: NDArray[np.float64] = np.where(
        np.abs(distance) < (width + 1) / 2, 0.5 * (1 + np.cos(2 * np.pi * distance / (width + 1))), 0.0
    )
    return window
