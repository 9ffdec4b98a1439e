"""Statistics of the values in a region. The web pages show the same numbers, from the same definitions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mroptimum.roi.errors import EmptyRegion, RegionError

CONFIDENCE = 0.95
INTERVAL_IN_WORDS = (
    "95 % interval of the mean: mean ± t SD / sqrt(n), Student's t with n - 1 degrees of freedom, every voxel counted "
    "as an independent draw. It is too narrow where neighbours share noise or signal: interpolated, zero-filled, "
    "filtered or partial-Fourier images, box-averaged maps (cr). Where the map itself varies over the region, the SD "
    "is mostly that variation and not measurement error."
)


@dataclass(frozen=True, kw_only=True)
class Interval:
    """From `low` to `high`."""

    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class RegionStatistics:
    """What a map says in a region, in the unit of the map.

    ``n_voxels`` have a value and count; ``n_zero`` of them are exactly 0, which our maps are outside the object.
    ``n_without_value`` (NaN, infinite) do not count anywhere. ``sd`` has n - 1 in its denominator; it and
    ``mean_interval`` (`INTERVAL_IN_WORDS`) are None for a single voxel. ``volume_mm3`` is that of the voxels that
    count, None where their size is not known.
    """

    n_voxels: int
    n_zero: int
    n_without_value: int
    volume_mm3: float | None
    mean: float
    sd: float | None
    median: float
    minimum: float
    maximum: float
    mean_interval: Interval | None


def statistics(values: NDArray[Any], *, voxel_volume_mm3: float | None) -> RegionStatistics:
    """Return the statistics of real values of any shape, computed in double precision.

    Raises `EmptyRegion` where there is no finite value, and `RegionError` for values beyond all bounds.
    """
    everything = values.astype(np.float64).ravel()
    found = everything[np.isfinite(everything)]
    n = int(found.size)
    if n == 0:
        raise EmptyRegion("The region holds no voxel with a value.", "Check where it lies, and that it is not empty.")
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(found.mean())
        sd = float(found.std(ddof=1)) if n > 1 else None
    if not np.isfinite([mean, sd or 0.0]).all():
        raise RegionError("The values in the region are too large to be averaged.", "Check the map.")
    return RegionStatistics(
        n_voxels=n,
        n_zero=int(np.count_nonzero(found == 0)),
        n_without_value=int(everything.size) - n,
        volume_mm3=None if voxel_volume_mm3 is None else n * voxel_volume_mm3,
        mean=mean,
        sd=sd,
        median=float(np.median(found)),
        minimum=float(found.min()),
        maximum=float(found.max()),
        mean_interval=None if sd is None else _mean_interval(mean, sd, n),
    )


def _mean_interval(mean: float, sd: float, n: int) -> Interval:
    from scipy.special import stdtrit

    half_width = float(stdtrit(n - 1, 0.5 + CONFIDENCE / 2)) * sd / float(np.sqrt(n))
    return Interval(low=mean - half_width, high=mean + half_width)
