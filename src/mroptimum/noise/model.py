"""The noise of an image's voxel, and how it was found."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mroptimum.convention import ScaleChain
from mroptimum.noise.receive_band import Bandwidth
from mroptimum.noise.samples import Covariance


@dataclass(frozen=True, kw_only=True)
class NoiseModel:
    """The noise of one voxel of an unaccelerated, unaveraged-over-coils image.

    ``covariance`` is (coil, coil), complex, in the units of the image squared: Psi of the samples times
    ``chain.power``. ``column_power`` is the power along x relative to that (None: the same everywhere).
    ``sample_covariance`` is Psi of the samples alone; ``n_samples`` their number; ``dc_fraction`` the part of their
    power that is a constant offset.
    """

    covariance: Covariance
    sample_covariance: Covariance
    n_samples: int
    dc_fraction: float
    chain: ScaleChain
    origin: str
    bandwidth: Bandwidth | None = None
    column_power: NDArray[np.float64] | None = None
    warnings: tuple[str, ...] = field(default=())

    @property
    def sigma(self) -> NDArray[np.float64]:
        """Standard deviation of the complex noise of each coil, (coil,), in image units."""
        return np.sqrt(np.diagonal(self.covariance).real)

    @property
    def correlation(self) -> Covariance:
        """Noise correlation coefficients, (coil, coil), complex, 1 on the diagonal."""
        matrix: Covariance = self.covariance / np.outer(self.sigma, self.sigma)
        return matrix
