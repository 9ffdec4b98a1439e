"""Which lines of k-space are the regular sampling of the image, and which were only added to calibrate it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mroptimum.rawdata.acquisition import Mask

_WIDEST_BLOCK = 0.75
"""Calibration lines cover at most this part of k-space."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One axis of the grid: its length, and what to add to a recorded index so that `length // 2` is the centre."""

    length: int
    shift: int


def centred_axis(*, last: int, centre: int | None, spacing: int, declared: Sequence[int]) -> Axis:
    """Return the smallest axis that holds indices 0 to `last` with `centre` at `length // 2`.

    The last lines of an accelerated acquisition are not recorded, so the true length may be up to `spacing` more (twice
    that on the side opposite a partial Fourier edge); a length the header declares is taken when it is that close.
    """
    recorded = _round_up(last + 1, spacing, declared)
    if centre is None or abs(centre - recorded // 2) <= 1:
        # One line off the middle is a header that counts from one, not partial Fourier: no grid is grown for it.
        return Axis(length=recorded, shift=0)
    before, from_centre = centre, last - centre + 1
    is_longer_after = 2 * from_centre - 1 > 2 * before + 1
    needed = 2 * from_centre if is_longer_after else max(2 * before, 2 * from_centre - 1)
    fitting = [n for n in declared if 0 <= n - needed < 2 * spacing]
    length = min(fitting, default=needed)
    return Axis(length=length, shift=length // 2 - centre)


def _round_up(n: int, spacing: int, declared: Sequence[int]) -> int:
    fitting = [d for d in declared if 0 <= d - n < spacing]
    return min(fitting, default=-(-n // spacing) * spacing)


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """The imaging lines ``(z, y)``, their spacing (y, z), and the other lines that were recorded among them."""

    lines: Mask
    acceleration: tuple[int, int]
    extra: Mask
    is_regular: bool


def split_sampling(recorded: Mask, also_calibration: Mask) -> Sampling:
    """Find the regular part of the recorded imaging lines ``(z, y)``.

    `also_calibration` are imaging lines marked as calibration lines, too: they need not lie on the regular spacing.
    Lines beside it are `extra`. Where there is no regular spacing, all lines are kept and `is_regular` is false.
    """
    purely_imaging = recorded & ~also_calibration
    if not purely_imaging.any():
        purely_imaging = recorded
    spacing_z, lines_z = _comb(np.flatnonzero(purely_imaging.any(axis=1)))
    spacing_y, lines_y = _comb(np.flatnonzero(purely_imaging.any(axis=0)))
    # Calibration-and-imaging lines can stand where the comb would have a line of its own, at the ends too.
    lines_z = _extend(lines_z, spacing_z, np.asarray(recorded.any(axis=1)))
    lines_y = _extend(lines_y, spacing_y, np.asarray(recorded.any(axis=0)))
    regular = np.zeros_like(recorded)
    regular[np.ix_(lines_z, lines_y)] = True
    if (recorded & regular).sum() == regular.sum():
        return Sampling(lines=regular, acceleration=(spacing_y, spacing_z), extra=recorded & ~regular, is_regular=True)
    return Sampling(
        lines=recorded.copy(), acceleration=(spacing_y, spacing_z), extra=np.zeros_like(recorded), is_regular=False
    )


def _comb(lines: NDArray[np.intp]) -> tuple[int, list[int]]:
    """Return the spacing and the teeth of the comb through the first line, or spacing 1 and all lines if there is none.

    Lines between the teeth are allowed as one block without holes, as calibration lines are. A block nearly as wide as
    k-space is none: it is full sampling with a hole in it.
    """
    indices = [int(line) for line in lines]
    spacing = max((b - a for a, b in pairwise(indices)), default=1)
    teeth = list(range(indices[0], indices[-1] + 1, spacing))
    between = sorted(set(indices) - set(teeth))
    if not set(teeth) <= set(indices):
        return 1, indices
    if between:
        block = range(between[0], between[-1] + 1)
        if not set(block) <= set(indices) or len(block) > _WIDEST_BLOCK * (indices[-1] - indices[0] + 1):
            return 1, indices
    return spacing, teeth


def _extend(teeth: list[int], spacing: int, present: NDArray[np.bool_]) -> list[int]:
    first, last = teeth[0], teeth[-1]
    while first - spacing >= 0 and present[first - spacing]:
        first -= spacing
    while last + spacing < len(present) and present[last + spacing]:
        last += spacing
    return [*range(first, teeth[0], spacing), *teeth, *range(teeth[-1] + spacing, last + 1, spacing)]


def contiguous_block(mask: Mask, seed: Mask) -> Mask:
    """Return the lines of `mask` ``(z, y)`` in the unbroken run along y that holds all of `seed`, for each z."""
    block = np.zeros_like(mask)
    for z, (row, wanted) in enumerate(zip(mask, seed, strict=True)):
        if not wanted.any():
            continue
        first, last = np.flatnonzero(wanted)[[0, -1]]
        while first > 0 and row[first - 1]:
            first -= 1
        while last < len(row) - 1 and row[last + 1]:
            last += 1
        block[z, first : last + 1] = row[first : last + 1]
    return block
