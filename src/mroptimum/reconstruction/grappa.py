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

from mroptimum.convention import Complex, Real
from mroptimum.errors import ReconstructionError
from mroptimum.reconstruction.comb import Comb, Scalar
from mroptimum.reconstruction.grappa_filling import Filling
from mroptimum.reconstruction.grappa_kernel import GrappaKernel
from mroptimum.threads import over_blocks


@dataclass(frozen=True, kw_only=True)
class Grappa:
    """The reconstruction of one slice by `kernel`: a magnitude.

    ``noise_sd`` and ``g_factor``, (y, x), hold for the data it was built with, whose coil images are the weights of the
    combination; they are 0 where the image is. Like any magnitude's, the noise is that of a linear combination only
    where the SNR is above about 5. Calibration lines make the kernel and are not put back.

    ``lines``, (coil, line, x), are those data and ``lines_image`` their image, which the weights needed anyway.
    """

    kernel: GrappaKernel
    comb: Comb
    noise_sd: Real
    g_factor: Real
    lines: Complex
    lines_image: Real
    is_linear: bool = False

    @property
    def combination(self) -> GrappaCombination | None:
        """The weights of each group of voxels; None where R does not divide the number of lines."""
        if not self.comb.is_closed:
            return None
        return GrappaCombination(kernel=self.kernel, comb=self.comb, n_x=self.lines.shape[-1], dtype=self.lines.dtype)

    def coil_images(self, kspace: Complex) -> Complex:
        """Transform the acquired lines of whitened k-space (coil, y, x) to folded images (coil, y', x)."""
        return self.comb.coil_images(kspace)

    def image(self, kspace: Complex) -> Real:
        """Reconstruct whitened k-space (coil, y, x) to a magnitude (y, x); lines beside the comb are not looked at."""
        lines = self.comb.lines(kspace)
        if all(np.array_equal(of_coil, own) for of_coil, own in zip(lines, self.lines, strict=True)):
            return self.lines_image.copy()
        # Replicas call this from threads of their own, so it starts none.
        filling = Filling.of(self.kernel, self.comb, lines)
        image = np.empty_like(self.lines_image)
        for start in range(0, image.shape[1], filling.columns_per_block):
            columns = slice(start, start + filling.columns_per_block)
            coils = filling.coil_images(columns, filling.kernel_at(columns))
            image[:, columns] = np.sqrt(_power(coils)).T
        return scipy.fft.fftshift(image, axes=0)


