"""Data to measure with: a disk seen by coils around it, SNR about 50, noise of power 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mroptimum import fourier
from mroptimum.convention import Complex

N_CALIBRATION = 24
"""Samples of the calibration region along each axis."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """K-space (coil, y, x), complex64, the maps of its coils, of unit norm, and where the object is, (y, x)."""

    kspace: NDArray[np.complex64]
    maps: NDArray[np.complex64]
    inside: NDArray[np.bool_]

    @property
    def n_coils(self) -> int:
        """The number of coils."""
        return len(self.kspace)

    def every(self, acceleration: int) -> NDArray[np.bool_]:
        """Return which lines (y,) a scan of this acceleration has."""
        lines: NDArray[np.bool_] = np.arange(self.kspace.shape[1]) % acceleration == 0
        return lines

    @property
    def central(self) -> NDArray[np.bool_]:
        """Which lines (y,) calibrate."""
        n_y = self.kspace.shape[1]
        lines: NDArray[np.bool_] = np.abs(np.arange(n_y) - n_y // 2 + 0.5) < N_CALIBRATION / 2
        return lines

    def only(self, lines: NDArray[np.bool_]) -> NDArray[np.complex64]:
        """Return k-space with zeros beside some lines."""
        return np.where(lines[:, None], self.kspace, np.complex64(0))


def scene(n_coils: int, n: int) -> Scene:
    """Return n x n samples of n_coils coils."""
    y, x = np.meshgrid(np.linspace(-1, 1, n), np.linspace(-1, 1, n), indexing="ij")
    angle = 2 * np.pi * np.arange(n_coils)[:, None, None] / n_coils
    coils: Complex = np.exp(-((x - 1.3 * np.cos(angle)) ** 2) - (y - 1.3 * np.sin(angle)) ** 2 + 1j * x * np.cos(angle))
    inside = x**2 + y**2 < 0.6
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(2, n_coils, n, n)) / np.sqrt(2)
    images = 40 * coils * inside + noise[0] + 1j * noise[1]
    return Scene(
        kspace=fourier.to_kspace(images).astype(np.complex64),
        maps=(coils / np.sqrt(np.sum(np.abs(coils) ** 2, axis=0))).astype(np.complex64),
        inside=inside,
    )
