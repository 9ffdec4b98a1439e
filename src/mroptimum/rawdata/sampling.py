"""Which lines of k-space are the regular sampling of the image, and which were only added to calibrate it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mroptimum.rawdata.acquisition import Mask

_WIDEST_BLOCK = 0.75
"""Calibration lines cover at most this part of k-space."""
_MOST_KINDS_OF_ROWS = 4


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
    candidates = [
        (comb_z, comb_y)
        for comb_y in _combs(certain, recorded)
        for comb_z in _combs(certain.T, recorded.T)
        if _is_sampling(comb_z, comb_y, certain, recorded)
    ]
    if not candidates:
        return Sampling(lines=recorded.copy(), acceleration=(1, 1), extra=np.zeros_like(recorded), is_regular=False)
    comb_z, comb_y = max(candidates, key=lambda combs: (combs[0].step * combs[1].step, len(combs[0]) * len(combs[1])))
    regular = _product(comb_z, comb_y, recorded)
    return Sampling(lines=regular, acceleration=(comb_y.step, comb_z.step), extra=recorded & ~regular, is_regular=True)


def _combs(certain: Mask, recorded: Mask) -> list[range]:
    """Return the combs along the last axis that rows (z, y) may be made of.

    There are rows of the comb, rows of calibration lines, and rows of both: more than a few kinds are no comb.
    """
    kinds = {
        (row.tobytes(), of_certain.tobytes()): (row, of_certain)
        for row, of_certain in zip(recorded, certain, strict=True)
        if of_certain.any()
    }
    if len(kinds) > _MOST_KINDS_OF_ROWS:
        return []
    combs = [_comb(_where(of_certain), _where(row)) for row, of_certain in kinds.values()]
    return [comb for comb in combs if comb is not None]


def _product(comb_z: range, comb_y: range, like: Mask) -> Mask:
    regular = np.zeros_like(like)
    regular[np.ix_(comb_z, comb_y)] = True
    return regular


def _is_sampling(comb_z: range, comb_y: range, certain: Mask, recorded: Mask) -> bool:
    regular = _product(comb_z, comb_y, recorded)
    return not (regular & ~recorded).any() and _is_block(certain & ~regular, recorded)


def _is_block(extra: Mask, recorded: Mask) -> bool:
    """Return whether unmarked lines beside the comb lie in one rectangle without holes, not as large as k-space.

    Lines shifted from partition to partition, and k-space without its corners, are combs with lines beside them, too.
    """
    if not extra.any():
        return True
    (z_first, z_last), (y_first, y_last) = (np.flatnonzero(extra.any(axis=axis))[[0, -1]] for axis in (1, 0))
    is_full = bool(recorded[z_first : z_last + 1, y_first : y_last + 1].all())
    extents = (_extent(np.asarray(recorded.any(axis=axis))) for axis in (1, 0))
    widths = (z_last - z_first + 1, y_last - y_first + 1)
    return is_full and any(w <= _WIDEST_BLOCK * extent for w, extent in zip(widths, extents, strict=True))


def _extent(row: Mask) -> int:
    return int(np.ptp(np.flatnonzero(row))) + 1


def _where(row: Mask) -> list[int]:
    return [int(index) for index in np.flatnonzero(row)]


def _comb(certain: list[int], recorded: list[int]) -> range | None:
    """Return the teeth of the widest comb through the first certain line, None where there is no comb.

    Every tooth must be recorded. Certain lines between the teeth are allowed where calibration lines are: in one block
    without holes. A block nearly as wide as k-space is none: it is full sampling with a hole in it.
    """
    present = set(recorded)
    # No comb is wider than the widest gap that was left: few certain lines, at both ends, may lie further apart.
    gaps = {b - a for a, b in pairwise(recorded)} or {1}
    spacings = gaps | {gap for gap in (b - a for a, b in pairwise(certain)) if gap <= max(gaps)}
    for spacing in sorted(spacings, reverse=True):
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


def calibration_block(mask: Mask, seed: Mask) -> Mask:
    """Return the lines of `mask` ``(z, y)`` that calibrate: those around all of `seed` without a hole between them.

    A rectangle where there is one, grown as far as it stays full; else, for each z, the unbroken run along y.
    """
    if not seed.any():
        return np.zeros_like(mask)
    (z_first, z_last), (y_first, y_last) = (np.flatnonzero(seed.any(axis=axis))[[0, -1]] for axis in (1, 0))
    if not mask[z_first : z_last + 1, y_first : y_last + 1].all():
        return _runs(mask, seed)
    y_first, y_last = _grown(np.asarray(mask[z_first : z_last + 1].all(axis=0)), y_first, y_last)
    z_first, z_last = _grown(np.asarray(mask[:, y_first : y_last + 1].all(axis=1)), z_first, z_last)
    block = np.zeros_like(mask)
    block[z_first : z_last + 1, y_first : y_last + 1] = True
    return block


def _runs(mask: Mask, seed: Mask) -> Mask:
    block = np.zeros_like(mask)
    for z, (row, wanted) in enumerate(zip(mask, seed, strict=True)):
        if wanted.any():
            first, last = np.flatnonzero(wanted)[[0, -1]]
            first, last = _grown(row, first, last)
            block[z, first : last + 1] = row[first : last + 1]
    return block


def _grown(row: Mask, first: np.intp, last: np.intp) -> tuple[np.intp, np.intp]:
    """Return the ends of the unbroken run that goes on from `first` and `last` on either side."""
    while first > 0 and row[first - 1]:
        first -= np.intp(1)
    while last < len(row) - 1 and row[last + 1]:
        last += np.intp(1)
    return first, last


def is_without_gaps(lines: Mask) -> bool:
    """Return whether the lines ``(z, y)`` are one run along each direction: all of k-space, or all but its ends.

    Its corners may be missing, too (elliptical sampling).
    """
    return all(
        np.all(np.diff(np.flatnonzero(line)) == 1)
        for direction in (lines, lines.T, [lines.any(axis=1)], [lines.any(axis=0)])
        for line in direction
    )


def is_lattice(lines: Mask, acceleration: tuple[int, int]) -> bool:
    """Return whether the lines ``(z, y)`` are one in `acceleration` (y, z) along each direction, whatever the other."""
    along_z, along_y = lines.any(axis=1), lines.any(axis=0)
    return bool(
        np.array_equal(lines, np.outer(along_z, along_y))
        and np.all(np.diff(np.flatnonzero(along_y)) == acceleration[0])
        and np.all(np.diff(np.flatnonzero(along_z)) == acceleration[1])
    )


def is_shifted(lines: Mask) -> bool:
    """Return whether the comb along y is the same in every partition but for its first line (CAIPIRINHA)."""
    wide = [np.flatnonzero(row) for row in lines if np.ptp(np.flatnonzero(row) if row.any() else [0]) > row.size // 2]
    spacings = {int(np.diff(row).max()) for row in wide}
    return len(spacings) == 1 and len({int(row[0]) % min(spacings) for row in wide}) > 1


def irregularity(lines: Mask) -> str:
    """Say in words what is irregular about lines ``(z, y)`` that are no lattice."""
    if is_shifted(lines):
        return "The sampled lines are shifted from partition to partition (CAIPIRINHA)"
    return f"K-space is sampled irregularly ({int(lines.sum())} of {lines.size} lines)"


def sampling_warnings(sampling: Sampling) -> tuple[str, ...]:
    """Return what a person should know of the sampling, whatever the format."""
    if sampling.is_regular:
        return ()
    if is_without_gaps(sampling.lines):
        return ("The corners of k-space were not sampled (elliptical sampling): they count as zero.",)
    return (f"{irregularity(sampling.lines)}; parallel imaging needs regular sampling.",)


def central(n: int, width: int) -> Mask:
    """Return which of `n` samples are the `width` central ones."""
    start = n // 2 - width // 2
    index = np.arange(n)
    return (index >= start) & (index < start + width)


def central_block(sampled: Mask) -> tuple[int, int]:
    """Return the extent (z, y) of the largest block around the centre of k-space in which all lines are sampled.

    An axis sampled from end to end counts whole; else the block reaches as far on one side as on the other, or is the
    centre alone. 0 where the centre was not sampled.
    """
    n_z = len(sampled)
    heights = [n_z, 1, *range(2, n_z, 2)]
    blocks = [(height, _central_run(np.asarray(sampled[central(n_z, height)].all(axis=0)))) for height in heights]
    largest = max(blocks, key=lambda block: block[0] * block[1])
    return largest if largest[1] else (0, 0)


def _central_run(row: Mask) -> int:
    if row.all():
        return len(row)
    missing = np.flatnonzero(~row)
    centre = len(row) // 2
    before = centre - 1 - int(missing[missing < centre].max(initial=-1))
    after = int(missing[missing >= centre].min(initial=len(row))) - centre
    return max(2 * min(before, after), int(row[centre]))
