"""ESPIRiT: coil maps as eigenvectors of what the calibration data allow.

Uecker 2014, doi:10.1002/mrm.24751. Every k x k patch of calibration data, over all coils, lies in a space that the maps
span; a voxel at q with sensitivities s gives the patch ``u(c, d) = s_c exp(-2 pi i d q / N)``. With P the projection on
that space,

    ``G(q)_cc' = 1/k^2 sum_dd' P_(c,d)(c',d') exp(2 pi i (d - d') q / N),   G(q) s(q) = lambda(q) s(q),``

and lambda is 1 where there is object. G(q) is a trigonometric polynomial with (2 k - 1)^2 terms, so it is summed up row
by row with small matrix products; no transform of full size is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from mroptimum.coils.calibration import CalibrationRegion
from mroptimum.coils.eigenvectors import dominant_eigenvectors
from mroptimum.coils.phase import aligned, principal_coil
from mroptimum.convention import Complex, Real
from mroptimum.errors import ReconstructionError
from mroptimum.threads import over_blocks

KERNEL = 6
"""Side of a patch in samples, where the calibration region is twice as large or more; else half of that."""
EXTENT = 24
"""How many samples around the centre of k-space calibrate, along each axis."""
THRESHOLD = 0.02
"""Singular values below this part of the largest are not signal."""
CROP = 0.9
"""Eigenvalues from here on are object."""
NOISE_MARGIN = 1.05
"""Singular values of noise stay below this multiple of sqrt(n_patches) + sqrt(n_samples of a patch): measured, the
largest lies within 0.98-1.02 of it although patches overlap."""
_BLOCK_BYTES = 2**20
"""Matrices made at once: few enough to stay in a core's cache."""


@dataclass(frozen=True, kw_only=True)
class Eigenmaps:
    """What ESPIRiT finds: ``maps`` (coil, y, x) of unit norm, defined everywhere, and ``eigenvalue`` (y, x), 0 to 1.

    Maps mean something where the eigenvalue is near 1. ``kernel`` is the side of the patches, ``n_components`` the
    dimension of their signal space, out of ``n_singular_values``.
    """

    maps: Complex
    eigenvalue: Real
    kernel: int
    n_components: int
    n_singular_values: int


