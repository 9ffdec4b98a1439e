"""SNR from the difference of two images of the same thing: what a scanner's own images allow without raw data.

NEMA MS 1-2008 (Determination of Signal-to-Noise Ratio in Diagnostic Magnetic Resonance Imaging), method 1: over a
region, ``SNR = sqrt(2) S / SD(I_1 - I_2)``, S the mean signal, SD with n - 1 in the denominator. It rests on noise that
is the same everywhere in the region, and so does not hold with parallel imaging.

The mean of a magnitude exceeds the magnitude of the mean, and its spread falls short of the noise: both by what the
non-central chi distribution says of ``n`` receivers (Constantinides 1997, 10.1002/mrm.1910380524). For one receiver
that is 3 % at an SNR of 5 and below 1 % from 10 on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, hyp1f1

from mroptimum.convention import Real
from mroptimum.errors import ReconstructionError
from mroptimum.snr import SnrMap
from mroptimum.snr.generalised import snr_from_residuals

FEWEST_VOXELS = 10
"""Of fewer, a standard deviation is known to no better than a quarter."""
_HIGHEST_IN_TABLE = 200.0
_TABLE_STEP = 0.01


@dataclass(frozen=True, kw_only=True)
class RegionalSnr:
    """What two images say of one region.

    ``signal`` is the mean of both images, ``noise_sd`` the sd of their difference over sqrt(2), both in their units;
    ``snr`` is the one over the other, ``standard_error`` that of ``snr`` for ``n_voxels`` with independent noise, and
    ``snr_without_bias`` what remains once the bias of magnitudes is taken out. ``mean_difference`` is first minus
    second, in units of the noise: far from 0, something drifted.
    """

    signal: float
    noise_sd: float
    snr: float
    standard_error: float
    snr_without_bias: float
    mean_difference: float
    n_voxels: int


def regional_snr(mean: Real, difference: Real, inside: NDArray[np.bool_], *, n_receivers: int = 1) -> RegionalSnr:
    """Return the SNR of a region from the mean of two magnitude images and their difference, first less second.

    `inside` has the shape of both. Raises `ReconstructionError` for a region of fewer than `FEWEST_VOXELS` voxels and
    for images that are equal there.
    """
    means, differences = mean[inside].astype(np.float64), difference[inside].astype(np.float64)
    if means.size < FEWEST_VOXELS:
        raise ReconstructionError(
            f"The region has {means.size} voxels: too few to measure a spread.",
            f"Choose a region of at least {FEWEST_VOXELS}; 200 give a standard error of 5 %.",
            code="region_too_small",
        )
    signal, noise_sd = float(means.mean()), float(differences.std(ddof=1) / np.sqrt(2))
    if noise_sd == 0:
        raise equal_images()
    found = signal / noise_sd
    return RegionalSnr(
        signal=signal,
        noise_sd=noise_sd,
        snr=found,
        standard_error=found / float(np.sqrt(2 * (means.size - 1))),
        snr_without_bias=float(without_magnitude_bias(np.array([found]), n_receivers)[0]),
        mean_difference=float(differences.mean()) / noise_sd,
        n_voxels=int(means.size),
    )


def local_snr(first: Real, second: Real, box_size: int) -> SnrMap:
    """Return the SNR of each voxel of two magnitude images (y, x): their mean over the spread in a box around it.

    Half of their difference over sqrt(2) is one residual of a magnitude, so that a box of m voxels gives m - 1 degrees
    of freedom; boxes reach `box_size` voxels to each side and no further than the image. Raises `TaskError` for a box
    of one voxel.
    """
    mean: Real = (first + second) / 2
    residual: Real = (first - second) / np.sqrt(2)
    return snr_from_residuals(mean, [residual], box_size, is_linear=False)


def without_magnitude_bias(measured: Real, n_receivers: int) -> Real:
    """Return the SNR that magnitudes with this ratio of mean and sd had before their magnitude was taken.

    0 for what is no higher than the ratio of pure noise: 1.91 for one receiver.
    """
    truth = np.arange(0, _HIGHEST_IN_TABLE, _TABLE_STEP)
    apparent = _mean_over_sd(truth, n_receivers)
    low = np.interp(measured, apparent, truth, left=0.0)
    excess = 3 * (2 * n_receivers - 1)
    high = (measured + np.sqrt(np.maximum(measured**2 - excess, 0))) / 2  # of mean / sd = t + 3 (2 n - 1) / (4 t)
    found: Real = np.where(measured < apparent[-1], low, high).astype(measured.dtype)
    return found


def equal_images() -> ReconstructionError:
    """Return the refusal of two images that do not differ."""
    return ReconstructionError(
        "The two images are the same: their difference is zero, and says nothing of the noise.",
        "Give two images of two scans, one after the other, with the same protocol.",
        code="same_image",
    )


def _mean_over_sd(truth: NDArray[np.float64], n_receivers: int) -> NDArray[np.float64]:
    """Return mean over sd of the root of the sum of squares of 2 n components of sd 1, one with mean `truth`."""
    n = n_receivers
    mean = np.sqrt(2) * np.exp(gammaln(n + 0.5) - gammaln(n)) * hyp1f1(-0.5, n, -(truth**2) / 2)
    ratio: NDArray[np.float64] = mean / np.sqrt(2 * n + truth**2 - mean**2)
    return ratio
