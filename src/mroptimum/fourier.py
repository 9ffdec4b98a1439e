"""Centred, unitary Fourier transforms, and what is done to a readout before it becomes an image.

Index ``n // 2`` is the centre, of k-space and of the image alike. Single precision stays single.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from mroptimum.convention import Complex
from mroptimum.threads import over_blocks


def to_image(kspace: Complex, axes: tuple[int, ...] = (-2, -1)) -> Complex:
    """Return the image of k-space along the given axes (default y, x): centred, unitary, inverse FFT."""
    return _centred(scipy.fft.ifftn, kspace, axes, sign=-1)


def to_kspace(image: Complex, axes: tuple[int, ...] = (-2, -1)) -> Complex:
    """Return the k-space of an image along the given axes: the inverse of `to_image`."""
    return _centred(scipy.fft.fftn, image, axes, sign=1)


def _centred(transform: Callable[..., Complex], values: Complex, axes: tuple[int, ...], sign: int) -> Complex:
    """Transform along `axes`, counted from the last; in blocks of the first axis, each in the cache from end to end."""
    dtype = np.result_type(values, np.complex64)
    ramp = _ramps(values.shape[min(axes) :], axes, sign, dtype)
    centred = np.empty(values.shape, dtype=dtype)

    def transform_some(part: slice) -> None:
        moved = transform(values[part] * ramp, axes=axes, norm="ortho", overwrite_x=True)
        np.multiply(moved, ramp, out=centred[part])

    is_whole = values.ndim == -min(axes)
    of_one = dtype.itemsize * int(np.prod(values.shape[1:]))
    over_blocks(transform_some, len(values), len(values) if is_whole else max(1, _BLOCK_BYTES // max(1, of_one)))
    return centred


_BLOCK_BYTES = 2**18


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


def _ramps(shape: tuple[int, ...], axes: tuple[int, ...], sign: int, dtype: np.dtype[Any]) -> Complex:
    """Return the factor that centres a transform along all `axes` of an array of this shape."""
    ramps = np.ones((1,) * len(shape), dtype=np.finfo(dtype).dtype)
    for axis in axes:
        along = [-1 if i == axis + len(shape) else 1 for i in range(len(shape))]
        ramps = ramps * _ramp(shape[axis], sign, dtype).reshape(along)
    return ramps


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