def espirit(
    region: CalibrationRegion, *, kernel: int | None = None, extent: int = EXTENT, threshold: float | None = None
) -> Eigenmaps:
    """Return the first set of ESPIRiT maps of one slice.

    `kernel` is the side of a patch, `extent` that of the calibration region, in samples. None means patches of 6, or of
    half a smaller region: from fewer than a dozen lines, patches of 6 are too few to span the signal, and the
    eigenvalue inside the object falls below the crop (8 lines: 0.59, and 0.98 with patches of 4).

    `threshold` separates signal from noise, as a part of the largest singular value. None means 0.02, but never less
    than what noise of the region's known standard deviation reaches by itself. Without that, noise passes for signal
    below SNR 10 (8 coils, SNR 5: the SNR lost to wrong maps falls from 1.2 % to 0.4 %, and the eigenvalue outside the
    object from 1 to below the crop).

    Not valid where the object is larger than the field of view: two sets of maps are needed there, and a second
    eigenvalue near 1 makes the first vector arbitrary. The phase is that of `aligned`; around places where the coil
    that receives most sees nothing it turns once, which no SNR depends on. Raises `ReconstructionError` for a region
    smaller than a patch.
    """
    block = region.block(extent)
    if kernel is None:
        kernel = min(KERNEL, max(2, min(block.shape[1:]) // 2))
    if min(block.shape[1:]) < kernel:
        raise ReconstructionError(
            f"The calibration region of {block.shape[1]} lines x {block.shape[2]} samples is smaller than ESPIRiT's "
            f"patches of {kernel} x {kernel}.",
            f"Choose k of at most {min(block.shape[1:])}, or another method for the coil maps.",
        )
    components, n_singular_values = _signal_space(block, kernel, threshold, region.noise_sd)
    maps, eigenvalue = _eigenmaps(_lags(components), region.image, principal_coil(block))
    return Eigenmaps(
        maps=maps,
        eigenvalue=eigenvalue,
        kernel=kernel,
        n_components=len(components),
        n_singular_values=n_singular_values,
    )


def _signal_space(
    block: Complex, kernel: int, threshold: float | None, noise_sd: float | None
) -> tuple[NDArray[np.complex128], int]:
    """Return an orthonormal basis (component, coil, y, x) of the patches of signal, and how many there could be."""
    n_coils = len(block)
    windows = np.lib.stride_tricks.sliding_window_view(block.astype(np.complex128), (kernel, kernel), axis=(1, 2))
    patches = windows.transpose(0, 3, 4, 1, 2).reshape(n_coils * kernel**2, -1)
    n_samples, n_patches = patches.shape
    patches_abound = n_patches > n_samples
    gram = patches @ patches.conj().T if patches_abound else patches.conj().T @ patches
    power, vectors = np.linalg.eigh(gram)
    floor = (THRESHOLD if threshold is None else threshold) ** 2 * power[-1]
    if threshold is None and noise_sd is not None:
        floor = max(floor, (NOISE_MARGIN * noise_sd * (np.sqrt(n_patches) + np.sqrt(n_samples))) ** 2)
    is_signal = power > floor
    basis = vectors[:, is_signal]
    if not patches_abound:
        basis = patches @ (basis / np.sqrt(power[is_signal]))
    return basis.T.reshape(-1, n_coils, kernel, kernel), len(power)


def _lags(components: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Return the coefficients of ``exp(2 pi i l q / N)`` in G(q), (l_y, l_x, coil, coil), l from 1 - k to k - 1.

    G on a grid of 2 k positions holds all of them.
    """
    kernel = components.shape[-1]
    grid = 2 * kernel
    waves = scipy.fft.ifft2(components, s=(grid, grid), norm="forward").transpose(2, 3, 1, 0)
    matrices = waves @ waves.conj().swapaxes(-1, -2) / kernel**2
    lags = np.arange(1 - kernel, kernel)
    coefficients: NDArray[np.complex128] = scipy.fft.fft2(matrices, axes=(0, 1), norm="forward")[np.ix_(lags, lags)]
    return coefficients


def _eigenmaps(lags: NDArray[np.complex128], image: Complex, reference: NDArray[np.complex128]) -> tuple[Complex, Real]:
    """Return the dominant eigenvectors (coil, y, x) of G(q) and their eigenvalues (y, x).

    `image` (coil, y, x) is where the search for them starts, `reference` (coil,) the coil their phase refers to.
    """
    n_coils, n_y, n_x = image.shape
    dtype = image.dtype
    n_lags = len(lags)
    wave_y, wave_x = (_waves(n, n_lags).astype(dtype) for n in (n_y, n_x))
    coefficients = lags.astype(dtype).reshape(n_lags, -1)
    # Weak signals must not underflow when they are squared.
    scale = dtype.type(1.0 / max(float(np.abs(image).max(initial=0.0)), float(np.finfo(dtype).tiny)))
    maps = np.empty_like(image)
    eigenvalue: NDArray[np.floating[Any]] = np.empty((n_y, n_x), dtype=image.real.dtype)

    def find(rows: slice) -> None:
        along_x = (wave_y[rows] @ coefficients).reshape(-1, n_lags, n_coils**2)
        matrices = (wave_x @ along_x).reshape(-1, n_coils, n_coils)
        start = (image[:, rows] * scale).reshape(n_coils, -1).T + dtype.type(1e-6) * reference.astype(dtype)
        vectors, values = dominant_eigenvectors(matrices, start)
        maps[:, rows] = aligned(vectors, reference).T.reshape(n_coils, -1, n_x)
        eigenvalue[rows] = values.reshape(-1, n_x)

    over_blocks(find, n_y, max(1, _BLOCK_BYTES // (n_x * n_coils**2 * dtype.itemsize)))
    return maps, eigenvalue


def _waves(n: int, n_lags: int) -> NDArray[np.complex128]:
    """Return ``exp(2 pi i l q / n)`` for every position q and every lag, (n, n_lags)."""
    waves: NDArray[np.complex128] = np.exp(
        2j * np.pi * np.outer(np.arange(n) - n // 2, np.arange(n_lags) - n_lags // 2) / n
    )
    return waves
