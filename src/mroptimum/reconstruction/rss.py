"""Root of the sum of squares of whitened coil images."""

from __future__ import annotations

from dataclasses import dataclass

from mroptimum import fourier
from mroptimum.coils import root_sum_of_squares
from mroptimum.convention import Complex, Real
from mroptimum.reconstruction import PlainCombination


@dataclass(frozen=True, kw_only=True)
class RootSumOfSquares:
    """``sqrt(p^H Psi^-1 p)``: a magnitude, so its noise is that of the coil images to first order only.

    Noise raises the SNR S of a magnitude of n coils by about ``(2 n - 1) / (2 S)``: 1 % is left at S = 7 with one coil,
    27 with 8, 56 with 32. Below, an SNR from replicas differs by definition. Sources: Kellman & McVeigh 2005,
    10.1002/mrm.20713, eq. 5; Constantinides 1997, 10.1002/mrm.1910380524.
    """

    n_coils: int
    noise_sd: float = 1.0
    g_factor: None = None
    is_linear: bool = False

    @property
    def combination(self) -> PlainCombination:
        """The coils as they are."""
        return PlainCombination(n_outputs=self.n_coils)

    def coil_images(self, kspace: Complex) -> Complex:
        """Transform whitened k-space (coil, y, x) to coil images of the same shape."""
        return fourier.to_image(kspace)

    def image(self, kspace: Complex) -> Real:
        """Reconstruct whitened k-space (coil, y, x) to a magnitude image (y, x)."""
        return root_sum_of_squares(fourier.to_image(kspace))
