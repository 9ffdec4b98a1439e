"""Two arrays of the same voxels: their ratio, their difference, and how large it is beside the errors they state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.floating[Any]]

NORMAL_95 = 1.959963984540054
"""95 % of a normal distribution lies within this many standard deviations of its mean."""
BEYOND_ALL_BOUNDS = 1e100
"""A value this large, or the reciprocal of one this small, is damage and counts as none; squares of it still add up."""
STATED_ERROR_IN_WORDS = (
    "Stated errors: B - A beside the standard errors that the packages state for their SNR maps, sqrt(a² + b²), every "
    "voxel counted as independent; a package that states none counts as exact. By chance alone 5 % of voxels would "
    "differ by more than 1.96 of them."
)


@dataclass(frozen=True, kw_only=True)
class StatedError:
    """A difference beside the standard errors that both maps state.

    ``of_mean`` is the standard error of the mean difference, ``in_errors`` the mean difference in multiples of it, and
    ``part_beyond`` the part of voxels that differ by more than 1.96 standard errors (0.05 by chance alone).
    """

    of_mean: float
    in_errors: float
    part_beyond: float

    @property
    def is_exceeded(self) -> bool:
        """Whether the mean difference is more than chance would give in 95 of 100 repetitions."""
        return abs(self.in_errors) > NORMAL_95


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How B differs from A over some voxels: B - A in the unit of the map, and B / A where neither is 0.

    ``sd`` is that of the voxels' differences, None for one voxel; the ratios are None where no voxel has one.
    ``stated`` is None where neither map states an error.
    """

    n_voxels: int
    mean_a: float
    mean_b: float
    mean: float
    sd: float | None
    median: float
    largest: float
    mean_ratio: float | None
    median_ratio: float | None
    stated: StatedError | None


def ratio(a: Values, b: Values) -> NDArray[np.float32]:
    """Return B / A, 0 where either is 0 or has no value."""
    found = np.zeros(a.shape, dtype=np.float32)
    usable = np.isfinite(a) & np.isfinite(b) & (a != 0) & (b != 0)
    with np.errstate(over="ignore"):
        np.divide(b, a, out=found, where=usable, casting="same_kind")
    found[~np.isfinite(found)] = 0
    return found


def difference(
    a: Values, b: Values, *, error_a: Values | None = None, error_b: Values | None = None
) -> Difference | None:
    """Compare the values of the same voxels, (voxel,), given their standard errors where they are known.

    Voxels without a value in either do not count; None if none is left.
    """
    a, b = a.astype(np.float64), b.astype(np.float64)
    usable = (np.abs(a) < BEYOND_ALL_BOUNDS) & (np.abs(b) < BEYOND_ALL_BOUNDS)
    if not usable.any():
        return None
    a, b = a[usable], b[usable]
    apart = b - a
    both = (np.abs(a) > 1 / BEYOND_ALL_BOUNDS) & (b != 0)
    quotient = b[both] / a[both]
    return Difference(
        n_voxels=int(a.size),
        mean_a=float(a.mean()),
        mean_b=float(b.mean()),
        mean=float(apart.mean()),
        sd=float(apart.std(ddof=1)) if a.size > 1 else None,
        median=float(np.median(apart)),
        largest=float(apart[np.argmax(np.abs(apart))]),
        mean_ratio=float(quotient.mean()) if quotient.size else None,
        median_ratio=float(np.median(quotient)) if quotient.size else None,
        stated=_stated(apart, _variance(error_a, usable) + _variance(error_b, usable)),
    )


def _variance(error: Values | None, usable: NDArray[np.bool_]) -> NDArray[np.float64]:
    if error is None:
        return np.zeros(int(np.count_nonzero(usable)))
    with np.errstate(over="ignore"):
        variance: NDArray[np.float64] = error[usable].astype(np.float64) ** 2
    return variance


def _stated(apart: NDArray[np.float64], variance: NDArray[np.float64]) -> StatedError | None:
    known = (variance > BEYOND_ALL_BOUNDS**-2) & (variance < BEYOND_ALL_BOUNDS**2)
    if not known.any():
        return None
    apart, sd = apart[known], np.sqrt(variance[known])
    of_mean = float(np.sqrt(np.sum(sd**2)) / sd.size)
    return StatedError(
        of_mean=of_mean,
        in_errors=float(apart.mean()) / of_mean,
        part_beyond=float(np.mean(np.abs(apart) > NORMAL_95 * sd)),
    )
