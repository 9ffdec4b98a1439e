"""The noise scan of a TWIX file, and the time between its samples, which no header states for every case.

A noise scan that is a measurement of its own (Siemens: *AdjCoilSens*) has its dwell time in its own header. Noise lines
in front of an imaging measurement are taken by Siemens' sequences at 130 Hz per pixel whatever the image's bandwidth,
so a readout lasts 1/130 s; sequences of researchers use the image's own readout. The header does not tell the two
apart, but the image does: noise power goes with bandwidth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mroptimum.errors import UnsupportedData, WrongKindOfFile
from mroptimum.rawdata.acquisition import Complex64, NoiseScan
from mroptimum.rawdata.noise_power import image_noise_power
from mroptimum.rawdata.plausibility import refuse_implausible_noise
from mroptimum.rawdata.readout import alike, stack
from mroptimum.rawdata.twix_content import TwixMeasurement

_VENDOR_BANDWIDTH_PER_PIXEL_HZ = 130.0
_LINES_LOOKED_AT = 512
_ALIKE = 0.05
_UNCERTAIN = 0.25
_IMPOSSIBLE_BELOW = 0.8
"""Noise seen over noise predicted, below which the prediction is wrong: signal can add to noise, nothing takes away."""


@dataclass(frozen=True, kw_only=True)
class DwellTime:
    """The time between noise samples, how it was found, and what a person should be told about it, if anything."""

    seconds: float | None
    source: str
    warning: str | None = None


def noise_of_image(
    measurements: Sequence[TwixMeasurement], image: TwixMeasurement, *, file_bytes: int
) -> tuple[NoiseScan | None, tuple[str, ...]]:
    """Return the noise scan that fits the image, the longest if there are several, and warnings.

    It must have the image's coils; where both name them, its coils are put in the image's order.
    """
    fitting: list[NoiseScan] = []
    warnings: list[str] = []
    for measurement in measurements:
        if not measurement.noise:
            continue
        order = _coil_order(measurement, image)
        if order is None:
            warnings.append("A noise scan in the file was left out: it was recorded with other coils than the image.")
            continue
        try:
            scan = noise_of(measurement, file_bytes=file_bytes)
        except (WrongKindOfFile, UnsupportedData) as error:
            warnings.append(f"A noise scan in the file was left out. {error.message} {error.next_step}")
            continue
        names = tuple(scan.coil_names[index] for index in order) if scan.coil_names else ()
        fitting.append(replace(scan, samples=scan.samples[:, order], coil_names=names))
    if not fitting:
        return None, tuple(warnings)
    best = max(fitting, key=lambda scan: scan.samples.size)
    return replace(best, warnings=()), (*warnings, *best.warnings)


def noise_of(measurement: TwixMeasurement, *, file_bytes: int) -> NoiseScan:
    """Return the noise lines of one measurement, unsorted and unaveraged."""
    header, lines = measurement.header, measurement.lines
    samples = stack(measurement.noise, lines.samples, file_bytes=file_bytes)
    refuse_implausible_noise(samples)
    imaging = measurement.imaging
    if imaging:
        dwell = embedded_dwell_time(
            samples,
            [lines.samples(r) for r in alike(imaging)[:_LINES_LOOKED_AT]],
            header.dwell_time_s,
            oversampling=header.readout_oversampling or 1.0,
        )
        where = "noise lines of the imaging measurement"
    else:
        dwell = DwellTime(seconds=header.dwell_time_s, source="header")
        where = "a noise measurement of its own"
    return NoiseScan(
        samples=samples,
        dwell_time_s=dwell.seconds,
        noise_bandwidth_ratio=header.noise_bandwidth_ratio,
        origin=f"{where}; dwell time: {dwell.source}",
        coil_names=measurement.coil_names(alike(measurement.noise)[0]),
        warnings=(dwell.warning,) if dwell.warning else (),
    )


def embedded_dwell_time(
    noise: Complex64, imaging: Sequence[Complex64], image_dwell_time_s: float | None, *, oversampling: float
) -> DwellTime:
    """Decide the dwell time of noise lines ``(readout, coil, sample)`` recorded inside an imaging measurement.

    `imaging` are readouts of the image, each ``(coil, sample)``, `oversampling` is that of the readout. Of the two
    known habits, the one that fits the noise of the image is taken; where signal is in the way, the one that does not
    predict more than was seen. Raises `UnsupportedData` when neither can be ruled out.
    """
    if image_dwell_time_s is None:
        return DwellTime(seconds=None, source="the header gives none")
    vendor_s = 1 / (_VENDOR_BANDWIDTH_PER_PIXEL_HZ * noise.shape[-1])
    if abs(np.log(vendor_s / image_dwell_time_s)) < _ALIKE:
        return DwellTime(seconds=image_dwell_time_s, source="that of the image (header)")
    seen = image_noise_power(imaging, noise, oversampling=oversampling)
    if seen is None:
        raise _undecided("no readout of the image can be compared with them")
    habits = {"that of the image": image_dwell_time_s, "130 Hz per pixel": vendor_s}
    misfits = {habit: seen.ratio * image_dwell_time_s / seconds for habit, seconds in habits.items()}
    habit = min(misfits, key=lambda name: abs(np.log(misfits[name])))
    if not seen.is_noise_alone or abs(misfits[habit] - 1) >= _UNCERTAIN:
        # What was seen is an upper bound: of the habits, only one that predicts too much can be ruled out.
        if min(misfits.values()) >= _IMPOSSIBLE_BELOW:
            raise _undecided("the image's signal covers its noise")
        habit = max(misfits, key=lambda name: misfits[name])
    misfit = misfits[habit]
    what = "noise" if seen.is_noise_alone else "noise (and some signal)"
    found = f"the {what} seen in the image then has {misfit:.2f} times the power expected from the noise lines"
    return DwellTime(
        seconds=habits[habit],
        source=f"{habit}, inferred: {found}",
        warning=None
        if abs(misfit - 1) < _UNCERTAIN
        else f"The dwell time of the noise lines was inferred ({habit}) and is uncertain: {found}.",
    )


def _undecided(why: str) -> UnsupportedData:
    return UnsupportedData(
        f"The dwell time of the noise lines in front of the image is in no header, and cannot be inferred: {why}.",
        "Give the noise scan as a file of its own.",
    )


def _coil_order(noise: TwixMeasurement, image: TwixMeasurement) -> list[int] | None:
    """Return the index of each of the image's coils in the noise scan, None if they are other coils."""
    first_noise, first_image = alike(noise.noise)[0], image.imaging[0]
    if first_noise.n_coils != first_image.n_coils:
        return None
    noise_names, names = noise.coil_names(first_noise), image.coil_names(first_image)
    if not noise_names or len(set(names)) < first_image.n_coils:
        return list(range(first_image.n_coils))
    if set(names) != set(noise_names):
        return None
    return [noise_names.index(name) for name in names]
