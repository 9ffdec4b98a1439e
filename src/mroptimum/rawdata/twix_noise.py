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
from numpy.typing import NDArray

from mroptimum.errors import WrongKindOfFile
from mroptimum.rawdata.acquisition import Complex64, NoiseScan
from mroptimum.rawdata.plausibility import refuse_implausible_noise
from mroptimum.rawdata.readout import alike, stack
from mroptimum.rawdata.twix_content import TwixMeasurement

_VENDOR_BANDWIDTH_PER_PIXEL_HZ = 130.0
_LINES_LOOKED_AT = 512
_QUIETEST_LINES = 0.1
_ENOUGH_OVERSAMPLING = 1.5
_ALIKE = 0.05
_UNCERTAIN = 0.25


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
        except WrongKindOfFile as error:
            warnings.append(f"A noise scan in the file was left out. {error.message}")
            continue
        fitting.append(replace(scan, samples=scan.samples[:, order]))
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
        warnings=(dwell.warning,) if dwell.warning else (),
    )


def embedded_dwell_time(
    noise: Complex64, imaging: Sequence[Complex64], image_dwell_time_s: float | None, *, oversampling: float
) -> DwellTime:
    """Decide the dwell time of noise lines ``(readout, coil, sample)`` recorded inside an imaging measurement.

    `imaging` are readouts of the image, each ``(coil, sample)``, `oversampling` is that of the readout. Of the two
    known habits, the one whose noise power fits the noise seen in the image is taken.
    """
    if image_dwell_time_s is None:
        return DwellTime(seconds=None, source="the header gives none")
    vendor_s = 1 / (_VENDOR_BANDWIDTH_PER_PIXEL_HZ * noise.shape[-1])
    ratio = vendor_s / image_dwell_time_s
    if abs(np.log(ratio)) < _ALIKE:
        return DwellTime(seconds=image_dwell_time_s, source="that of the image (header)")
    undamaged = [readout for readout in imaging if np.isfinite(readout).all()]
    if not undamaged:
        return DwellTime(seconds=image_dwell_time_s, source="that of the image, assumed")
    observed = _image_noise_power(undamaged, noise, oversampling)
    if abs(np.log(observed)) <= abs(np.log(observed / ratio)):
        seconds, habit, misfit = image_dwell_time_s, "that of the image", observed
    else:
        seconds, habit, misfit = vendor_s, "130 Hz per pixel", observed / ratio
    found = f"the noise seen in the image then has {misfit:.2f} times the power expected from the noise lines"
    return DwellTime(
        seconds=seconds,
        source=f"{habit}, inferred: {found}",
        warning=None
        if abs(misfit - 1) < _UNCERTAIN
        else f"The dwell time of the noise lines was inferred ({habit}) and is uncertain: {found}.",
    )


def _image_noise_power(imaging: Sequence[Complex64], noise: Complex64, oversampling: float) -> float:
    """Return the noise power in the image over that of the noise scan.

    With readout oversampling, the columns of the readout's image beyond the field of view hold noise only. Without it,
    the lines with least power, at the edge of k-space, hold little else.
    """
    inner = 1 / oversampling if oversampling >= _ENOUGH_OVERSAMPLING else None
    image_powers = np.array([_coil_power(readout, inner) for readout in imaging])
    noise_power = np.mean([_coil_power(readout, inner) for readout in noise], axis=0)
    if inner is not None:
        # The median over lines passes over the strong ones, whose truncated readouts ring beyond the field of view.
        return _mean_ratio(np.median(image_powers, axis=0), noise_power)
    per_line = image_powers.sum(axis=1)
    quiet = image_powers[per_line <= np.quantile(per_line, _QUIETEST_LINES)]
    return _mean_ratio(quiet.mean(axis=0), noise_power)


def _coil_power(readout: Complex64, inner: float | None) -> NDArray[np.float64]:
    """Return the mean power of each coil, of the columns beyond the `inner` part of the readout's image if given.

    Columns up to halfway to the edge of the band are taken: further out, little passes the receiver's filter.
    """
    samples = readout.astype(np.complex128)
    if inner is not None:
        position = np.abs(np.fft.fftfreq(samples.shape[1])) * 2
        columns = (position > inner + 0.1 * (1 - inner)) & (position < (1 + inner) / 2)
        samples = np.fft.fft(samples, axis=1, norm="ortho")[:, columns]
    return np.asarray(np.mean(samples.real**2 + samples.imag**2, axis=1))


def _mean_ratio(image: NDArray[np.float64], noise: NDArray[np.float64]) -> float:
    """Return the ratio of powers (coil), averaged over the coils that receive anything."""
    alive = (noise > 0) & (image > 0)
    return float(np.mean(image[alive] / noise[alive])) if alive.any() else 1.0


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
