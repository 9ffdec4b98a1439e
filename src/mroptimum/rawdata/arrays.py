"""Plain arrays, which say nothing of themselves: what was sampled is seen in the zeros, the rest is unknown."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mroptimum.errors import UnreadableFile, WrongKindOfFile
from mroptimum.rawdata.acquisition import Calibration, Complex64, Mask
from mroptimum.rawdata.plausibility import refuse_not_finite
from mroptimum.rawdata.sampling import Sampling, calibration_block, split_sampling


def as_complex64(array: NDArray[np.generic], what: str) -> Complex64:
    """Return complex samples in single precision; raise `WrongKindOfFile` for anything else, such as an image."""
    if not np.issubdtype(array.dtype, np.complexfloating):
        raise WrongKindOfFile(
            f"The array given as {what} holds {array.dtype} numbers; raw data are complex.",
            "Give complex k-space, not a reconstructed image.",
        )
    if array.size == 0:
        raise UnreadableFile(f"The array given as {what} is empty (shape {array.shape}).", "Save the arrays again.")
    with np.errstate(over="ignore", invalid="ignore"):  # what does not fit becomes infinite, and is refused, too
        samples = array.astype(np.complex64)
    refuse_not_finite(samples)
    return samples


def recorded_lines(kspace: Complex64) -> Mask:
    """Return the lines ``(z, y)`` that hold anything; kspace (average, repetition, slice, coil, z, y, x)."""
    return np.asarray(np.any(kspace != 0, axis=(0, 1, 2, 3, 6)))


def separate(kspace: Complex64, recorded: Mask) -> tuple[Complex64, Sampling, Calibration | None]:
    """Split k-space into its regular sampling and the calibration lines that were recorded between its lines."""
    sampling = split_sampling(recorded, np.zeros_like(recorded))
    if not sampling.extra.any():
        return kspace, sampling, None
    block = calibration_block(recorded, sampling.extra)
    is_repeated = kspace.shape[0] * kspace.shape[1] > 1
    calibration = Calibration(
        kspace=kspace[0, 0] * block[:, :, np.newaxis],
        sampled=block,
        of_each=kspace[..., block, :] if is_repeated else None,
    )
    return kspace * sampling.lines[:, :, np.newaxis], sampling, calibration
