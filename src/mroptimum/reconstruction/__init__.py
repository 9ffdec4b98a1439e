"""Reconstructions: how coil images become one image, and what that does to the noise.

Each is built for one slice and then applied to whitened k-space, (coil, y, x); whitened noise has power 1, so the noise
of the image follows from the reconstruction alone. A reconstruction is two steps: unitary transforms of the sampled
lines to coil images, which leave white noise white, and a combination of those images voxel by voxel. Whoever needs
noise with the law of the image (`mroptimum.snr`) can therefore start after the first step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mroptimum.convention import Complex, Real


class Combination(Protocol):
    """Voxel by voxel from coil images (coil, y', x) to image (y, x), where several y may come from one y'.

    ``n_outputs`` numbers come out of each (y', x): ``n_folds`` voxels of ``n_outputs // n_folds`` numbers each. One
    number a voxel makes the reconstruction linear; of several the root of the sum of squares is taken.
    """

    @property
    def n_outputs(self) -> int:
        """How many numbers each (y', x) gives."""

    @property
    def n_folds(self) -> int:
        """How many voxels each (y', x) gives."""

    def matrices(self, columns: slice) -> Complex | None:
        """Return the factors (x, y', output, coil) of some columns; None: the coils themselves are the outputs."""

    def spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """Put values (fold, y', x) where their voxels are, (y, x)."""


class Reconstruction(Protocol):
    """A reconstruction of one slice, with its noise propagation."""

    @property
    def noise_sd(self) -> Real | float:
        """Standard deviation of the complex noise of the image, (y, x), for k-space noise of power 1."""

    @property
    def g_factor(self) -> Real | None:
        """Noise amplification by unfolding, (y, x); None for a reconstruction that does not unfold."""

    @property
    def is_linear(self) -> bool:
        """Whether the image is a linear function of k-space (False: a magnitude)."""

    @property
    def combination(self) -> Combination | None:
        """The step after the coil images; None where a voxel needs more than its own (y', x)."""

    def coil_images(self, kspace: Complex) -> Complex:
        """Transform whitened k-space (coil, y, x) to coil images (coil, y', x) in which white noise has power 1."""

    def image(self, kspace: Complex) -> Complex | Real:
        """Reconstruct whitened k-space (coil, y, x) of the full grid, zero where not sampled, to (y, x)."""


@dataclass(frozen=True, kw_only=True)
class PlainCombination:
    """No folding: each voxel from the coil images at its own place, with weights (coil, y, x), or as they are."""

    n_outputs: int
    weights: Complex | None = None
    n_folds: int = 1

    def matrices(self, columns: slice) -> Complex | None:
        """Return the weights of some columns as (x, y, 1, coil); None: the coils are the outputs."""
        if self.weights is None:
            return None
        return np.ascontiguousarray(self.weights[..., columns].transpose(2, 1, 0))[:, :, None, :]

    def spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the only fold."""
        only: NDArray[Any] = values[0]
        return only
