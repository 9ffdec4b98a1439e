"""Missing lines filled in by a GRAPPA kernel, column by column of the image.

Along x the kernel is a convolution of whole readouts, so a product in the image. Along y it stays in k-space, where
there is one line in R to predict from: ky (R - 1) / R products of coils x coils a voxel, against kx with the kernel
transformed along both axes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft

from mroptimum import fourier
from mroptimum.convention import Complex
from mroptimum.reconstruction.comb import Comb
from mroptimum.reconstruction.grappa_kernel import GrappaKernel


@dataclass(frozen=True, kw_only=True)
class Filling:
    """The comb's lines of one slice, (coil, line, x), transformed along x, ready to be filled by `kernel`.

    Before and after them are the lines that the kernel also reaches: those of the other end where the comb closes on
    itself, zeros elsewhere.
    """

    kernel: GrappaKernel
    comb: Comb
    lines: Complex

    @classmethod
    def of(cls, kernel: GrappaKernel, comb: Comb, lines: Complex) -> Filling:
        """Transform the comb's lines (coil, line, x) along x."""
        before, n_source_lines = kernel.shape.n_lines_before, kernel.shape.size[1]
        beyond = ((0, 0), (before + 1, n_source_lines - 1 - before), (0, 0))
        along_x = fourier.to_image(lines, axes=(-1,))
        return cls(
            kernel=kernel, comb=comb, lines=np.pad(along_x, beyond, mode="wrap" if comb.is_closed else "constant")
        )

    @property
    def columns_per_block(self) -> int:
        """How many columns fill the cache; a constant of the algorithm for a number of coils."""
        return max(1, 128 // self.kernel.n_coils)

    def kernel_at(self, columns: slice) -> Complex:
        """Return the kernel in some columns, (x, target, coil, source coil, line)."""
        return self.kernel.at_columns(columns, self.lines.shape[-1], self.lines.dtype)

    def coil_images(self, columns: slice, kernel: Complex) -> Complex:
        """Return coil images (x, coil, y) of some columns, given the kernel there; y runs round from the centre."""
        images: Complex = scipy.fft.ifft(self.filled(columns, kernel), axis=-1, norm="ortho")
        return images

    def filled(self, columns: slice, kernel: Complex) -> Complex:
        """Return the lines of some columns, (x, coil, y), y those of k-space: acquired ones and filled-in ones.

        Gap 0 lies before the first line of the comb, so that whatever line the grid holds is in some gap.
        """
        lines = np.ascontiguousarray(self.lines[..., columns].transpose(2, 0, 1))
        n_columns, n_targets, n_coils, _, n_source_lines = kernel.shape
        n_gaps, before = self.comb.n_lines + 1, self.kernel.shape.n_lines_before
        by_line = np.ascontiguousarray(kernel.transpose(4, 0, 1, 2, 3)).reshape(n_source_lines, n_columns, -1, n_coils)
        targets = by_line[0] @ lines[..., :n_gaps]
        for line in range(1, n_source_lines):
            targets += by_line[line] @ lines[..., line : line + n_gaps]
        gaps = np.empty((n_columns, n_coils, n_gaps, 1 + n_targets), dtype=lines.dtype)
        gaps[..., 0] = lines[..., before : before + n_gaps]
        gaps[..., 1:] = targets.reshape(n_columns, n_targets, n_coils, n_gaps).transpose(0, 2, 3, 1)
        start = self.comb.acceleration - self.comb.first
        grid: Complex = gaps.reshape(n_columns, n_coils, -1)[..., start : start + self.comb.n_y]
        return grid
