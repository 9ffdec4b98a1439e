"""A slab with accelerated partitions, from k-space to maps: column by column of the readout.

After the transform along the readout, which was sampled completely, every column is a plane (z, y) of its own: what is
folded there is folded there only. So a slab is measured plane by plane as 2D scans are slice by slice, and no more than
one plane is held unfolded. The maps of all columns make those of the slices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mroptimum.by_method import PlaneNoise, measure
from mroptimum.coils import (
    SliceSources,
    maps_for,
    mask_by_magnitude,
    root_sum_of_squares,
)
from mroptimum.convention import Real
from mroptimum.noise import NoiseModel, lines_power
from mroptimum.one_slice import SliceMaps, column_sd
from mroptimum.partitions import kept_partitions
from mroptimum.rawdata.acquisition import Acquisition
from mroptimum.reconstruction.sense import sense_of_plane
from mroptimum.slab_columns import CalibrationColumns, Columns
from mroptimum.slab_volumes import Volumes
from mroptimum.snr.generalised import refuse_single_voxels
from mroptimum.task import MaskMethod, Method, ReconstructorOptions, TaskDocument

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
    if task.name is Method.CR:
        refuse_single_voxels(task.options.box_size or 0)
    columns = Columns.of(scan, index, noise, n_repetitions=scan.n_repetitions if task.name is Method.MR else 1)
    calibration = CalibrationColumns.of(scan, index, noise, options)
    mask = _mask_of_slices(calibration, columns, options, kept_partitions(scan), len(columns))
    volumes = Volumes.empty(scan, task, keep_coil_maps=document.output.coilsensitivity)
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


def _mask_of_slices(
    calibration: CalibrationColumns | None,
    columns: Columns,
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
