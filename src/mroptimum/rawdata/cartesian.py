"""From readouts in the order they were recorded to k-space on a Cartesian grid. Decides first, then copies samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mroptimum.errors import UnreadableFile, UnsupportedData
from mroptimum.rawdata.acquisition import Calibration, Complex64, Mask
from mroptimum.rawdata.limits import refuse_if_absurd
from mroptimum.rawdata.readout import Readout
from mroptimum.rawdata.sampling import (
    Axis,
    Sampling,
    calibration_block,
    centred_axis,
    sampling_warnings,
    split_sampling,
)

_BYTES_PER_SAMPLE = 8


@dataclass(frozen=True, kw_only=True)
class DeclaredMatrix:
    """The lengths a header names for each axis, most trusted first; they may be wrong and only break ties."""

    x: Sequence[int] = ()
    y: Sequence[int] = ()
    z: Sequence[int] = ()


@dataclass(frozen=True, kw_only=True)
class GridPlan:
    """Where every readout goes. `slices` are the recorded slice counters in the order of the result.

    `calibration_of_each` are the calibration lines of every average and repetition; none where some are missing.
    """

    x: Axis
    y: Axis
    z: Axis
    n_coils: int
    averages: tuple[int, ...]
    repetitions: tuple[int, ...]
    slices: tuple[int, ...]
    imaging: tuple[Readout, ...]
    calibration: tuple[Readout, ...]
    calibration_of_each: tuple[Readout, ...]
    sampling: Sampling
    calibration_lines: Mask
    warnings: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int, int, int, int, int, int]:
        """The shape of the k-space: (average, repetition, slice, coil, z, y, x)."""
        return (
            len(self.averages),
            len(self.repetitions),
            len(self.slices),
            self.n_coils,
            self.z.length,
            self.y.length,
            self.x.length,
        )


def plan_grid(
    readouts: Sequence[Readout], declared: DeclaredMatrix, *, file_bytes: int, slice_order: Sequence[int] | None = None
) -> GridPlan:
    """Decide the grid and every readout's place in it.

    `slice_order` lists slice counters in spatial order (None: by counter). Raises `UnsupportedData` for several
    contrasts, phases or sets and for lines that cannot be told apart, `UnreadableFile` for absurd counters.
    """
    imaging = [readout for readout in readouts if readout.role.is_imaging]
    calibration = [readout for readout in readouts if readout.role.is_calibration]
    _refuse_several(imaging)
    n_samples = _same(imaging, "samples", [readout.n_samples for readout in imaging])
    n_coils = _same(imaging, "coils", [readout.n_coils for readout in imaging])
    usable = [r for r in calibration if (r.n_samples, r.n_coils) == (n_samples, n_coils)]

    x = centred_axis(last=n_samples - 1, centre=_common(imaging, "centre_x"), spacing=1, declared=declared.x)
    y = _line_axis([r.y for r in imaging], [r.y for r in usable], _common(imaging, "centre_y"), declared.y, "line")
    z = _line_axis([r.z for r in imaging], [r.z for r in usable], _common(imaging, "centre_z"), declared.z, "partition")
    slices = _ordered(sorted({r.slice for r in imaging}), slice_order)
    averages = tuple(sorted({r.average for r in imaging}))
    repetitions = tuple(sorted({r.repetition for r in imaging}))
    n_elements = len(averages) * len(repetitions) * len(slices) * n_coils * x.length * y.length * z.length
    refuse_if_absurd(n_elements * _BYTES_PER_SAMPLE, file_bytes, "K-space")

    recorded = _mask(imaging, z, y)
    sampling = split_sampling(recorded, _mask([r for r in imaging if r.role.is_calibration], z, y))
    kept = [r for r in imaging if sampling.lines[r.z + z.shift, r.y + y.shift]]
    _refuse_incomplete(kept, sampling.lines, (averages, repetitions, slices))
    block = calibration_block(recorded, sampling.extra)
    unmarked = [r for r in imaging if not r.role.is_calibration and block[r.z + z.shift, r.y + y.shift]]
    calibrating = [*usable, *unmarked]
    found = _first_of_repeated(calibrating, (averages[0], repetitions[0]))
    complete = _in_every_slice(found, slices)
    calibration_lines = _mask(complete, z, y)
    return GridPlan(
        x=x,
        y=y,
        z=z,
        n_coils=n_coils,
        averages=averages,
        repetitions=repetitions,
        slices=slices,
        imaging=tuple(kept),
        calibration=complete,
        calibration_of_each=_of_each(
            [r for r in calibrating if calibration_lines[r.z + z.shift, r.y + y.shift]],
            int(calibration_lines.sum()),
            (averages, repetitions, slices),
        ),
        sampling=sampling,
        calibration_lines=calibration_lines,
        warnings=(
            *sampling_warnings(sampling),
            *_calibration_warnings(len(calibration) - len(usable), len(found) - len(complete)),
        ),
    )


def fill_grid(plan: GridPlan, samples: Callable[[Readout], Complex64]) -> tuple[Complex64, Calibration | None]:
    """Copy every readout's samples ``(coil, sample)`` to its place; k-space is zero where nothing was recorded."""
    kspace = np.zeros(plan.shape, np.complex64)
    average_index = {counter: i for i, counter in enumerate(plan.averages)}
    repetition_index = {counter: i for i, counter in enumerate(plan.repetitions)}
    slice_index = {counter: i for i, counter in enumerate(plan.slices)}
    for readout in plan.imaging:
        _place(
            kspace[average_index[readout.average], repetition_index[readout.repetition], slice_index[readout.slice]],
            plan,
            readout,
            samples(readout),
        )
    if not plan.calibration:
        return kspace, None
    reference = np.zeros(plan.shape[2:], np.complex64)
    for readout in reversed(plan.calibration):  # of lines recorded more than once, the first stays
        _place(reference[slice_index[readout.slice]], plan, readout, samples(readout))
    of_each = None
    if plan.calibration_of_each:
        line_index = {(int(z), int(y)): i for i, (z, y) in enumerate(np.argwhere(plan.calibration_lines))}
        of_each = np.zeros((*plan.shape[:4], len(line_index), plan.x.length), np.complex64)
        for readout in plan.calibration_of_each:
            destination = of_each[
                average_index[readout.average], repetition_index[readout.repetition], slice_index[readout.slice]
            ]
            line = line_index[readout.z + plan.z.shift, readout.y + plan.y.shift]
            _put(destination[:, line], plan, readout, samples(readout))
    return kspace, Calibration(kspace=reference, sampled=plan.calibration_lines, of_each=of_each)


