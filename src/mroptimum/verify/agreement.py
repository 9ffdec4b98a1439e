"""Do two arrays of numbers say the same? To the last bit, or as nearly as single precision on another machine can."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 1e-5
"""Largest deviation between machines: single precision through a few hundred operations."""


class Agreement(StrEnum):
    """How a map of the package and its repetition agree."""

    IDENTICAL = "identical"
    """Every value is the same, to the last bit."""
    WITHIN_TOLERANCE = "within_tolerance"
    """Every value is within `TOLERANCE`."""
    DEVIATES = "deviates"
    """Some value is further away."""
    NOT_REPEATED = "not_repeated"
    """The repetition has no such map, or on other voxels."""
    NOT_STORED = "not_stored"
    """The repetition has a map that the package has not."""

    @property
    def is_good(self) -> bool:
        """Whether the map was repeated."""
        return self in {Agreement.IDENTICAL, Agreement.WITHIN_TOLERANCE}


@dataclass(frozen=True, kw_only=True)
class MapAgreement:
    """One map held to its repetition.

    ``largest_deviation`` is that of the worst voxel, relative to its value or, where that is smaller, to the root mean
    square of the map (radians for a phase, the short way round); None where one has a number and the other has not, or
    where there is nothing to compare. ``n_deviating`` voxels of ``n_voxels`` are beyond the tolerance.
    """

    map: str
    agreement: Agreement
    largest_deviation: float | None = None
    n_deviating: int = 0
    n_voxels: int = 0


def agreement(name: str, stored: NDArray[Any], repeated: NDArray[Any], *, is_phase: bool = False) -> MapAgreement:
    """Hold the repetition of a map, real or complex, to what is stored."""
    if stored.shape != repeated.shape:
        return MapAgreement(map=name, agreement=Agreement.NOT_REPEATED, n_voxels=stored.size)
    if np.array_equal(stored, repeated, equal_nan=True):
        return MapAgreement(map=name, agreement=Agreement.IDENTICAL, largest_deviation=0.0, n_voxels=stored.size)
    deviation = _phase_deviation(stored, repeated) if is_phase else _relative_deviation(stored, repeated)
    beyond = ~(deviation <= TOLERANCE)
    return MapAgreement(
        map=name,
        agreement=Agreement.DEVIATES if beyond.any() else Agreement.WITHIN_TOLERANCE,
        largest_deviation=float(deviation.max()) if np.isfinite(deviation).all() else None,
        n_deviating=int(np.count_nonzero(beyond)),
        n_voxels=stored.size,
    )


def _relative_deviation(stored: NDArray[Any], repeated: NDArray[Any]) -> NDArray[np.float64]:
    wide = np.complex128 if np.iscomplexobj(stored) else np.float64
    a, b = stored.astype(wide), repeated.astype(wide)
    same = (stored == repeated) | (np.isnan(a) & np.isnan(b))
    size = np.abs(a)
    typical = float(np.sqrt(np.mean(size[np.isfinite(size)] ** 2))) if np.isfinite(size).any() else 0.0
    scale = np.maximum(size, typical)
    deviation = np.full(a.shape, np.inf)
    with np.errstate(invalid="ignore"):
        np.divide(np.abs(a - b), scale, out=deviation, where=scale > 0)
    return np.where(same, 0.0, deviation)


def _phase_deviation(stored: NDArray[Any], repeated: NDArray[Any]) -> NDArray[np.float64]:
    apart: NDArray[np.float64] = np.abs(np.angle(np.exp(1j * (stored.astype(np.float64) - repeated))))
    return apart
