"""Samples of noise alone: their covariance between coils, and which samples are refused."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mroptimum.convention import Complex
from mroptimum.errors import NoiseError
from mroptimum.rawdata.acquisition import Complex64

Covariance = NDArray[np.complex128]

MIN_SAMPLES_PER_COIL = 50
"""Below this many samples a coil, the SNR is biased by more than 1 % (sqrt(N / (N - n_coils)))."""
_RECORD_AGAIN = "Check the coil's connection and record the noise scan again."


def covariance(samples: Complex) -> Covariance:
    """Return ``Psi = (1/N) sum n n^H``, (coil, coil), float64 accuracy, of samples (readout, coil, sample)."""
    n_coils = samples.shape[1]
    psi = np.zeros((n_coils, n_coils), dtype=np.complex128)
    for readout in samples:
        n = readout.astype(np.complex128)
        psi += n @ n.conj().T
    psi /= samples.shape[0] * samples.shape[2]
    return psi


def checked_covariance(samples: Complex64, coil_names: tuple[str, ...], warnings: list[str]) -> tuple[Covariance, int]:
    """Return Psi, (coil, coil), and the number of samples it comes from; add to `warnings` where these are few.

    `samples` is (readout, coil, sample). Raises `NoiseError` for a coil without noise, for values that are not finite,
    and for fewer samples than coils.
    """
    if not np.all(np.isfinite(samples)):
        raise NoiseError("The noise samples are not finite numbers.", _RECORD_AGAIN)
    psi = covariance(samples)
    n_coils, n_samples = len(psi), samples.shape[0] * samples.shape[2]
    power = np.diagonal(psi).real
    dead = [coil_names[c] if c < len(coil_names) else f"{c + 1}" for c in np.flatnonzero(power <= 0)]
    if dead:
        raise NoiseError(f"No noise was received by coil {', '.join(dead)}.", _RECORD_AGAIN)
    if n_samples <= n_coils:
        raise NoiseError(
            f"{n_samples} noise samples cannot give the covariance of {n_coils} coils.",
            "Record a longer noise scan.",
        )
    if n_samples < MIN_SAMPLES_PER_COIL * n_coils:
        bias = np.sqrt(n_samples / (n_samples - n_coils)) - 1.0
        warnings.append(
            f"Only {n_samples} noise samples for {n_coils} coils: SNR is overestimated by about {100 * bias:.1f} %."
        )
    return psi, n_samples


def dc_fraction(samples: Complex) -> float:
    """Return the part of the samples' power that is a constant offset of each coil."""
    offset = np.abs(samples.mean(axis=(0, 2), dtype=np.complex128)) ** 2
    return float(offset.sum() / np.mean(np.abs(samples) ** 2, axis=(0, 2), dtype=np.float64).sum())
