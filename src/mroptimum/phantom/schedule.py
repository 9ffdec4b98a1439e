"""The order in which a scanner records a simulated acquisition, readout by readout, whatever file it goes to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import product

import numpy as np

from mroptimum.phantom.description import Phantom
from mroptimum.phantom.simulation import Complex64, Scan


class Purpose(Enum):
    """What a readout is recorded for."""

    IMAGING = "imaging"
    """A line of the image."""
    CALIBRATION = "calibration"
    """A reference line beside the image."""
    IMAGING_AND_CALIBRATION = "imaging and calibration"
    """Both."""
    NOISE = "noise"
    """Receivers on, no excitation."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One readout ``(coil, sample)`` with its counters; `slice` counts in space, `acquired_slice` in time.

    `y` counts recorded lines: 0 is the first that partial Fourier leaves, and the centre is at `centre_y`; so does `z`
    the partitions of a slab, which is one slice.
    """

    purpose: Purpose
    samples: Complex64
    y: int = 0
    z: int = 0
    slice: int = 0
    acquired_slice: int = 0
    average: int = 0
    repetition: int = 0
    is_first_in_slice: bool = False
    is_last_in_slice: bool = False


def centre_y(phantom: Phantom) -> int:
    """Return the recorded line at the centre of k-space."""
    return phantom.n_y // 2 - phantom.n_omitted_lines


def centre_z(phantom: Phantom) -> int:
    """Return the recorded partition at the centre of k-space; 0 in 2D."""
    return phantom.n_recorded_z // 2 - phantom.n_omitted_partitions if phantom.is_3d else 0


def acquisition_order(phantom: Phantom) -> tuple[int, ...]:
    """Return the slices in the order of acquisition: every other one first, as scanners do against cross-talk."""
    slices = range(1 if phantom.is_3d else phantom.n_slices)
    return (*slices[::2], *slices[1::2])


def noise_lines(scan: Scan) -> Iterator[Line]:
    """Yield the noise scan."""
    for samples in scan.noise:
        yield Line(purpose=Purpose.NOISE, samples=samples)


def image_lines(scan: Scan) -> Iterator[Line]:
    """Yield the image: repetition by repetition, slice by slice, line by line with its averages."""
    phantom = scan.phantom
    purposes = _purposes(phantom)
    for repetition in range(phantom.n_repetitions):
        for acquired, index in enumerate(acquisition_order(phantom)):
            for (partition, line), purpose in purposes.items():
                for average in range(phantom.n_averages):
                    encoded = partition if phantom.is_3d else index
                    yield Line(
                        purpose=purpose,
                        samples=np.ascontiguousarray(scan.kspace[average, repetition, encoded, :, line]),
                        y=line - phantom.n_omitted_lines,
                        z=partition - phantom.n_omitted_partitions,
                        slice=index,
                        acquired_slice=acquired,
                        average=average,
                        repetition=repetition,
                        is_first_in_slice=(partition, line) == min(purposes) and average == 0,
                        is_last_in_slice=(partition, line) == max(purposes) and average == phantom.n_averages - 1,
                    )


def _purposes(phantom: Phantom) -> dict[tuple[int, int], Purpose]:
    """Return what each (partition, line) is recorded for; in 2D there is partition 0."""
    partitions = phantom.imaging_partitions if phantom.is_3d else (0,)
    calibrating = phantom.calibration_partitions if phantom.is_3d else (0,)
    imaging = set(product(partitions, phantom.imaging_lines))
    calibration = set(product(calibrating, phantom.calibration_lines))
    purposes = {}
    for point in sorted(imaging | calibration):
        if point not in calibration:
            purposes[point] = Purpose.IMAGING
        elif point in imaging:
            purposes[point] = Purpose.IMAGING_AND_CALIBRATION
        else:
            purposes[point] = Purpose.CALIBRATION
    return purposes
