"""What the receiver's filter makes of white noise: its bandwidth, and its power from column to column of the image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mroptimum import fourier
from mroptimum.convention import Complex
from mroptimum.noise.samples import covariance

FLAT_HALF = 0.5
"""The part of the receive band taken as flat: the centre half, which is what 2x oversampling keeps."""
WHITE_WITHIN = 3.0
"""A band is called white when its bandwidth ratio is within this many standard errors of 1."""


@dataclass(frozen=True, kw_only=True)
class Bandwidth:
    """Noise-equivalent bandwidth over sampling bandwidth: value, standard error, where it comes from."""

    ratio: float
    standard_error: float
    source: str


def bandwidth_ratio(samples: Complex) -> Bandwidth:
    """Measure the noise-equivalent bandwidth of the receiver filter, relative to the sampling bandwidth.

    The spectrum of the noise, averaged over coils (each at unit power) and readouts: its mean over the whole band over
    its mean in the flat centre half. White noise gives 1; Siemens receivers about 0.79. `samples` is
    (readout, coil, sample).
    """
    spectrum = _spectrum(samples)
    n = len(spectrum)
    width = max(1, round(n * FLAT_HALF))
    start = n // 2 - width // 2
    flat = spectrum[start : start + width].mean()
    n_independent = samples.shape[0] * n * _independent_coils(samples)
    return Bandwidth(
        ratio=float(spectrum.mean() / flat),
        # (a + b) / 2a with a, b the means of N/2 exponential variates each: variance 1/4 (2/N + 2/N) = 1/N at a = b.
        standard_error=float(np.sqrt(1.0 / n_independent)),
        source=f"measured on {samples.shape[0]} noise readouts",
    )


def is_coloured(bandwidth: Bandwidth, warnings: list[str]) -> bool:
    """Return whether noise differs from column to column of the image, and say so."""
    if abs(bandwidth.ratio - 1.0) <= WHITE_WITHIN * bandwidth.standard_error:
        return False
    warnings.append(
        f"The receiver filter (noise bandwidth ratio {bandwidth.ratio:.3f}) reaches into the image, which was not "
        "oversampled along the readout: noise differs from column to column and is corrected column by column."
    )
    return True


def column_power_of(samples: Complex, n_band: int, n_kept: int) -> NDArray[np.float64]:
    """Return the noise power of the central `n_kept` of `n_band` columns relative to the mean over the band.

    The measured spectrum, smoothed over 1/16 of the band; its shape belongs to the receiver's digital filter, which
    scales with the bandwidth.
    """
    spectrum = _spectrum(samples)
    spectrum = spectrum / spectrum.mean()
    width = max(3, len(spectrum) // 16)
    kernel = np.hanning(width + 2)[1:-1]
    padded = np.concatenate([spectrum[-width:], spectrum, spectrum[:width]])
    smooth = np.convolve(padded, kernel / kernel.sum(), mode="same")[width:-width]
    band = (np.arange(len(smooth)) - len(smooth) // 2) / len(smooth)
    start = n_band // 2 - n_kept // 2
    columns = (np.arange(start, start + n_kept) - n_band // 2) / n_band
    power: NDArray[np.float64] = np.interp(columns, band, smooth)
    return power


def coils_per_independent_one(samples: Complex) -> float:
    """Return how many coils there are for each uncorrelated one."""
    return float(samples.shape[1] / _independent_coils(samples))


def _spectrum(samples: Complex) -> NDArray[np.float64]:
    """Return the mean power spectrum, (sample,), centred, coils weighted to equal power."""
    power = np.zeros(samples.shape[2])
    scale = np.sqrt(np.mean(np.abs(samples) ** 2, axis=(0, 2), dtype=np.float64))
    for readout in samples:
        band = fourier.to_image(readout.astype(np.complex128) / scale[:, None], axes=(-1,))
        power += np.mean(np.abs(band) ** 2, axis=0)
    spectrum: NDArray[np.float64] = power / samples.shape[0]
    return spectrum


def _independent_coils(samples: Complex) -> float:
    """Return how many uncorrelated coils carry as much information: n^2 over the sum of squared correlations."""
    psi = covariance(samples)
    sigma = np.sqrt(np.diagonal(psi).real)
    correlation = np.abs(psi / np.outer(sigma, sigma)) ** 2
    return float(len(psi) ** 2 / correlation.sum())
