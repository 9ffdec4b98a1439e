"""GRAPPA with its kernel, noise and g-factor, against the floor under it: one FFT of all coils."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.fft

from benchmarks.timing import Timing, compare
from mroptimum.noise import whiten
from mroptimum.reconstruction.grappa import grappa
from mroptimum.reconstruction.grappa_kernel import calibrate
from mroptimum.snr import SnrMap
from mroptimum.snr.analytic import analytic_snr

N_CALIBRATION_LINES = 24
SIZE = (5, 4)


def measure(n_coils: int, n: int) -> list[Timing]:
    """Time one slice of n x n from n_coils coils, complex64: whitening, a kernel of 5 x 4, image, noise, g."""
    rng = np.random.default_rng(1)
    kspace = (rng.normal(size=(n_coils, n, n)) + 1j * rng.normal(size=(n_coils, n, n))).astype(np.complex64)
    kspace /= (1 + np.abs(np.arange(n, dtype=np.float32) - n // 2))[:, None]
    white = np.tril(np.eye(n_coils) + 0.1 * rng.normal(size=(n_coils, n_coils))).astype(np.complex128)
    central = np.abs(np.arange(n) - n // 2 + 0.5) < N_CALIBRATION_LINES / 2

    def whole(acceleration: int, calibration: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> SnrMap:
        whitened = whiten(kspace, white)
        kernel = calibrate(whitened, calibration, acceleration, size=SIZE)
        return analytic_snr(grappa(kernel, whitened, np.arange(n) % acceleration == 0), whitened)

    contestants: dict[str, Callable[[], object]] = {
        f"FFT of {n_coils} coils, {n} x {n}": lambda: scipy.fft.ifft2(kspace, workers=2),
        f"GRAPPA kernel R = 2, {N_CALIBRATION_LINES} lines": lambda: calibrate(kspace, central, 2, size=SIZE),
        "AC GRAPPA R = 2, with g": lambda: whole(2, central),
        "AC GRAPPA R = 3, with g": lambda: whole(3, central),
    }
    return compare(contestants)
