"""Analytic SNR: the noise is propagated through the reconstruction in closed form."""

from __future__ import annotations

import numpy as np

from mroptimum.convention import Complex, Real, snr
from mroptimum.reconstruction import Reconstruction


def analytic_snr(reconstruction: Reconstruction, kspace: Complex) -> tuple[Real, Complex | Real]:
    """Return the SNR map (y, x) and the image (y, x) of whitened k-space (coil, y, x).

    ``SNR = sqrt(2) |image| / sd`` with the reconstruction's own complex noise sd; 0 where it gives no image.
    """
    image = reconstruction.image(kspace)
    return snr(np.abs(image), reconstruction.noise_sd), image
