"""B1-weighted combination: the linear combination of coil images with the best SNR, given coil maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mroptimum import fourier
from mroptimum.coils import CoilMaps, inner_product
from mroptimum.convention import Complex
from mroptimum.reconstruction import PlainCombination


@dataclass(frozen=True)
class B1Weighted:
    """``m = s^H Psi^-1 p / sqrt(s^H Psi^-1 s)``, with noise of power 1 inside the object.

    Source: Roemer 1990, 10.1002/mrm.1910160203; Kellman & McVeigh 2005, 10.1002/mrm.20713. The maps of `CoilMaps` are
    whitened and of unit norm, so the weights are their conjugates.
    """

    coil_maps: CoilMaps
    g_factor: None = None
    is_linear: bool = True

    @property
    def combination(self) -> PlainCombination:
        """The conjugate maps as weights."""
        return PlainCombination(n_outputs=1, weights=self.coil_maps.maps.conj())

    @property
    def noise_sd(self) -> NDArray[np.floating[Any]]:
        """1 inside the object, 0 (no image) outside, (y, x)."""
        return self.coil_maps.mask.astype(self.coil_maps.maps.real.dtype)

    def coil_images(self, kspace: Complex) -> Complex:
        """Transform whitened k-space (coil, y, x) to coil images of the same shape."""
        return fourier.to_image(kspace)

    def image(self, kspace: Complex) -> Complex:
        """Reconstruct whitened k-space (coil, y, x) to a complex image (y, x)."""
        return inner_product(self.coil_maps.maps, fourier.to_image(kspace))
