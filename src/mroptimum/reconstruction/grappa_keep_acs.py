"""GRAPPA whose calibration lines are put back: the image has them instead of what the kernel would fill in there.

That lowers the noise of the centre of k-space, and makes every voxel of a column depend on all others, so that there is
no closed form for the noise, no g-factor, and no drawing of replicas voxel by voxel: replicas of k-space measure it.
Noise goes to the lines put back as it does to the comb's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from mroptimum import fourier
from mroptimum.coils import root_sum_of_squares
from mroptimum.convention import Complex, Real
from mroptimum.errors import ReconstructionError
from mroptimum.reconstruction.comb import Comb
from mroptimum.reconstruction.grappa_filling import Filling
from mroptimum.reconstruction.grappa_kernel import GrappaKernel


@dataclass(frozen=True, kw_only=True)
class GrappaKeepingAcs:
    """The reconstruction of one slice by `kernel`, a magnitude, with the lines `kept`, (y,), beside the comb's."""

    kernel: GrappaKernel
    comb: Comb
    kept: NDArray[np.bool_]
    is_linear: bool = False
    g_factor: None = None
    combination: None = None

    @classmethod
    def of(cls, kernel: GrappaKernel, sampled: NDArray[np.bool_], calibrating: NDArray[np.bool_]) -> GrappaKeepingAcs:
        """Build it for lines `sampled`, (y,), of a regular comb, and lines `calibrating`, of which any may be in both.

        Raises `ReconstructionError` for an irregular comb.
        """
        comb = Comb.of(sampled, kernel.shape.acceleration)
        return cls(kernel=kernel, comb=comb, kept=calibrating & ~sampled)

    @property
    def noise_sd(self) -> Real:
        """There is no closed form; raises `ReconstructionError`."""
        raise ReconstructionError(
            "The noise of an image whose calibration lines were put back has no closed form.",
            "Choose pmr, mr or cr, or leave out keepAcs.",
        )

    def coil_images(self, kspace: Complex) -> Complex:
        """Reconstruct whitened k-space (coil, y, x), the lines `kept` among them, to coil images of the same shape."""
        filling = Filling.of(self.kernel, self.comb, self.comb.lines(kspace))
        kept = fourier.to_image(kspace[:, self.kept], axes=(-1,))
        images = np.empty(kspace.shape, dtype=filling.lines.dtype)
        for start in range(0, kspace.shape[-1], filling.columns_per_block):
            columns = slice(start, start + filling.columns_per_block)
            lines = filling.filled(columns, filling.kernel_at(columns))
            lines[..., self.kept] = kept[..., columns].transpose(2, 0, 1)
            images[..., columns] = scipy.fft.ifft(lines, axis=-1, norm="ortho").transpose(1, 2, 0)
        return np.fft.fftshift(images, axes=-2)

    def image(self, kspace: Complex) -> Real:
        """Reconstruct the same to a magnitude (y, x), the root of the sum of squares of the coil images."""
        return root_sum_of_squares(self.coil_images(kspace))
