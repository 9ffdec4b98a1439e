"""Coil maps against the floor under them: one FFT of all coils."""

from __future__ import annotations

from collections.abc import Callable

import scipy.fft

from benchmarks.scene import N_CALIBRATION, scene
from benchmarks.timing import Timing, compare
from mroptimum.coils import CalibrationRegion
from mroptimum.coils.espirit import espirit
from mroptimum.coils.inati import inati
from mroptimum.coils.walsh import walsh
from mroptimum.convention import Complex

ROUNDS = 5


def measure(n_coils: int, n: int) -> list[Timing]:
    """Time the coil maps of one slice of n x n from n_coils coils, complex64, 24 x 24 calibration samples."""
    kspace = scene(n_coils, n).kspace
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
    return CalibrationRegion(kspace=kspace, widths=(N_CALIBRATION, N_CALIBRATION), noise_sd=1.0)
