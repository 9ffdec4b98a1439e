"""Which lines of k-space are the regular sampling of the image, and which were only added to calibrate it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

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
    if centre is None:
        return Axis(length=recorded, shift=0)
    before, from_centre = centre, last - centre + 1
    needed = max(2 * before, 2 * from_centre - 1)
    fitting = [n for n in declared if 0 <= n - needed < 2 * spacing]
    if fitting:
        length = min(fitting)
    elif abs(centre - recorded // 2) <= 1:
        # One line off the middle is a header that counts from one, not partial Fourier: no grid is grown for it.
        return Axis(length=recorded, shift=0)
    else:
        length = needed + needed % 2
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
    certain = recorded & ~also_calibration
    if not certain.any():
        certain = recorded
    comb_z = _comb(_used(certain, axis=1), _used(recorded, axis=1))
    comb_y = _comb(_used(certain, axis=0), _used(recorded, axis=0))
    if comb_y is not None and comb_z is not None:
        regular = np.zeros_like(recorded)
        regular[np.ix_(comb_z, comb_y)] = True
        if not (regular & ~recorded).any():
            acceleration = (comb_y.step, comb_z.step)
            return Sampling(lines=regular, acceleration=acceleration, extra=recorded & ~regular, is_regular=True)
    return Sampling(lines=recorded.copy(), acceleration=(1, 1), extra=np.zeros_like(recorded), is_regular=False)


def _used(mask: Mask, *, axis: int) -> list[int]:
    return [int(index) for index in np.flatnonzero(mask.any(axis=axis))]


def _comb(certain: list[int], recorded: list[int]) -> range | None:
    """Return the teeth of the widest comb through the first certain line, None where there is no comb.

    Every tooth must be recorded. Certain lines between the teeth are allowed where calibration lines are: in one block
    without holes. A block nearly as wide as k-space is none: it is full sampling with a hole in it.
    """
    present = set(recorded)
    for spacing in sorted({b - a for a, b in pairwise(certain)} or {1}, reverse=True):
        first, last = certain[0], certain[-1]
        while first - spacing in present:
            first -= spacing
        while last + spacing in present:
            last += spacing
        teeth = range(first, last + 1, spacing)
        between = sorted(set(certain) - set(teeth))
        block = range(between[0], between[-1] + 1) if between else range(0)
        is_block = present.issuperset(block) and len(block) <= _WIDEST_BLOCK * (recorded[-1] - recorded[0] + 1)
        if present.issuperset(teeth) and is_block:
            return teeth
    return None


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


def sampling_warnings(sampling: Sampling) -> tuple[str, ...]:
    """Return what a person should know of the sampling, whatever the format."""
    if sampling.is_regular:
        return ()
    n_lines, n_places = int(sampling.lines.sum()), sampling.lines.size
    return (
        f"K-space is sampled irregularly ({n_lines} of {n_places} lines); parallel imaging needs regular sampling.",
    )
