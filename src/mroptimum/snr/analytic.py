"""Analytic SNR: the noise is propagated through the reconstruction in closed form."""

from __future__ import annotations

import numpy as np

from mroptimum.convention import Complex, Real, snr
from mroptimum.reconstruction import Reconstruction
from mroptimum.snr import SnrMap


def analytic_snr(reconstruction: Reconstruction, kspace: Complex, column_sd: Real | float = 1.0) -> SnrMap:
    """Return the SNR of whitened k-space (coil, y, x).

    ``SNR = sqrt(2) |image| / sd`` with the reconstruction's own complex noise sd times `column_sd`, (x,), the noise of
    each column relative to the whitened; 0 where there is no image.
    """
    image = reconstruction.image(kspace)
    amplitude = np.abs(image)
    noise_sd: Real = np.broadcast_to(reconstruction.noise_sd * column_sd, amplitude.shape).astype(amplitude.dtype)
    return SnrMap(snr=snr(amplitude, noise_sd), image=image, noise_sd=noise_sd)