def grappa(kernel: GrappaKernel, kspace: Complex, sampled: NDArray[np.bool_]) -> Grappa:
    """Build the reconstruction of one slice and propagate its noise.

    `kspace` is whitened, (coil, y, x); its lines `sampled`, (y,), are every R-th, R that of the kernel, from any first
    one. The data are needed because the noise of a root of sum of squares depends on them. A comb with lines missing at
    its ends (partial Fourier) is filled like a full one; its noise scale is in the scale chain. Raises
    `ReconstructionError` for an irregular comb, and for a kernel of other coils.
    """
    if kernel.n_coils != len(kspace):
        raise ReconstructionError(
            f"The calibration lines have {kernel.n_coils} coils, the signal {len(kspace)}.",
            "Give calibration lines recorded with the coils of the signal.",
        )
    comb = Comb.of(sampled, kernel.shape.acceleration)
    lines = comb.lines(kspace).copy()
    noise = _Noise.of(Filling.of(kernel, comb, lines))
    over_blocks(noise.propagate, kspace.shape[-1], noise.filling.columns_per_block)
    sd = scipy.fft.fftshift(np.sqrt(noise.variance), axes=0)
    return Grappa(
        kernel=kernel,
        comb=comb,
        noise_sd=sd,
        g_factor=sd * sd.dtype.type(np.sqrt(comb.n_lines / comb.n_y)),
        lines=lines,
        lines_image=scipy.fft.fftshift(noise.magnitude, axes=0),
    )


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
        phases = _phases(self.kernel, self.comb.voxels.T.ravel() - self.comb.n_y // 2, self.comb.n_y).astype(self.dtype)
        kernel = self.kernel.at_columns(columns, self.n_x, self.dtype)
        by_distance = kernel.transpose(0, 1, 4, 2, 3).reshape(len(kernel), len(phases), n_coils * n_coils)
        weights = (phases.T @ by_distance).reshape(len(kernel), -1, n_coils, n_coils)
        weights[..., np.arange(n_coils), np.arange(n_coils)] += 1
        weights /= weights.real.dtype.type(np.sqrt(self.n_folds))
        return weights.reshape(len(kernel), -1, self.n_outputs, n_coils)

    def spread(self, values: NDArray[Scalar]) -> NDArray[Scalar]:
        """Put values (fold, y', x) where their voxels are, (y, x)."""
        return self.comb.spread(values)


def _phases(kernel: GrappaKernel, voxels: NDArray[np.intp], n_y: int) -> NDArray[np.complex128]:
    """Return ``exp(-2 pi i d v / N)``, (target line, voxel), for voxels v counted from the centre."""
    phases: NDArray[np.complex128] = np.exp(-2j * np.pi * np.outer(kernel.shape.line_offsets, voxels) / n_y)
    return phases


@dataclass(frozen=True, kw_only=True)
class _Reach:
    """Lines of the comb from which the kernel reaches the same targets: as (target, source line), and their part."""

    distances: tuple[tuple[int, int], ...]
    power: float


@dataclass(frozen=True, kw_only=True)
class _Noise:
    """Magnitude and variance (y, x) of the image, y round from the centre, and what every block of columns needs."""

    filling: Filling
    phases: Complex
    reaches: tuple[_Reach, ...]
    magnitude: Real
    variance: Real

    @classmethod
    def of(cls, filling: Filling) -> _Noise:
        kernel, comb, dtype = filling.kernel, filling.comb, filling.lines.dtype
        phases = _phases(kernel, np.arange(comb.n_y), comb.n_y).astype(dtype)
        shape = (comb.n_y, filling.lines.shape[-1])
        return cls(
            filling=filling,
            phases=phases.reshape(*kernel.shape.line_offsets.shape, comb.n_y),
            reaches=_reaches(kernel, comb),
            magnitude=np.empty(shape, dtype=phases.real.dtype),
            variance=np.zeros(shape, dtype=phases.real.dtype),
        )

    def propagate(self, columns: slice) -> None:
        """Fill some columns: ``variance = sum power |u|^2`` over the reaches, ``u = b^H W``."""
        kernel = self.filling.kernel_at(columns)
        weights = self.filling.coil_images(columns, kernel)
        magnitude = np.sqrt(_power(weights))
        self.magnitude[:, columns] = magnitude.T
        _normalise(weights, magnitude)
        np.conjugate(weights, out=weights)
        n_columns, n_targets, n_coils, _, n_source_lines = kernel.shape
        by_coil = kernel.reshape(n_columns, n_targets, n_coils, n_coils * n_source_lines).transpose(0, 1, 3, 2)
        parts = (by_coil @ weights[:, None]).reshape(*kernel.shape[:3], n_source_lines, magnitude.shape[-1])
        parts *= self.phases[:, None]
        for reach in self.reaches:
            u = weights.copy()
            for target, line in reach.distances:
                u += parts[:, target, :, line]
            self.variance[:, columns] += reach.power * _power(u).T


def _reaches(kernel: GrappaKernel, comb: Comb) -> tuple[_Reach, ...]:
    """Group the acquired lines by the targets they reach; their parts add up to n / N, however many are missing."""
    targets = comb.acquired[:, None, None] - kernel.shape.line_offsets
    inside = np.full(targets.shape, True) if comb.is_closed else (targets >= 0) & (targets < comb.n_y)
    kinds, counts = np.unique(inside, axis=0, return_counts=True)
    part = comb.n_lines / comb.n_y / len(comb.acquired)
    return tuple(
        _Reach(distances=tuple((int(target), int(line)) for target, line in np.argwhere(kind)), power=part * int(count))
        for kind, count in zip(kinds, counts, strict=True)
    )


def _normalise(coil_images: Complex, magnitude: Real) -> None:
    """Divide coil images (x, coil, y) by their magnitude (x, y), in place; 0 stays where there is no image."""
    scale = np.zeros_like(magnitude)
    np.divide(1.0, magnitude, out=scale, where=magnitude > 0)
    coil_images *= scale[:, None]


def _power(values: Complex) -> Real:
    """Return the sum over coils of ``|v|^2`` of values (x, coil, y)."""
    power: Real = (values.real**2 + values.imag**2).sum(axis=1)
    return power
