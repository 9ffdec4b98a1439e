"""Centred, unitary Fourier transforms, and what is done to a readout before it becomes an image.

Index ``n // 2`` is the centre, of k-space and of the image alike. Single precision stays single.
"""

from __future__ import annotations

import os

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from mroptimum.convention import Complex

WORKERS = min(2, os.cpu_count() or 1)


def to_image(kspace: Complex, axes: tuple[int, ...] = (-2, -1)) -> Complex:
    """Return the image of k-space along the given axes (default y, x): centred, unitary, inverse FFT."""
    shifted = scipy.fft.ifftshift(kspace, axes=axes)
    image = scipy.fft.ifftn(shifted, axes=axes, norm="ortho", workers=WORKERS, overwrite_x=True)
    return scipy.fft.fftshift(image, axes=axes)


def to_kspace(image: Complex, axes: tuple[int, ...] = (-2, -1)) -> Complex:
    """Return the k-space of an image along the given axes: the inverse of `to_image`."""
    shifted = scipy.fft.ifftshift(image, axes=axes)
    kspace = scipy.fft.fftn(shifted, axes=axes, norm="ortho", workers=WORKERS, overwrite_x=True)
    return scipy.fft.fftshift(kspace, axes=axes)


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
