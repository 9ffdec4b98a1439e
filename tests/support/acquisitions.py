"""Acquisitions made in memory, for tests that need values rather than files."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mroptimum.rawdata.acquisition import Acquisition, FileFormat, NoiseScan


def white_noise(
    rng: np.random.Generator,
    shape: tuple[int, ...],
    psi: NDArray[np.complex128],
    *,
    band: NDArray[np.float64] | None = None,
) -> NDArray[np.complex64]:
    """Noise of covariance `psi` between coils, axis -2 the coils, axis -1 the samples.

    `band` is the amplitude response over the receive band, centred, of mean square 1: coloured noise.
    """
    noise = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)
    if band is not None:
        spectrum = np.fft.fft(noise, axis=-1, norm="ortho") * np.fft.ifftshift(band)
        noise = np.fft.ifft(spectrum, axis=-1, norm="ortho")
    coloured: NDArray[np.complex64] = (np.linalg.cholesky(psi) @ noise).astype(np.complex64)
    return coloured


def acquisition(
    kspace: NDArray[np.complex64],
    *,
    oversampling: float = 1.0,
    dwell_time_s: float | None = 5e-6,
    sampled: NDArray[np.bool_] | None = None,
    acceleration: int = 1,
    noise: NoiseScan | None = None,
    is_oversampling_known: bool = True,
) -> Acquisition:
    """An acquisition of k-space (average, repetition, slice, coil, z, y, x)."""
    return Acquisition(
        kspace=kspace,
        sampled=np.ones(kspace.shape[4:6], dtype=np.bool_) if sampled is None else sampled,
        file_format=FileFormat.NPZ,
        dwell_time_s=dwell_time_s,
        readout_oversampling=oversampling,
        acceleration=(acceleration, 1),
        noise=noise,
        is_oversampling_known=is_oversampling_known,
    )
