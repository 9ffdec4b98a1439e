"""Analytic SNR against the floor under it: one FFT of all coils."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.fft

from benchmarks.timing import Timing, compare
from mroptimum.coils import CoilMaps, root_sum_of_squares
from mroptimum.noise import whiten
from mroptimum.reconstruction.b1 import B1Weighted
from mroptimum.reconstruction.rss import RootSumOfSquares
from mroptimum.reconstruction.sense import sense
from mroptimum.snr.analytic import analytic_snr

SIZES = ((8, 256), (32, 256))


def measure(n_coils: int, n: int) -> list[Timing]:
    """Time whitening, reconstruction and SNR of one slice of n x n from n_coils coils, complex64."""
    rng = np.random.default_rng(1)
    kspace = (rng.normal(size=(n_coils, n, n)) + 1j * rng.normal(size=(n_coils, n, n))).astype(np.complex64)
    white = np.tril(np.eye(n_coils) + 0.1 * rng.normal(size=(n_coils, n_coils))).astype(np.complex128)
    maps = kspace / root_sum_of_squares(kspace)
    coils = CoilMaps(maps=maps, mask=np.ones((n, n), dtype=np.bool_), method="random")
    lines = np.arange(n) % 2 == 0
    contestants: dict[str, Callable[[], object]] = {
        f"FFT of {n_coils} coils, {n} x {n}": lambda: scipy.fft.ifft2(kspace, workers=2),
        "AC RSS": lambda: analytic_snr(RootSumOfSquares(n_coils=n_coils), whiten(kspace, white)),
        "AC B1": lambda: analytic_snr(B1Weighted(coils), whiten(kspace, white)),
        "AC SENSE R = 2, with g": lambda: analytic_snr(sense(coils, lines, 2), whiten(kspace, white)),
    }
    return compare(contestants)
