"""Reconstructions: how coil images become one image, and what that does to the noise.

Each is built for one slice and then applied to whitened k-space, (coil, y, x); whitened noise has power 1, so the noise
of the image follows from the reconstruction alone.
"""

from __future__ import annotations

from typing import Protocol

from mroptimum.convention import Complex, Real


class Reconstruction(Protocol):
    """A reconstruction of one slice, with its noise propagation."""

    @property
    def noise_sd(self) -> Real | float:
        """Standard deviation of the complex noise of the image, (y, x), for k-space noise of power 1."""

    @property
    def g_factor(self) -> Real | None:
        """Noise amplification by unfolding, (y, x); None for a reconstruction that does not unfold."""

    def image(self, kspace: Complex) -> Complex | Real:
        """Reconstruct whitened k-space (coil, y, x) of the full grid, zero where not sampled, to (y, x)."""
