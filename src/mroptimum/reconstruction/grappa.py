"""GRAPPA: missing lines from their neighbours, and what that does to the noise.

Griswold 2002, 10.1002/mrm.10171; noise and g-factor: Breuer 2009, 10.1002/mrm.22066. A convolution in k-space is a
product in the image: with Z the coil images of the acquired lines alone, the coil images are ``a(y) = W(y) Z(y)``,

    ``W(y) = 1 + sum_d w_d exp(-2 pi i d (y - c) / N)``, d the distance in lines from target to source,

the kernel being transformed along x first. They are combined by the root of the sum of squares, whose noise is, to
first order, that of ``b^H a`` with the weights ``b = a / |a|`` of the data themselves:

    ``variance = |u|^2 n / N``, ``u = b^H W``, ``g = |u| / R`` (N lines, n = N / R acquired).

K-space is periodic, as the DFT has it, where the comb of acquired lines closes on itself. Where R does not divide N it
does not close, and lines beyond the ends count as zero: then lines close to an end reach fewer targets, each has a
``W`` of its own, and the variance is the mean over lines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from mroptimum import fourier
from mroptimum.convention import Complex, Real
from mroptimum.errors import ReconstructionError
from mroptimum.reconstruction.comb import Comb, Scalar
from mroptimum.reconstruction.grappa_kernel import GrappaKernel
from mroptimum.threads import over_blocks

COLUMNS_PER_BLOCK = 4


@dataclass(frozen=True, kw_only=True)
class Grappa:
    """The reconstruction of one slice by `kernel`: a magnitude.

    ``noise_sd`` and ``g_factor``, (y, x), hold for the data it was built with, whose coil images are the weights of the
    combination; they are 0 where the image is. Like any magnitude's, the noise is that of a linear combination only
    where the SNR is above about 5. Calibration lines make the kernel and are not put back.
    """

    kernel: GrappaKernel
    comb: Comb
    noise_sd: Real
    g_factor: Real
    is_linear: bool = False

    @property
    def combination(self) -> GrappaCombination | None:
        """The weights of each group of voxels; None where R does not divide the number of lines."""
        if not self.comb.is_closed:
            return None
        dtype = np.result_type(self.noise_sd, np.complex64)
        return GrappaCombination(kernel=self.kernel, comb=self.comb, n_x=self.noise_sd.shape[1], dtype=dtype)

    def coil_images(self, kspace: Complex) -> Complex:
        """Transform the acquired lines of whitened k-space (coil, y, x) to folded images (coil, y', x)."""
        return self.comb.coil_images(kspace)

    def image(self, kspace: Complex) -> Real:
        """Reconstruct whitened k-space (coil, y, x) to a magnitude (y, x); lines beside the comb are not looked at."""
        # Replicas call this from threads of their own, so it starts none.
        filling = _Filling.of(self.kernel, self.comb, kspace)
        image = np.empty(kspace.shape[1:], dtype=kspace.real.dtype)
        for start in range(0, filling.n_x, COLUMNS_PER_BLOCK):
            columns = slice(start, start + COLUMNS_PER_BLOCK)
            coils = filling.coil_images(columns, filling.kernel_at(columns))
            image[:, columns] = np.sqrt(_power(coils)).T
        return scipy.fft.fftshift(image, axes=0)


def grappa(kernel: GrappaKernel, kspace: Complex, sampled: NDArray[np.bool_]) -> Grappa:
    """Build the reconstruction of one slice and propagate its noise.

    `kspace` is whitened, (coil, y, x); its lines `sampled`, (y,), are every `kernel.acceleration`-th, from any first
    one. The data are needed because the noise of a root of sum of squares depends on them. A comb with lines missing at
    its ends (partial Fourier) is filled like a full one; its noise scale is in the scale chain. Raises
    `ReconstructionError` for an irregular comb, and for a kernel of other coils.
    """
    if kernel.n_coils != len(kspace):
        raise ReconstructionError(
            f"The calibration lines have {kernel.n_coils} coils, the signal {len(kspace)}.",
            "Give calibration lines recorded with the coils of the signal.",
        )
    comb = Comb.of(sampled, kernel.acceleration)
    noise = _Noise.of(kernel, comb, kspace)
    over_blocks(noise.propagate, kspace.shape[-1], COLUMNS_PER_BLOCK)
    sd = scipy.fft.fftshift(np.sqrt(noise.variance), axes=0)
    return Grappa(kernel=kernel, comb=comb, noise_sd=sd, g_factor=sd * sd.dtype.type(np.sqrt(comb.n_lines / comb.n_y)))


@dataclass(frozen=True, kw_only=True)
class GrappaCombination:
    """All coil images of each voxel from the folded ones: ``W`` at the R voxels of a group, over sqrt(R)."""

    kernel: GrappaKernel
    comb: Comb
    n_x: int
    dtype: np.dtype[np.complexfloating]

    @property
    def n_folds(self) -> int:
        """R voxels fold onto one."""
        return self.comb.acceleration

    @property
    def n_outputs(self) -> int:
        """Every coil of every voxel."""
        return self.n_folds * self.kernel.n_coils

    def matrices(self, columns: slice) -> Complex:
        """Return the factors of some columns as (x, y', fold coil, coil)."""
        n_coils = self.kernel.n_coils
        voxels = self.comb.voxels.T.ravel() - self.comb.n_y // 2
        phases = _phases(self.kernel, voxels, self.comb.n_y).astype(self.dtype)
        kernel = self.kernel.at_columns(columns, self.n_x, self.dtype)
        by_distance = kernel.transpose(0, 1, 3, 2, 4).reshape(len(kernel), len(phases), n_coils * n_coils)
        product = phases.T @ by_distance
        weights = product.reshape(len(kernel), -1, n_coils, n_coils)
        weights[..., np.arange(n_coils), np.arange(n_coils)] += 1
        weights /= weights.real.dtype.type(np.sqrt(self.n_folds))
        return weights.reshape(len(kernel), -1, self.n_outputs, n_coils)

    def spread(self, values: NDArray[Scalar]) -> NDArray[Scalar]:
        """Put values (fold, y', x) where their voxels are, (y, x)."""
        return self.comb.spread(values)


def _phases(kernel: GrappaKernel, voxels: NDArray[np.intp], n_y: int) -> NDArray[np.complex128]:
    """Return ``exp(-2 pi i d v / N)``, (target line, voxel), for voxels v counted from the centre."""
    phases: NDArray[np.complex128] = np.exp(-2j * np.pi * np.outer(kernel.line_offsets, voxels) / n_y)
    return phases


@dataclass(frozen=True, kw_only=True)
class _Filling:
    """The comb's lines as columns of the image, (x, coil, line), with those that the first and last gap also need."""

    kernel: GrappaKernel
    comb: Comb
    lines: Complex

    @classmethod
    def of(cls, kernel: GrappaKernel, comb: Comb, kspace: Complex) -> _Filling:
        by_column = fourier.to_image(kspace[:, comb.first :: comb.acceleration], axes=(-1,)).transpose(2, 0, 1)
        before = kernel.n_lines_before
        beyond = ((0, 0), (0, 0), (before + 1, kernel.size[1] - 1 - before))
        return cls(
            kernel=kernel, comb=comb, lines=np.pad(by_column, beyond, mode="wrap" if comb.is_closed else "constant")
        )

    @property
    def n_x(self) -> int:
        return len(self.lines)

    def kernel_at(self, columns: slice) -> Complex:
        return self.kernel.at_columns(columns, self.n_x, self.lines.dtype)

    def coil_images(self, columns: slice, kernel: Complex) -> Complex:
        """Return coil images (x, coil, y) of some columns, y from the centre on, with the kernel there.

        Gap 0 lies before the first line of the comb, so that whatever the grid holds is in some gap.
        """
        lines = self.lines[columns]
        n_columns, n_coils, _ = lines.shape
        n_gaps, before = self.comb.n_lines + 1, self.kernel.n_lines_before
        sources = np.lib.stride_tricks.sliding_window_view(lines, n_gaps, axis=-1).transpose(0, 2, 1, 3)
        n_targets, n_sources = (self.comb.acceleration - 1) * n_coils, self.kernel.size[1] * n_coils
        weights = kernel.reshape(n_columns, n_targets, n_sources)
        targets = weights @ sources.reshape(n_columns, n_sources, n_gaps)
        filled = np.empty((n_columns, n_coils, n_gaps, self.comb.acceleration), dtype=lines.dtype)
        filled[..., 0] = lines[..., before : before + n_gaps]
        filled[..., 1:] = targets.reshape(n_columns, self.comb.acceleration - 1, n_coils, n_gaps).transpose(0, 2, 3, 1)
        start = self.comb.acceleration - self.comb.first
        grid = filled.reshape(n_columns, n_coils, -1)[..., start : start + self.comb.n_y]
        images: Complex = scipy.fft.ifft(grid, axis=-1, norm="ortho")
        return images


@dataclass(frozen=True, kw_only=True)
class _Reach:
    """Lines of the comb from which the kernel reaches the same targets: indices into (target line), and their part."""

    distances: NDArray[np.intp]
    power: float


@dataclass(frozen=True, kw_only=True)
class _Noise:
    """The variance (y, x) of the combined image, y from the centre on, and what every block of columns needs for it."""

    filling: _Filling
    phases: Complex
    reaches: tuple[_Reach, ...]
    variance: Real

    @classmethod
    def of(cls, kernel: GrappaKernel, comb: Comb, kspace: Complex) -> _Noise:
        return cls(
            filling=_Filling.of(kernel, comb, kspace),
            phases=_phases(kernel, np.arange(comb.n_y), comb.n_y).astype(kspace.dtype),
            reaches=_reaches(kernel, comb),
            variance=np.zeros(kspace.shape[1:], dtype=kspace.real.dtype),
        )

    def propagate(self, columns: slice) -> None:
        """Fill the variance of some columns: ``sum_reach power |u|^2``, ``u = b^H W``."""
        kernel = self.filling.kernel_at(columns)
        weights = _combination_weights(self.filling.coil_images(columns, kernel))
        n_columns, n_coils, n_y = weights.shape
        transposed = kernel.transpose(0, 1, 3, 4, 2).reshape(n_columns, len(self.phases) * n_coils, n_coils)
        by_distance = (transposed @ weights).reshape(n_columns, len(self.phases), n_coils, n_y)
        by_distance *= self.phases[:, None]
        for reach in self.reaches:
            u = weights.copy()
            for distance in reach.distances:
                u += by_distance[:, distance]
            self.variance[:, columns] += reach.power * _power(u).T


def _reaches(kernel: GrappaKernel, comb: Comb) -> tuple[_Reach, ...]:
    """Group the acquired lines by the targets they reach; their parts add up to n / N, however many are missing."""
    targets = comb.acquired[:, None] - kernel.line_offsets.ravel()
    inside = np.full(targets.shape, True) if comb.is_closed else (targets >= 0) & (targets < comb.n_y)
    kinds, counts = np.unique(inside, axis=0, return_counts=True)
    part = comb.n_lines / comb.n_y / len(comb.acquired)
    return tuple(
        _Reach(distances=np.flatnonzero(kind), power=part * int(count))
        for kind, count in zip(kinds, counts, strict=True)
    )


def _combination_weights(coil_images: Complex) -> Complex:
    """Return ``b^H = a^H / |a|`` of coil images (x, coil, y); 0 where there is no image."""
    magnitude = np.sqrt(_power(coil_images))
    scale = np.zeros_like(magnitude)
    np.divide(1.0, magnitude, out=scale, where=magnitude > 0)
    weights: Complex = coil_images.conj()
    weights *= scale[:, None]
    return weights


def _power(values: Complex) -> Real:
    """Return the sum over coils of ``|v|^2`` of values (x, coil, y)."""
    power: Real = (values.real**2 + values.imag**2).sum(axis=1)
    return power
