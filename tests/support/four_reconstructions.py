"""Every reconstruction of one scene, built from its true maps or its own calibration lines, coils whitened by NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mroptimum.coils import CoilMaps
from mroptimum.convention import Complex
from mroptimum.reconstruction import Reconstruction
from mroptimum.reconstruction.b1 import B1Weighted
from mroptimum.reconstruction.grappa import grappa
from mroptimum.reconstruction.grappa_kernel import calibrate
from mroptimum.reconstruction.rss import RootSumOfSquares
from mroptimum.reconstruction.sense import sense
from scenes import Scene

NAMES = ("rss", "b1", "sense", "grappa")
UNFOLDING = ("sense", "grappa")


@dataclass(frozen=True, kw_only=True)
class Comb:
    """Every `acceleration`-th line from `first` on."""

    acceleration: int = 1
    first: int = 0

    def lines(self, n_y: int) -> NDArray[np.bool_]:
        return np.asarray(np.arange(n_y) % self.acceleration == self.first % self.acceleration)


@dataclass(frozen=True, kw_only=True)
class Built:
    """A reconstruction and the whitened k-space (coil, y, x) it is for, zero between the lines of its comb."""

    reconstruction: Reconstruction
    kspace: Complex


def centre(n_y: int, width: int) -> NDArray[np.bool_]:
    """Return which lines (y,) are the `width` central ones."""
    lines = np.arange(n_y)
    start = n_y // 2 - width // 2
    return (lines >= start) & (lines < start + width)


def build(
    name: str,
    scene: Scene,
    comb: Comb | None = None,
    *,
    dtype: Any = np.complex128,
    n_calibration: int | None = None,
    kernel_size: tuple[int, int] | None = None,
    noise: NDArray[np.complex128] | None = None,
) -> Built:
    """Build a reconstruction by name.

    `n_calibration` central lines (None: all) make the kernel; `noise`, (coil, y, x), is that of the coils as recorded.
    """
    comb = comb or Comb()
    n_coils, n_y, n_x = scene.shape
    inverse = np.linalg.inv(np.linalg.cholesky(scene.psi))
    recorded = scene.kspace() if noise is None else scene.kspace() + noise
    full = np.einsum("cd,dyx->cyx", inverse, recorded)
    lines = comb.lines(n_y)
    kspace = np.where(lines[:, None], full, 0).astype(dtype)
    if name == "rss":
        return Built(reconstruction=RootSumOfSquares(n_coils=n_coils), kspace=kspace)
    if name == "grappa":
        acs = centre(n_y, n_y if n_calibration is None else n_calibration)
        calibration = np.where(acs[:, None], full, 0).astype(dtype)
        kernel = calibrate(calibration, acs, comb.acceleration, size=kernel_size)
        return Built(reconstruction=grappa(kernel, kspace, lines), kspace=kspace)
    maps = np.einsum("cd,dyx->cyx", inverse, scene.s)
    maps = (maps / np.linalg.norm(maps, axis=0)).astype(dtype)
    coils = CoilMaps(maps=maps, mask=np.ones((n_y, n_x), dtype=np.bool_), method="true")
    made = B1Weighted(coils) if name == "b1" else sense(coils, lines, comb.acceleration)
    return Built(reconstruction=made, kspace=kspace)
