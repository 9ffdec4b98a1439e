"""Scans and images of noise alone, of one covariance, and what their noise is by counting with np.fft."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acquisitions import acquisition, white_noise
from mroptimum.rawdata.acquisition import Acquisition, NoiseScan
from scenes import build_scene

PSI = build_scene(5, 4, 4).psi
SHAPE = (1, 1, 1, 5, 1, 64, 128)


def scan(samples: NDArray[np.complex64], **more: float | None) -> NoiseScan:
    return NoiseScan(samples=samples, dwell_time_s=more.get("dwell_time_s", 5e-6), origin="test")


def noise_only(rng: np.random.Generator, shape: tuple[int, ...] = SHAPE, **more: object) -> Acquisition:
    """An acquisition whose image is nothing but noise of covariance PSI in every voxel."""
    samples = white_noise(rng, (*shape[:3], *shape[4:6], shape[3], shape[6]), PSI)
    return acquisition(np.ascontiguousarray(np.moveaxis(samples, -2, 3)), **more)  # type: ignore[arg-type]


def image_noise(kept: int, acq: Acquisition) -> NDArray[np.complex128]:
    """Covariance of the coil images of the mean of all averages, by np.fft alone, (coil, coil)."""
    lines = acq.kspace.mean(axis=0, dtype=np.complex128)[0, 0, :, 0]
    image = np.fft.fftshift(np.fft.ifft2(lines, norm="ortho"), axes=-1)
    start = image.shape[-1] // 2 - kept // 2
    flat = image[..., start : start + kept].reshape(len(image), -1)
    psi: NDArray[np.complex128] = flat @ flat.conj().T / flat.shape[1]
    return psi


def close(found: NDArray[np.complex128], true: NDArray[np.complex128], n_samples: int) -> bool:
    """Whether two covariances agree in total power within 5 standard errors of n_samples x coils values."""
    ratio = float(np.trace(np.linalg.solve(true, found)).real) / len(true)
    return bool(abs(ratio - 1) < 5 / np.sqrt(n_samples * len(true)))


def receiver(n: int) -> tuple[NDArray[np.float64], float]:
    """A filter flat in the centre half, rolling off to the sides, of mean square 1; and its bandwidth ratio."""
    band = np.clip(1.9 - 1.8 * np.abs(np.linspace(-1, 1, n, endpoint=False)), 0, 1)
    ratio = float(np.mean(band**2))
    return band / np.sqrt(ratio), ratio
