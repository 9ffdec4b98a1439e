"""From what scanners store about a slice to its axes in the patient."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from mroptimum.rawdata.acquisition import SliceGeometry, Vector


def axes_from_quaternion(quaternion: Sequence[float]) -> tuple[Vector, Vector, Vector] | None:
    """Return the (readout, phase, slice) directions of a Siemens quaternion (w, x, y, z), None if it is no rotation.

    The columns of the rotation are, in this order, the phase-encoding, the readout and the slice direction.
    """
    norm = math.sqrt(sum(component * component for component in quaternion))
    if not 0.99 < norm < 1.01:  # also refuses NaN
        return None
    w, x, y, z = (component / norm for component in quaternion)
    phase = (1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w))
    readout = (2 * (x * y - z * w), 1 - 2 * (x * x + z * z), 2 * (y * z + x * w))
    normal = (2 * (x * z + y * w), 2 * (y * z - x * w), 1 - 2 * (x * x + y * y))
    return readout, phase, normal


def in_space(centres_mm: Mapping[int, Vector], normal: Vector) -> tuple[int, ...] | None:
    """Return the keys of the slices in ascending order along their normal, None where they do not lie apart."""
    heights = {key: sum(c * n for c, n in zip(centre, normal, strict=True)) for key, centre in centres_mm.items()}
    if len(set(centres_mm.values())) < len(centres_mm) or not all(map(math.isfinite, heights.values())):
        return None
    return tuple(sorted(heights, key=lambda key: (heights[key], key)))


def slice_geometry(centre_mm: Vector, axes: tuple[Vector, Vector, Vector], fov_mm: Vector) -> SliceGeometry | None:
    """Join the parts to a geometry, None where a length or a position is no usable number."""
    numbers = (*centre_mm, *fov_mm)
    if not all(math.isfinite(number) and abs(number) < 1e4 for number in numbers) or min(fov_mm) <= 0:
        return None
    readout, phase, normal = axes
    return SliceGeometry(
        centre_mm=centre_mm,
        readout_direction=readout,
        phase_direction=phase,
        slice_direction=normal,
        fov_mm=fov_mm,
    )