def _place(destination: Complex64, plan: GridPlan, readout: Readout, samples: Complex64) -> None:
    _put(destination[:, readout.z + plan.z.shift, readout.y + plan.y.shift], plan, readout, samples)


def _put(line: Complex64, plan: GridPlan, readout: Readout, samples: Complex64) -> None:
    keep = slice(readout.discard_before, readout.n_samples - readout.discard_after)
    start = plan.x.shift + readout.discard_before
    stop = plan.x.shift + readout.n_samples - readout.discard_after
    line[:, start:stop] = samples[:, keep]


def _refuse_several(imaging: Sequence[Readout]) -> None:
    if not imaging:
        raise UnsupportedData(
            "The file holds no imaging lines.",
            "Give the file of the imaging measurement; a noise or adjustment scan alone gives no image.",
        )
    if any(readout.is_reversed for readout in imaging):
        raise UnsupportedData(
            "Some imaging lines were read backwards, as in EPI; they need a phase correction that is not done here.",
            "Give phase-corrected k-space, or measure SNR with a sequence that reads every line forwards.",
        )
    for name, plural in (("contrast", "contrasts (echoes)"), ("phase", "cardiac phases"), ("set", "sets")):
        counters = {getattr(readout, name) for readout in imaging}
        if len(counters) > 1:
            raise UnsupportedData(
                f"The file holds {len(counters)} {plural}; one is handled.",
                f"Export or acquire one {name} alone.",
            )


def _same(imaging: Sequence[Readout], what: str, values: Sequence[int]) -> int:
    counts = Counter(values)
    if len(counts) > 1:
        listed = ", ".join(f"{count} of {value}" for value, count in counts.most_common(4))
        raise UnsupportedData(
            f"The {len(imaging)} imaging lines do not all have the same number of {what} ({listed}).",
            "Give a Cartesian acquisition whose lines are all alike.",
        )
    return values[0]


def _common(imaging: Sequence[Readout], name: str) -> int | None:
    counts = Counter(getattr(readout, name) for readout in imaging)
    (value, _) = counts.most_common(1)[0]
    return None if value is None else int(value)


