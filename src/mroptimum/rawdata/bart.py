"""Arrays of BART, the Berkeley Advanced Reconstruction Toolbox: k-space, noise and coil maps.

BART numbers its dimensions, and these are the ones an acquisition has:

===  ======  ===============
 0   READ    x, the readout
 1   PHS1    y
 2   PHS2    z
 3   COIL    coil
10   TIME    repetition
13   SLICE   slice
14   AVG     average
===  ======  ===============

Every other has to be of length 1. k-space has its centre at index n // 2, and an inverse FFT makes the image of it. In
a file given as the noise, every line along READ that is not zero is a readout.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np

from mroptimum.errors import UnreadableFile, UnsupportedData
from mroptimum.rawdata.acquisition import Acquisition, Complex64, FileFormat, Inspection, NoiseScan
from mroptimum.rawdata.arrays import as_complex64, recorded_lines, separate
from mroptimum.rawdata.bart_files import BartArray, open_bart
from mroptimum.rawdata.echo import echo_contrast
from mroptimum.rawdata.plausibility import refuse_implausible_noise, refuse_implausible_signal
from mroptimum.rawdata.sampling import sampling_warnings

READ, PHS1, PHS2, COIL, MAPS, TIME, SLICE, AVG = 0, 1, 2, 3, 4, 10, 13, 14
_NAMES = (
    "READ", "PHS1", "PHS2", "COIL", "MAPS", "TE", "COEFF", "COEFF2", "ITER", "CSHIFT", "TIME", "TIME2", "LEVEL",
    "SLICE", "AVG", "BATCH",
)  # fmt: skip
_OF_ACQUISITION = (READ, PHS1, PHS2, COIL, TIME, SLICE, AVG)
_OF_COIL_MAPS = (READ, PHS1, COIL, SLICE)


def read_bart(path: Path) -> Acquisition:
    """Read the signal."""
    array = open_bart(path)
    _refuse_others(array, _OF_ACQUISITION)
    if array.dimensions[READ] == 1:
        raise UnsupportedData(
            "The readout, BART's dimension 0, has a single sample.",
            "Bring the readout into dimension 0, for example with `bart transpose 0 1`.",
        )
    recorded_kspace = _kspace(array)
    recorded = recorded_lines(recorded_kspace)
    refuse_implausible_signal(recorded_kspace, recorded)
    kspace, sampling, calibration = separate(recorded_kspace, recorded)
    return Acquisition(
        kspace=kspace,
        sampled=sampling.lines,
        file_format=FileFormat.BART,
        dwell_time_s=None,
        is_oversampling_known=False,
        acceleration=sampling.acceleration,
        calibration=calibration,
        warnings=sampling_warnings(sampling),
    )


def read_bart_noise(path: Path) -> NoiseScan:
    """Read every line that is not zero as a readout of noise."""
    array = open_bart(path)
    samples = _readouts(array)
    refuse_implausible_noise(samples)
    return NoiseScan(samples=samples, dwell_time_s=None, origin="all lines of the BART array")


def read_bart_maps(path: Path) -> Complex64:
    """Return coil maps, (slice, coil, y, x)."""
    array = open_bart(path)
    if array.dimensions[MAPS] > 1:
        raise UnsupportedData(
            f"The file holds {array.dimensions[MAPS]} sets of coil maps (dimension MAPS).",
            "Give one set: `bart ecalib -m 1`, or `bart slice 4 0`.",
        )
    _refuse_others(array, _OF_COIL_MAPS)
    d = array.dimensions
    return array.load().reshape(d[SLICE], d[COIL], d[PHS1], d[READ])


def inspect_bart(path: Path) -> Inspection:
    """Say what an array holds, as far as its samples tell."""
    array = open_bart(path)
    contrast = echo_contrast(_readouts(array))
    return Inspection(
        file_format=FileFormat.BART,
        kind="noise" if contrast.is_noise else "imaging" if contrast.is_echo else "unknown",
        size_bytes=path.stat().st_size,
        measurements=({name: n for name, n in zip(_NAMES, array.dimensions, strict=True) if n > 1},),
        identifying_fields=(),
    )


def _kspace(array: BartArray) -> Complex64:
    """Return (average, repetition, slice, coil, z, y, x)."""
    d = array.dimensions
    in_order = array.load().reshape(d[AVG], d[SLICE], d[TIME], d[COIL], d[PHS2], d[PHS1], d[READ])
    return as_complex64(in_order.swapaxes(1, 2), "the signal")


def _readouts(array: BartArray) -> Complex64:
    """Return all lines that are not zero, (readout, coil, sample)."""
    n_coils, n_samples = array.dimensions[COIL], array.dimensions[READ]
    lines = np.moveaxis(array.load(), -1 - COIL, -2).reshape(-1, n_coils, n_samples)
    samples = np.ascontiguousarray(lines[np.any(lines != 0, axis=(1, 2))])
    if not samples.size:
        raise UnreadableFile("All samples are zero.", "Write the array again.")
    return samples


def _refuse_others(array: BartArray, handled: Collection[int]) -> None:
    for number, (name, length) in enumerate(zip(_NAMES, array.dimensions, strict=True)):
        if length > 1 and number not in handled:
            raise UnsupportedData(
                f"The array has {length} entries along BART's dimension {number} ({name}), which is not handled here.",
                f"Give one of them: `bart slice {number} 0`.",
            )
