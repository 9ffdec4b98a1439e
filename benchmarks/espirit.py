"""Coil maps against the floor under them: one FFT of all coils."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.fft

from benchmarks.timing import Timing, compare
from mroptimum.coils import CalibrationRegion
from mroptimum.coils.espirit import espirit
from mroptimum.coils.inati import inati
from mroptimum.coils.walsh import walsh
from mroptimum.convention import Complex
from mroptimum.fourier import to_kspace

ROUNDS = 5


def measure(n_coils: int, n: int) -> list[Timing]:
    """Time the coil maps of one slice of n x n from n_coils coils, complex64, 24 x 24 calibration samples."""
    kspace = to_kspace(_coil_images(n_coils, n)).astype(np.complex64)
    contestants: dict[str, Callable[[], object]] = {
        f"FFT of {n_coils} coils, {n} x {n}": lambda: scipy.fft.ifft2(kspace, workers=2),
        "apodised maps": lambda: _region(kspace).image,
        "ESPIRiT": lambda: espirit(_region(kspace)),
        "Walsh": lambda: walsh(_region(kspace)),
        "Inati": lambda: inati(_region(kspace)),
    }
    return compare(contestants, rounds=ROUNDS)


def _region(kspace: Complex) -> CalibrationRegion:
    """Return a new region each time, since it keeps its image."""
    return CalibrationRegion(kspace=kspace, widths=(24, 24), noise_sd=1.0)


def _coil_images(n_coils: int, n: int) -> Complex:
    """Return images (coil, y, x) of a disk seen by coils around it, SNR about 50."""
    y, x = np.meshgrid(np.linspace(-1, 1, n), np.linspace(-1, 1, n), indexing="ij")
    angle = 2 * np.pi * np.arange(n_coils)[:, None, None] / n_coils
    sensitivities = np.exp(-((x - 1.3 * np.cos(angle)) ** 2) - (y - 1.3 * np.sin(angle)) ** 2 + 1j * x * np.cos(angle))
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(2, n_coils, n, n)) / np.sqrt(2)
    images: Complex = 40 * sensitivities * (x**2 + y**2 < 0.6) + noise[0] + 1j * noise[1]
    return images
