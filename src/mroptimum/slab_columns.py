"""A slab at every place along its readout: sampled points and calibration lines, transformed along x only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mroptimum import fourier
from mroptimum.coils import CalibrationRegion
from mroptimum.convention import Complex
from mroptimum.errors import ReconstructionError
from mroptimum.noise import NoiseModel, lines_power, n_columns, whiten, whitener
from mroptimum.one_slice import column_sd
from mroptimum.rawdata.acquisition import Acquisition
from mroptimum.rawdata.sampling import central_block
from mroptimum.task import CoilMapMethod, ReconstructorOptions


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The sampled points of a slab at every place along the readout, (repetition, x, coil, point), not whitened."""

    points: Complex
    sampled: NDArray[np.bool_]
    white: NDArray[np.complex128]

    @classmethod
    def of(cls, scan: Acquisition, index: int, noise: NoiseModel | None, *, n_repetitions: int) -> Columns:
        """Transform what was sampled of slab `index` in the first repetitions, averages averaged."""
        n_x = n_columns(scan)
        points = np.empty((n_repetitions, n_x, scan.n_coils, int(scan.sampled.sum())), np.complex64)
        for repetition in range(n_repetitions):
            for coil in range(scan.n_coils):
                lines = scan.kspace[:, repetition, index, coil][:, scan.sampled].mean(axis=0)
                points[repetition, :, coil] = _image_columns(lines, n_x).T
        white = np.eye(scan.n_coils, dtype=np.complex128) if noise is None else whitener(noise)
        return cls(points=points, sampled=scan.sampled, white=white)

    def __len__(self) -> int:
        return int(self.points.shape[1])

    def planes(self, x: int) -> list[Complex]:
        """Return whitened k-space (coil, z, y) of a column, for each repetition."""
        planes = []
        for of_repetition in self.points:
            plane = np.zeros((self.points.shape[2], *self.sampled.shape), self.points.dtype)
            plane[:, self.sampled] = whiten(of_repetition[x], self.white)
            planes.append(plane)
        return planes


@dataclass(frozen=True, kw_only=True)
class CalibrationColumns:
    """The block of calibration lines of a slab at every place along the readout, (x, coil, z', y'), not whitened.

    Of low resolution along the readout, under a Hann window, as along the other axes.
    """

    block: Complex
    shape: tuple[int, int]
    widths: tuple[int, int]
    white: NDArray[np.complex128]
    noise_sd: NDArray[np.float64] | None

    @classmethod
    def of(
        cls, scan: Acquisition, index: int, noise: NoiseModel | None, options: ReconstructorOptions
    ) -> CalibrationColumns | None:
        """Transform the calibration block of slab `index`; None where there is none, or maps from a file do without.

        Raises `ReconstructionError` for lines beside the centre of k-space.
        """
        if scan.calibration is None or not scan.calibration.sampled.any():
            return None
        n_z, n_y = scan.sampled.shape
        extent = central_block(scan.calibration.sampled)
        if 0 in extent and options.sensitivity_map.options.load_sensitivity:
            return None
        if 0 in extent:
            raise ReconstructionError(
                "The calibration lines do not reach the centre of k-space.", "Check the scan's calibration lines."
            )
        z, y = (slice(n // 2 - w // 2, n // 2 - w // 2 + w) for n, w in zip((n_z, n_y), extent, strict=True))
        n_x, n_samples = n_columns(scan), int(scan.kspace.shape[-1])
        acl = options.acl_xyz if _heeds_acl(options) else (None, None, None)
        widths = (min(extent[0], acl[2] or n_z), min(extent[1], acl[1] or n_y))
        window = fourier.hann_window(n_samples, round(min(acl[0] or n_x, n_x) * n_samples / n_x))
        block = np.empty((n_x, scan.n_coils, *extent), np.complex64)
        for coil in range(scan.n_coils):
            lines = scan.calibration.kspace[index, coil, z, y] * window.astype(np.float32)
            block[:, coil] = np.moveaxis(_image_columns(lines, n_x), -1, 0)
        white = np.eye(scan.n_coils, dtype=np.complex128) if noise is None else whitener(noise)
        return cls(
            block=block,
            shape=(n_z, n_y),
            widths=widths,
            white=white,
            noise_sd=None if noise is None else _calibration_noise_sd(scan, noise, window),
        )

    def region(self, x: int) -> CalibrationRegion:
        """Return the calibration data of a column."""
        n_coils, *extent = self.block.shape[1:]
        kspace = np.zeros((n_coils, *self.shape), self.block.dtype)
        z, y = (slice(n // 2 - w // 2, n // 2 - w // 2 + w) for n, w in zip(self.shape, extent, strict=True))
        kspace[:, z, y] = whiten(self.block[x], self.white)
        return CalibrationRegion(
            kspace=kspace,
            widths=self.widths,
            noise_sd=None if self.noise_sd is None else float(self.noise_sd[x]),
            axes=("partitions", "lines"),
        )


def _heeds_acl(options: ReconstructorOptions) -> bool:
    return options.sensitivity_map.options.sensitivity_map_method is CoilMapMethod.INNER_ACL


def _calibration_noise_sd(scan: Acquisition, noise: NoiseModel, window: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the noise sd of a whitened calibration sample in each column, (x,); whitened images have 1."""
    recorded = scan.calibration.noise_power * scan.n_averages / lines_power(scan) if scan.calibration else 1.0
    of_columns = np.broadcast_to(np.asarray(column_sd(noise), dtype=np.float64), n_columns(scan))
    return np.asarray(of_columns * np.sqrt(recorded * np.mean(window**2)))


def _image_columns(lines: Complex, n_x: int) -> Complex:
    """Transform the last axis, samples, to columns of the image and keep the central `n_x`."""
    start = lines.shape[-1] // 2 - n_x // 2
    return fourier.to_image(lines, axes=(-1,))[..., start : start + n_x]
