"""One recorded readout, whatever the format: what it is for, and where it belongs in k-space."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from mroptimum.rawdata.acquisition import Complex64
from mroptimum.rawdata.limits import refuse_if_absurd

_BYTES_PER_SAMPLE = 8


class Role(Enum):
    """What a readout was recorded for."""

    IMAGING = "imaging"
    """A line of the image."""
    CALIBRATION = "calibration"
    """A reference line for parallel imaging, not part of the image."""
    IMAGING_AND_CALIBRATION = "imaging and calibration"
    """A line of the image that is a reference line, too."""
    NOISE = "noise"
    """Receivers on, no excitation."""
    OTHER = "other"
    """Phase correction, navigators, feedback, dummies: never part of the image."""

    @property
    def is_imaging(self) -> bool:
        """Whether the line is part of the image."""
        return self in (Role.IMAGING, Role.IMAGING_AND_CALIBRATION)

    @property
    def is_calibration(self) -> bool:
        """Whether the line calibrates parallel imaging."""
        return self in (Role.CALIBRATION, Role.IMAGING_AND_CALIBRATION)


@dataclass(frozen=True, kw_only=True, slots=True)
class Readout:
    """One readout of all coils: role, counters as recorded, and the sample and line where k-space has its centre.

    A centre is None when the file does not give it. `discard_before` and `discard_after` are samples at either end that
    carry nothing. `is_reversed` lines were read backwards (EPI). `source` finds the samples again in the file.
    """

    role: Role
    source: int
    n_coils: int
    n_samples: int
    y: int = 0
    z: int = 0
    slice: int = 0
    average: int = 0
    repetition: int = 0
    contrast: int = 0
    phase: int = 0
    set: int = 0
    centre_x: int | None = None
    centre_y: int | None = None
    centre_z: int | None = None
    discard_before: int = 0
    discard_after: int = 0
    is_reversed: bool = False


def stack(readouts: Sequence[Readout], samples: Callable[[Readout], Complex64], *, file_bytes: int) -> Complex64:
    """Stack readouts ``(readout, coil, sample)`` unsorted: noise lines share counters, and sorting would average them.

    Of readouts of several lengths, those of the most common one are kept.
    """
    kept = alike(readouts)
    shape = (len(kept), kept[0].n_coils, kept[0].n_samples)
    refuse_if_absurd(_BYTES_PER_SAMPLE * math.prod(shape), file_bytes, "The noise scan")
    stacked = np.empty(shape, np.complex64)
    for index, readout in enumerate(kept):
        stacked[index] = samples(readout)
    return stacked


def alike(readouts: Sequence[Readout]) -> list[Readout]:
    """Return the readouts of the most common number of coils and samples."""
    ((shape, _),) = Counter((r.n_coils, r.n_samples) for r in readouts).most_common(1)
    return [r for r in readouts if (r.n_coils, r.n_samples) == shape]
