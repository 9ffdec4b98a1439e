"""Partitions of a slab as slices: where each lies, and a slab whose partitions are complete transformed into them.

The transform along partitions is unitary, so it leaves the power of white noise; where partitions are zero-filled
(partial Fourier) that is in the scale chain, as for lines. Index n // 2 is the centre of the slab, of k-space and of
the image alike.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mroptimum import fourier
from mroptimum.convention import Complex
from mroptimum.noise import lines_power, n_columns
from mroptimum.rawdata.acquisition import Acquisition, Calibration, Complex64, SliceGeometry
from mroptimum.rawdata.sampling import central, central_block


def n_partitions(scan: Acquisition) -> int:
    """Return the number of partitions of a slab in the image, 1 in 2D."""
    return max(1, round(int(scan.kspace.shape[4]) / scan.partition_oversampling))


def kept_partitions(scan: Acquisition) -> slice:
    """Return which of the encoded partitions of the image are kept when their oversampling is removed."""
    n_encoded, n_kept = int(scan.kspace.shape[4]), n_partitions(scan)
    start = n_encoded // 2 - n_kept // 2
    return slice(start, start + n_kept)


def geometry_of_slices(scan: Acquisition) -> tuple[SliceGeometry, ...]:
    """Return where each slice lies, the partitions of each slab one after the other; empty when the file knows none."""
    n = n_partitions(scan)
    if not scan.is_3d:
        return scan.geometry
    return tuple(_partition(slab, index, n) for slab in scan.geometry for index in range(n))


def as_slices(scan: Acquisition, *, n_repetitions: int = 1) -> Acquisition:
    """Return a slab whose partitions are not accelerated as a 2D scan of its partitions.

    Averages are averaged, oversampling is removed along partitions and readout, and of the repetitions the first
    `n_repetitions` are kept; so the result is no larger than what it is made of. One array of one coil at a time is
    held beside it. Noise must be modelled on the slab itself, whose averages and zero-filled partitions no longer show.
    """
    n_x, kept = n_columns(scan), kept_partitions(scan)
    n = kept.stop - kept.start
    shape = (1, n_repetitions, scan.n_slices * n, scan.n_coils, 1, int(scan.kspace.shape[5]), n_x)
    kspace = np.empty(shape, np.complex64)
    for repetition in range(n_repetitions):
        for slab in range(scan.n_slices):
            places = slice(slab * n, (slab + 1) * n)
            for coil in range(scan.n_coils):
                lines = scan.kspace[:, repetition, slab, coil].mean(axis=0)
                images = fourier.to_image(fourier.remove_oversampling(lines, n_x), axes=(-3,))
                kspace[0, repetition, places, coil, 0] = images[kept]
    slices = replace(
        scan,
        kspace=kspace,
        sampled=np.asarray(scan.sampled.any(axis=0, keepdims=True)),
        readout_oversampling=1.0,
        partition_oversampling=1.0,
        geometry=geometry_of_slices(scan),
        calibration=None,
    )
    if scan.calibration is None:
        return slices
    # What averaging and zero-filled partitions took from the image's noise, relative to which this is said.
    taken = lines_power(scan) / lines_power(slices) / scan.n_averages
    return replace(slices, calibration=_calibration_of_slices(scan, scan.calibration, n_x, kept, taken))


def _partition(slab: SliceGeometry, index: int, n: int) -> SliceGeometry:
    thickness = slab.fov_mm[2] / n
    height = thickness * (index - n // 2)
    x, y, z = (c + height * d for c, d in zip(slab.centre_mm, slab.slice_direction, strict=True))
    return replace(slab, centre_mm=(x, y, z), fov_mm=(slab.fov_mm[0], slab.fov_mm[1], thickness))


def _calibration_of_slices(
    scan: Acquisition, calibration: Calibration, n_x: int, kept: slice, taken: float
) -> Calibration:
    """Return the calibration lines of each partition.

    From the block around the centre; where that does not reach all partitions, its images along them are of low
    resolution, under a Hann window.
    """
    block = central_block(calibration.sampled)
    n_z, n_y = calibration.sampled.shape
    window = np.ones(n_z) if block[0] == n_z else fourier.hann_window(n_z, block[0])
    lines = central(n_y, block[1])
    n = kept.stop - kept.start
    kspace: Complex64 = np.zeros((scan.n_slices * n, scan.n_coils, 1, n_y, n_x), np.complex64)
    for slab in range(scan.n_slices):
        for coil in range(scan.n_coils):
            recorded = calibration.kspace[slab, coil] * lines[:, None] * window[:, None, None].astype(np.float32)
            images: Complex = fourier.to_image(fourier.remove_oversampling(recorded, n_x), axes=(-3,))
            kspace[slab * n : (slab + 1) * n, coil, 0] = images[kept]
    of_each = None
    if calibration.of_each is not None and block[0] == n_z:
        of_block = (calibration.sampled & lines)[calibration.sampled]
        of_each = _of_each(calibration.of_each[..., of_block, :], n_z, n_x, kept)
    return Calibration(
        kspace=kspace,
        sampled=lines[None, :],
        of_each=of_each,
        noise_power=calibration.noise_power * float(np.mean(window**2)) / taken,
    )


def _of_each(recorded: Complex64, n_z: int, n_x: int, kept: slice) -> Complex64:
    """Return calibration lines (average, repetition, slab, coil, line, x) of all partitions as those of slices."""
    averaged = recorded.mean(axis=0)
    n_repetitions, n_slabs, n_coils, n_lines, n_samples = averaged.shape
    by_partition = averaged.reshape(n_repetitions, n_slabs, n_coils, n_z, n_lines // n_z, n_samples)
    images = fourier.to_image(fourier.remove_oversampling(by_partition, n_x), axes=(-3,))[..., kept, :, :]
    n = kept.stop - kept.start
    return np.moveaxis(images, 3, 2).reshape(1, n_repetitions, n_slabs * n, n_coils, n_lines // n_z, n_x)
