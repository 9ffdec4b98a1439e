"""An image as a scanner, or another program, reconstructed it: magnitudes and what the header says of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mroptimum.rawdata.acquisition import SliceGeometry


@dataclass(frozen=True, kw_only=True)
class ParallelImaging:
    """Whether an image was unfolded from fewer lines; None: its header does not say. `source` is where it was found."""

    is_used: bool | None
    source: str
    acceleration: tuple[int, int] = (1, 1)


NOT_SAID = ParallelImaging(is_used=None, source="the header does not say")


@dataclass(frozen=True, kw_only=True, eq=False)
class MagnitudeImage:
    """``data`` is (slice, y, x), in the units of the file once its own scaling is applied.

    ``geometry`` has one entry a slice, empty when the file knows none; its readout direction is that of x, its phase
    direction that of y. Times are seconds, angles degrees; None: the file does not say.
    """

    data: NDArray[np.float64]
    file_format: str
    geometry: tuple[SliceGeometry, ...] = ()
    parallel_imaging: ParallelImaging = NOT_SAID
    field_strength_t: float | None = None
    flip_angle_deg: float | None = None
    echo_time_s: float | None = None
    repetition_time_s: float | None = None
    removed_fields: tuple[str, ...] = ()
    warnings: tuple[str, ...] = field(default=())
