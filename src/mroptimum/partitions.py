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
from mroptimum.noise import n_columns, partial_fourier_power
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


def as_slices(scan: Acquisition, *, n_repetitions: int = 1, in_place: bool = False) -> Acquisition:
    """Return a slab whose partitions are not accelerated as a 2D scan of its partitions.

    Averages are averaged, oversampling is removed along partitions and readout, and of the repetitions the first
    `n_repetitions` are kept. Noise must be modelled on the slab itself, whose averages and zero-filled partitions no
    longer show. What is held beside `scan` is an array as large as the result; `in_place`, where one slab was scanned,
    no more than one coil of it, and the k-space of `scan` is overwritten and of no more use.
    """
    n_x, kept = n_columns(scan), kept_partitions(scan)
    power = partial_fourier_power(scan)
    kspace = _room(scan.kspace, (n_repetitions, scan.n_slices, scan.n_coils), kept, n_x, in_place=in_place)
    for repetition, slab, coil in np.ndindex(kspace.shape[:3]):
        lines = scan.kspace[:, repetition, slab, coil].mean(axis=0)
        kspace[repetition, slab, coil] = fourier.to_image(fourier.remove_oversampling(lines, n_x), axes=(-3,))[kept]
    slices = replace(
        scan,
        kspace=_by_slice(kspace)[np.newaxis],
        sampled=np.asarray(scan.sampled.any(axis=0, keepdims=True)),
        readout_oversampling=1.0,
        partition_oversampling=1.0,
        geometry=geometry_of_slices(scan),
        calibration=None,
    )
    if scan.calibration is None:
        return slices
    # What averaging and zero-filled partitions took from the image's noise, relative to which this is said.
    taken = power / partial_fourier_power(slices) / scan.n_averages
    return replace(
        slices, calibration=_calibration_of_slices(scan, scan.calibration, n_x, kept, taken, in_place=in_place)
    )


def _room(recorded: Complex64, shape: tuple[int, int, int], kept: slice, n_x: int, *, in_place: bool) -> Complex64:
    """Return where (repetition, slab, coil, partition, y, x) are put: over what was `recorded`, or an array of zeros.

    `recorded` is (average, repetition, slab, coil, z, y, x). Slices of several slabs are no view of it.
    """
    n_repetitions, n_slabs, _ = shape
    n = kept.stop - kept.start
    if in_place and n_slabs == 1 and recorded.flags.writeable:
        return recorded[0, :n_repetitions, :, :, :n, :, :n_x]
    return np.zeros((*shape, n, int(recorded.shape[5]), n_x), np.complex64)


def _by_slice(kspace: Complex64) -> Complex64:
    """Turn (repetition, slab, coil, partition, y, x) into (repetition, slice, coil, z, y, x), z of length 1."""
    n_repetitions, n_slabs, n_coils, n, n_y, n_x = kspace.shape
    in_order = kspace.swapaxes(2, 3)
    slices = in_order[:, 0] if n_slabs == 1 else in_order.reshape(n_repetitions, n_slabs * n, n_coils, n_y, n_x)
    return slices[:, :, :, np.newaxis]


def _partition(slab: SliceGeometry, index: int, n: int) -> SliceGeometry:
    thickness = slab.fov_mm[2] / n
    height = thickness * (index - n // 2)
    x, y, z = (c + height * d for c, d in zip(slab.centre_mm, slab.slice_direction, strict=True))
    return replace(slab, centre_mm=(x, y, z), fov_mm=(slab.fov_mm[0], slab.fov_mm[1], thickness))


def _calibration_of_slices(
    scan: Acquisition, calibration: Calibration, n_x: int, kept: slice, taken: float, *, in_place: bool
) -> Calibration:
    """Return the calibration lines of each partition.

    From the block around the centre; where that does not reach all partitions, its images along them are of low
    resolution, under a Hann window.
    """
    block = central_block(calibration.sampled)
    n_z, n_y = calibration.sampled.shape
    window = np.ones(n_z) if block[0] == n_z else fourier.hann_window(n_z, block[0])
    lines = central(n_y, block[1])
    recorded = calibration.kspace[np.newaxis, np.newaxis]
    kspace = _room(recorded, (1, scan.n_slices, scan.n_coils), kept, n_x, in_place=in_place)
    for _, slab, coil in np.ndindex(kspace.shape[:3]):
        of_lines = calibration.kspace[slab, coil][:, lines] * window[:, np.newaxis, np.newaxis].astype(np.float32)
        images: Complex = fourier.to_image(fourier.remove_oversampling(of_lines, n_x), axes=(-3,))
        kspace[0, slab, coil, :, lines] = images[kept].swapaxes(0, 1)
        kspace[0, slab, coil, :, ~lines] = 0
    of_each = None
    if calibration.of_each is not None and block[0] == n_z:
        of_block = (calibration.sampled & lines)[calibration.sampled]
        of_each = _of_each(calibration.of_each[..., of_block, :], n_z, n_x, kept)
    return Calibration(
        kspace=_by_slice(kspace)[0],
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