def _line_axis(
    imaging: Sequence[int], calibration: Sequence[int], centre: int | None, declared: Sequence[int], what: str
) -> Axis:
    indices = np.unique(imaging)
    steps = np.diff(indices)
    spacing = int(steps.max()) if len(steps) else 1
    last = max(max(imaging), max(calibration, default=0))
    if centre is not None and centre > last:
        raise UnsupportedData(
            f"The centre of k-space ({what} {centre}) was not recorded: the file ends at {what} {last}.",
            "Give a complete acquisition.",
        )
    # Gaps wider than any acceleration are holes, not a comb: they say nothing about what follows the last line.
    return centred_axis(last=last, centre=centre, spacing=min(spacing, 16), declared=declared)


def _ordered(slices: Sequence[int], order: Sequence[int] | None) -> tuple[int, ...]:
    if order is None:
        return tuple(slices)
    known = [counter for counter in order if counter in slices]
    return (*known, *(counter for counter in slices if counter not in known))


def _mask(readouts: Sequence[Readout], z: Axis, y: Axis) -> Mask:
    mask = np.zeros((z.length, y.length), np.bool_)
    for readout in readouts:
        mask[readout.z + z.shift, readout.y + y.shift] = True
    return mask


def _refuse_incomplete(
    kept: Sequence[Readout],
    lines: Mask,
    counters: tuple[Sequence[int], Sequence[int], Sequence[int]],
) -> None:
    seen = Counter((r.average, r.repetition, r.slice, r.z, r.y) for r in kept)
    repeated = [place for place, count in seen.items() if count > 1]
    if repeated:
        average, repetition, slice_, z, y = repeated[0]
        raise UnsupportedData(
            f"{len(repeated)} lines were recorded more than once with the same counters "
            f"(the first: line {y}, partition {z}, slice {slice_}, average {average}, repetition {repetition}).",
            "Label averages and repetitions in the sequence, so that they can be told apart.",
        )
    per_image = int(lines.sum())
    expected = per_image * int(np.prod([len(axis) for axis in counters]))
    if len(seen) != expected:
        raise UnreadableFile(
            f"The acquisition is incomplete: {len(seen)} of {expected} lines are there "
            f"({' x '.join(str(len(axis)) for axis in counters)} averages x repetitions x slices, "
            f"{per_image} lines each).",
            "Give a measurement that ran to its end, with the same lines in every slice and repetition.",
        )


def _first_of_repeated(calibration: Sequence[Readout], first: tuple[int, int]) -> list[Readout]:
    """Return the calibration readouts, of image lines those of the first average and repetition only."""
    return [r for r in calibration if not r.role.is_imaging or (r.average, r.repetition) == first]


def _of_each(
    calibrating: Sequence[Readout], n_lines: int, counters: tuple[Sequence[int], Sequence[int], Sequence[int]]
) -> tuple[Readout, ...]:
    """Return one readout of each line for each average, repetition and slice; none if there is one of both, or gaps."""
    averages, repetitions, slices = counters
    if len(averages) * len(repetitions) == 1:
        return ()
    first: dict[tuple[int, int, int, int, int], Readout] = {}
    for readout in calibrating:
        if readout.average in averages and readout.repetition in repetitions and readout.slice in slices:
            first.setdefault((readout.average, readout.repetition, readout.slice, readout.z, readout.y), readout)
    is_complete = len(first) == n_lines * len(averages) * len(repetitions) * len(slices)
    return tuple(first.values()) if is_complete else ()


def _in_every_slice(calibration: Sequence[Readout], slices: Sequence[int]) -> tuple[Readout, ...]:
    """Return the readouts of lines that every slice has: a line is calibration for all slices or for none."""
    slices_of: dict[tuple[int, int], set[int]] = {}
    for readout in calibration:
        slices_of.setdefault((readout.z, readout.y), set()).add(readout.slice)
    return tuple(r for r in calibration if r.slice in slices and slices_of[r.z, r.y] >= set(slices))


def _calibration_warnings(n_other: int, n_incomplete: int) -> tuple[str, ...]:
    warnings = []
    if n_other:
        warnings.append(f"{n_other} calibration lines were left out: their readouts are not like those of the image.")
    if n_incomplete:
        warnings.append(f"{n_incomplete} calibration lines were left out: they are missing in some slices.")
    return tuple(warnings)
