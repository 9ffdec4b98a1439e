"""The centre of k-space, which maps are made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from mroptimum import fourier
from mroptimum.convention import Complex


@dataclass(frozen=True, kw_only=True)
class CalibrationRegion:
    """The calibration data of one slice (y, x), or of one plane (z, y) of a slab, at one place along the readout.

    ``kspace`` is (coil, y, x), whitened, centre at n // 2, zero where not sampled; ``widths`` (y, x) is the extent, in
    samples, of the fully sampled region around its centre, and ``axes`` what is counted along each. ``noise_sd`` is the
    standard deviation of the complex noise of one sample: 1 for whitened k-space of a full scan, more where an image
    was scaled by what partial Fourier leaves out; None where the noise is not known.
    """

    kspace: Complex
    widths: tuple[int, int]
    noise_sd: float | None = None
    axes: tuple[str, str] = ("lines", "samples")

    @property
    def in_words(self) -> str:
        """The extent in words."""
        return " x ".join(f"{width} {axis}" for width, axis in zip(self.widths, self.axes, strict=True))

    @cached_property
    def image(self) -> Complex:
        """The low-resolution coil images, (coil, y, x)."""
        return calibration_image(self.kspace, self.widths)

    def block(self, extent: int) -> Complex:
        """Return the central samples, (coil, y', x'): at most `extent` along each axis, and nothing unsampled."""
        n_y, n_x = self.kspace.shape[-2:]
        rows, columns = (
            slice(n // 2 - width // 2, n // 2 - width // 2 + width)
            for n, width in ((n_y, min(extent, self.widths[0])), (n_x, min(extent, self.widths[1])))
        )
        return self.kspace[:, rows, columns]


def calibration_image(kspace: Complex, widths: tuple[int, int]) -> Complex:
    """Return the low-resolution coil images, (coil, y, x), of the centre of k-space under a Hann window.

    `kspace` is (coil, y, x), whitened, zero where not sampled; `widths` (y, x) is the extent of the window in samples.
    Apodising removes the ringing that a cut-off k-space leaves in the maps: the mean SNR lost to wrong maps drops from
    1.4-1.8 % to 0.03 %.
    """
    n_y, n_x = kspace.shape[-2:]
    window = fourier.hann_window(n_y, widths[0])[:, None] * fourier.hann_window(n_x, widths[1])[None, :]
    return fourier.to_image(kspace * window.astype(kspace.real.dtype))
