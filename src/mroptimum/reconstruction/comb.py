"""Regular undersampling along y: every R-th line, from any first one.

Where R divides the number of lines, the comb closes on itself and R voxels fold onto one; where it does not, it leaves
a gap of another width between its last line and its first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from mroptimum import fourier
from mroptimum.convention import Complex
from mroptimum.errors import ReconstructionError
from mroptimum.threads import n_free

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, kw_only=True)
class Comb:
    """``n_y`` lines of which every `acceleration`-th belongs to the comb, from `first` (less than `acceleration`) on.

    ``acquired`` holds those that were recorded: all, or a run of them (partial Fourier).
    """

    n_y: int
    acceleration: int
    first: int
    acquired: NDArray[np.intp]

    @classmethod
    def of(cls, sampled: NDArray[np.bool_], acceleration: int) -> Comb:
        """Recognise the comb in lines `sampled`, (y,). Raises `ReconstructionError` for irregular sampling."""
        lines = np.flatnonzero(sampled)
        if len(lines) == 0 or np.any(np.diff(lines) != acceleration):
            raise ReconstructionError(
                f"The sampled lines are not one in {acceleration}, at equal distances.",
                "Choose a regularly undersampled scan, or decimate a full one.",
            )
        return cls(n_y=len(sampled), acceleration=acceleration, first=int(lines[0]) % acceleration, acquired=lines)

    @property
    def n_lines(self) -> int:
        """The number of lines of the whole comb, recorded or not."""
        return len(range(self.first, self.n_y, self.acceleration))

    @property
    def is_closed(self) -> bool:
        """Whether the gap from the last line round to the first is as wide as the others, so that voxels fold."""
        return self.n_y % self.acceleration == 0

    @property
    def voxels(self) -> NDArray[np.intp]:
        """Where the voxels of a closed comb are in the full image: y of (fold, y')."""
        n_folded = self.n_y // self.acceleration
        return (np.arange(n_folded) + self.n_y // 2) % n_folded + n_folded * np.arange(self.acceleration)[:, None]

    @property
    def phase(self) -> NDArray[np.complex128]:
        """What takes the folded images' phase away again, (y,)."""
        centre = self.n_y // 2
        distance = np.arange(self.n_y) - centre
        phase: NDArray[np.complex128] = np.exp(2j * np.pi * (self.first - centre) * distance / self.n_y)
        return phase

    def lines(self, kspace: Complex) -> Complex:
        """Return the comb's lines of k-space (coil, y, x), (coil, line, x), as a view."""
        return kspace[:, self.first :: self.acceleration]

    def coil_images(self, kspace: Complex) -> Complex:
        """Transform the comb's lines of k-space (coil, y, x), unitarily, to folded images (coil, y', x).

        Voxel (fold, y') carries the phase ``exp(-2 pi i (first - c)(y - c) / N)``, c the centre, in all coils alike.
        """
        along_x = fourier.to_image(self.lines(kspace), axes=(-1,))
        folded: Complex = scipy.fft.ifft(along_x, axis=-2, norm="ortho", workers=n_free(), overwrite_x=True)
        return folded

    def spread(self, values: NDArray[Scalar]) -> NDArray[Scalar]:
        """Put values (fold, y', x) of a closed comb where their voxels are, (y, x)."""
        full = np.empty((self.n_y, values.shape[-1]), dtype=values.dtype)
        for rows, of_fold in zip(self.voxels, values, strict=True):
            full[rows] = of_fold
        return full
