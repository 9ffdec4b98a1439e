"""A slab with accelerated partitions, from k-space to maps: column by column of the readout.

After the transform along the readout, which was sampled completely, every column is a plane (z, y) of its own: what is
folded there is folded there only. So a slab is measured plane by plane as 2D scans are slice by slice, and no more than
one plane is held unfolded. The maps of all columns make those of the slices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mroptimum import fourier
from mroptimum.by_method import PlaneNoise, measure
from mroptimum.coils import (
    CalibrationRegion,
    CoilMaps,
    SliceSources,
    maps_for,
    mask_by_magnitude,
    root_sum_of_squares,
)
from mroptimum.convention import Complex, Real
from mroptimum.errors import ReconstructionError
from mroptimum.noise import NoiseModel, lines_power, n_columns, whiten, whitener
from mroptimum.one_slice import SliceMaps, column_sd
from mroptimum.partitions import kept_partitions
from mroptimum.rawdata.acquisition import Acquisition
from mroptimum.rawdata.sampling import central_block
from mroptimum.reconstruction.sense import Sense, sense_of_plane
from mroptimum.snr import SnrMap
from mroptimum.snr.generalised import replica_residuals, reported, snr_from_residuals
from mroptimum.task import CoilMapMethod, MaskMethod, Method, NoiseDomain, ReconstructorOptions, Task, TaskDocument

_OF_A_WHOLE_SLICE = frozenset({MaskMethod.PERCENTAGE, MaskMethod.REFERENCE})
"""Masks that compare a voxel with the others of its slice."""


def measure_slab(
    scan: Acquisition,
    index: int,
    noise: NoiseModel | None,
    document: TaskDocument,
    sources: Sequence[SliceSources],
    flip_angle_deg: Sequence[Real | None],
    seed: np.random.SeedSequence,
    report: Callable[[int, int], None],
) -> list[SliceMaps]:
    """Measure the SNR of slab `index` and return its slices, the partitions in ascending order.

    `sources` and `flip_angle_deg` have one entry a slice, as in `measure_slice`. `seed` is the slab's own; `report` is
    called with the number of columns done, and of replicas in the present one. Raises `ReconstructionError` and
    `TaskError`.
    """
    task = document.task
    options = task.options.reconstructor.options
    columns = _Columns.of(scan, index, noise, n_repetitions=scan.n_repetitions if task.name is Method.MR else 1)
    calibration = _CalibrationColumns.of(scan, index, noise, options)
    mask = _mask_of_slices(calibration, columns, options, kept_partitions(scan), len(columns))
    volumes = _Volumes.empty(scan, columns, task, keep_coil_maps=document.output.coilsensitivity)
    of_columns = np.broadcast_to(np.asarray(column_sd(noise)), len(columns))
    kspace_sd = 1.0 / float(np.sqrt(lines_power(scan)))
    for x, of_column in enumerate(seed.spawn(len(columns))):
        report(x, 0)
        region = calibration.region(x) if calibration else None
        maps = maps_for(
            options.sensitivity_map.options,
            region,
            _of_column(sources, x, scan),
            None if mask is None else np.asarray(mask[:, :, x]),
        )
        reconstruction = sense_of_plane(maps, scan.sampled, (scan.acceleration[1], scan.acceleration[0]))
        plane_noise = PlaneNoise(column_sd=float(of_columns[x]), kspace_sd=kspace_sd)
        planes = columns.planes(x)
        if task.name is Method.CR:
            volumes.take_residuals(x, reconstruction, planes[0], plane_noise, task, of_column, partial(report, x))
        else:
            found, domain = measure(task, reconstruction, planes, plane_noise, of_column, partial(report, x))
            volumes.take(x, found, domain)
        volumes.take_maps(x, reconstruction, maps)
    return volumes.slices(task, flip_angle_deg)


@dataclass(frozen=True, kw_only=True)
class _Columns:
    """The sampled points of a slab at every place along the readout, (repetition, x, coil, point), not whitened."""

    points: Complex
    sampled: NDArray[np.bool_]
    white: NDArray[np.complex128]

    @classmethod
    def of(cls, scan: Acquisition, index: int, noise: NoiseModel | None, *, n_repetitions: int) -> _Columns:
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
class _CalibrationColumns:
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
    ) -> _CalibrationColumns | None:
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


def _mask_of_slices(
    calibration: _CalibrationColumns | None,
    columns: _Columns,
    options: ReconstructorOptions,
    kept: slice,
    n_x: int,
) -> NDArray[np.bool_] | None:
    """Return the mask (z, y, x) of methods that look at a whole slice, which no column can do alone; else None."""
    mask = options.sensitivity_map.options.mask
    if mask.method not in _OF_A_WHOLE_SLICE or calibration is None:
        return None
    magnitude = np.empty((*columns.sampled.shape, n_x), np.float32)
    for x in range(n_x):
        magnitude[:, :, x] = root_sum_of_squares(calibration.region(x).image)
    inside = np.zeros(magnitude.shape, dtype=np.bool_)
    for z in range(kept.start, kept.stop):
        inside[z] = mask_by_magnitude(magnitude[z], mask)
    return inside


def _of_column(sources: Sequence[SliceSources], x: int, scan: Acquisition) -> SliceSources:
    """Return what other files say of a column: nothing, and no object, where oversampled partitions lie."""
    kept, shape = kept_partitions(scan), scan.sampled.shape
    maps, mask = [s.maps for s in sources], [s.mask for s in sources]
    of_maps, of_mask = None, None
    if all(m is not None for m in maps):
        of_maps = np.zeros((scan.n_coils, *shape), np.complex64)
        of_maps[:, kept] = np.stack([m[:, :, x] for m in maps if m is not None], axis=1)
    if all(m is not None for m in mask):
        of_mask = np.zeros(shape, dtype=np.bool_)
        of_mask[kept] = [m[:, x] for m in mask if m is not None]
    return SliceSources(maps=of_maps, mask=of_mask)


@dataclass(kw_only=True)
class _Volumes:
    """What is found, (z, y, x) each, oversampled partitions left out; ``residuals`` are those of cr, by replica."""

    kept: slice
    snr: NDArray[np.float32]
    image: NDArray[np.float32]
    noise_sd: NDArray[np.float32]
    standard_error: NDArray[np.float32] | None
    g_factor: NDArray[np.float32]
    mask: NDArray[np.bool_]
    column_sd: NDArray[np.float32]
    coil_maps: Complex | None
    residuals: Complex | None
    coil_map_method: str = ""
    noise_domain: NoiseDomain | None = None
    n_unsolvable: int = 0

    @classmethod
    def empty(cls, scan: Acquisition, columns: _Columns, task: Task, *, keep_coil_maps: bool) -> _Volumes:
        kept, n_x = kept_partitions(scan), len(columns)
        shape = (kept.stop - kept.start, scan.sampled.shape[1], n_x)
        n_replicas = task.options.replicas or 0
        return cls(
            kept=kept,
            snr=np.zeros(shape, np.float32),
            image=np.zeros(shape, np.float32),
            noise_sd=np.zeros(shape, np.float32),
            standard_error=None if task.name is Method.AC else np.zeros(shape, np.float32),
            g_factor=np.zeros(shape, np.float32),
            mask=np.zeros(shape, dtype=np.bool_),
            column_sd=np.ones(n_x, np.float32),
            coil_maps=np.zeros((shape[0], scan.n_coils, *shape[1:]), np.complex64) if keep_coil_maps else None,
            residuals=np.zeros((n_replicas, *shape), np.complex64) if task.name is Method.CR else None,
        )

    def take(self, x: int, found: SnrMap, domain: NoiseDomain | None) -> None:
        """Take what a method found in a column."""
        self.snr[:, :, x] = found.snr[self.kept]
        self.image[:, :, x] = np.abs(found.image)[self.kept]
        self.noise_sd[:, :, x] = found.noise_sd[self.kept]
        if self.standard_error is not None and found.standard_error is not None:
            self.standard_error[:, :, x] = found.standard_error[self.kept]
        self.noise_domain = domain

    def take_residuals(
        self,
        x: int,
        reconstruction: Sense,
        kspace: Complex,
        noise: PlaneNoise,
        task: Task,
        seed: np.random.SeedSequence,
        report: Callable[[int], None],
    ) -> None:
        """Take image and residuals of a column: boxes reach across columns, so their spread has to wait for all."""
        image = reconstruction.image(kspace)
        self.image[:, :, x] = np.abs(image)[self.kept]
        self.column_sd[x] = noise.column_sd
        self.noise_domain = NoiseDomain.KSPACE
        n_replicas = task.options.replicas or 0
        residuals = replica_residuals(reconstruction, kspace, image, n_replicas, seed, kspace_noise_sd=noise.kspace_sd)
        for replica, residual in enumerate(reported(residuals, report)):
            if self.residuals is not None:
                self.residuals[replica, :, :, x] = residual[self.kept]

    def take_maps(self, x: int, reconstruction: Sense, maps: CoilMaps) -> None:
        """Take g-factor, mask and, if they are kept, coil maps of a column."""
        self.g_factor[:, :, x] = reconstruction.g_factor[self.kept]
        self.mask[:, :, x] = maps.mask[self.kept]
        self.n_unsolvable += reconstruction.n_unsolvable
        self.coil_map_method = maps.method
        if self.coil_maps is not None:
            self.coil_maps[..., x] = maps.maps[:, self.kept].swapaxes(0, 1)

    def slices(self, task: Task, flip_angle_deg: Sequence[Real | None]) -> list[SliceMaps]:
        """Return the maps slice by slice; what could not be solved is counted with the first."""
        return [
            SliceMaps.of(
                self._found(z, task),
                self.g_factor[z],
                CoilMaps(
                    maps=np.empty(0, np.complex64) if self.coil_maps is None else self.coil_maps[z],
                    mask=self.mask[z],
                    method=self.coil_map_method,
                ),
                flip_angle_deg=flip_angle_deg[z],
                noise_domain=self.noise_domain,
                keep_coil_maps=self.coil_maps is not None,
                n_unsolvable=self.n_unsolvable if z == 0 else 0,
            )
            for z in range(len(self.snr))
        ]

    def _found(self, z: int, task: Task) -> SnrMap:
        if self.residuals is not None:
            return snr_from_residuals(
                self.image[z],
                self.residuals[:, z],
                task.options.box_size or 0,
                column_sd=self.column_sd,
                is_linear=True,
            )
        error = None if self.standard_error is None else self.standard_error[z]
        return SnrMap(snr=self.snr[z], image=self.image[z], noise_sd=self.noise_sd[z], standard_error=error)
