"""The order in which a scanner records a simulated acquisition, readout by readout, whatever file it goes to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

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

    `y` counts recorded lines: 0 is the first that partial Fourier leaves, and the centre is at `centre_y`.
    """

    purpose: Purpose
    samples: Complex64
    y: int = 0
    slice: int = 0
    acquired_slice: int = 0
    average: int = 0
    repetition: int = 0
    is_first_in_slice: bool = False
    is_last_in_slice: bool = False


def centre_y(phantom: Phantom) -> int:
    """Return the recorded line at the centre of k-space."""
    return phantom.n_y // 2 - phantom.n_omitted_lines


def acquisition_order(phantom: Phantom) -> tuple[int, ...]:
    """Return the slices in the order of acquisition: every other one first, as scanners do against cross-talk."""
    slices = range(phantom.n_slices)
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
            for line, purpose in purposes.items():
                for average in range(phantom.n_averages):
                    yield Line(
                        purpose=purpose,
                        samples=np.ascontiguousarray(scan.kspace[average, repetition, index, :, line]),
                        y=line - phantom.n_omitted_lines,
                        slice=index,
                        acquired_slice=acquired,
                        average=average,
                        repetition=repetition,
                        is_first_in_slice=line == min(purposes) and average == 0,
                        is_last_in_slice=line == max(purposes) and average == phantom.n_averages - 1,
                    )


def _purposes(phantom: Phantom) -> dict[int, Purpose]:
    imaging, calibration = set(phantom.imaging_lines), set(phantom.calibration_lines)
    purposes = {}
    for line in sorted(imaging | calibration):
        if line not in calibration:
            purposes[line] = Purpose.IMAGING
        elif line in imaging:
            purposes[line] = Purpose.IMAGING_AND_CALIBRATION
        else:
            purposes[line] = Purpose.CALIBRATION
    return purposes
