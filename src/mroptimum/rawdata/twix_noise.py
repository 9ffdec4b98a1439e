"""The noise scan of a TWIX file, and the time between its samples, which no header states for every case.

A noise scan that is a measurement of its own (Siemens: *AdjCoilSens*) has its dwell time in its own header. Noise lines
in front of an imaging measurement are taken by Siemens' sequences at 130 Hz per pixel whatever the image's bandwidth,
so a readout lasts 1/130 s; sequences of researchers use the image's own readout. The header does not tell the two
apart, but the image does: noise power goes with bandwidth, and the quietest parts of k-space hold little else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mroptimum.rawdata.acquisition import Complex64, NoiseScan
from mroptimum.rawdata.plausibility import refuse_implausible_noise
from mroptimum.rawdata.readout import alike, stack
from mroptimum.rawdata.twix_content import TwixMeasurement

_VENDOR_BANDWIDTH_PER_PIXEL_HZ = 130.0
_LINES_LOOKED_AT = 512
_BLOCK_SAMPLES = 16
_QUIETEST = 0.1
_ALIKE = 0.05
_UNCERTAIN = 0.25


@dataclass(frozen=True, kw_only=True)
class DwellTime:
    """The time between noise samples, how it was found, and what a person should be told about it, if anything."""

    seconds: float | None
    source: str
    warning: str | None = None


@dataclass(frozen=True, kw_only=True)
class FoundNoise:
    """A noise scan with the names of its coils and what a person should be told."""

    scan: NoiseScan
    coil_names: tuple[str, ...]
    warnings: tuple[str, ...]


def noise_of_image(
    measurements: Sequence[TwixMeasurement], image: TwixMeasurement
) -> tuple[NoiseScan | None, tuple[str, ...]]:
    """Return the noise scan that fits the image, the longest if there are several, and warnings.

    It must have the image's coils; where both name them, its coils are put in the image's order.
    """
    first = image.imaging[0]
    n_coils, names = first.n_coils, image.coil_names(first)
    found = [noise_of(measurement) for measurement in measurements if measurement.noise]
    fitting = [noise for noise in found if _coil_order(noise, n_coils, names) is not None]
    warnings: list[str] = []
    if len(fitting) < len(found):
        warnings.append(
            f"{len(found) - len(fitting)} noise scan(s) in the file were left out: "
            "they were recorded with other coils than the image."
        )
    if not fitting:
        return None, tuple(warnings)
    best = max(fitting, key=lambda noise: noise.scan.samples.size)
    order = _coil_order(best, n_coils, names)
    scan = best.scan
    if order is not None and order != list(range(n_coils)):
        scan = NoiseScan(
            samples=np.ascontiguousarray(scan.samples[:, order]),
            dwell_time_s=scan.dwell_time_s,
            noise_bandwidth_ratio=scan.noise_bandwidth_ratio,
            origin=f"{scan.origin}; coils put in the order of the image",
        )
    return scan, (*warnings, *best.warnings)


def noise_of(measurement: TwixMeasurement) -> FoundNoise:
    """Return the noise lines of one measurement, unsorted and unaveraged."""
    header, lines = measurement.header, measurement.lines
    samples = stack(measurement.noise, lines.samples)
    refuse_implausible_noise(samples)
    imaging = measurement.imaging
    if imaging:
        dwell = embedded_dwell_time(
            samples, [lines.samples(r) for r in alike(imaging)[:_LINES_LOOKED_AT]], header.dwell_time_s
        )
        where = "noise lines of the imaging measurement"
    else:
        dwell = DwellTime(seconds=header.dwell_time_s, source="header")
        where = "a noise measurement of its own"
    return FoundNoise(
        scan=NoiseScan(
            samples=samples,
            dwell_time_s=dwell.seconds,
            noise_bandwidth_ratio=header.noise_bandwidth_ratio,
            origin=f"{where}; dwell time: {dwell.source}",
        ),
        coil_names=measurement.coil_names(measurement.noise[0]),
        warnings=(dwell.warning,) if dwell.warning else (),
    )


def embedded_dwell_time(noise: Complex64, imaging: Sequence[Complex64], image_dwell_time_s: float | None) -> DwellTime:
    """Decide the dwell time of noise lines ``(readout, coil, sample)`` recorded inside an imaging measurement.

    `imaging` are readouts of the image, each ``(coil, sample)``. Of the two known habits, the one whose noise power
    fits the quietest parts of the image is taken.
    """
    if image_dwell_time_s is None:
        return DwellTime(seconds=None, source="the header gives none")
    vendor_s = 1 / (_VENDOR_BANDWIDTH_PER_PIXEL_HZ * noise.shape[-1])
    ratio = vendor_s / image_dwell_time_s
    if abs(np.log(ratio)) < _ALIKE:
        return DwellTime(seconds=image_dwell_time_s, source="that of the image (header)")
    observed = _quiet_power(imaging, noise)
    if abs(np.log(observed)) <= abs(np.log(observed / ratio)):
        seconds, habit, misfit = image_dwell_time_s, "that of the image", observed
    else:
        seconds, habit, misfit = vendor_s, "130 Hz per pixel", observed / ratio
    percent = 100 * (misfit - 1)
    return DwellTime(
        seconds=seconds,
        source=f"{habit}, inferred: the quietest parts of the image then have {percent:+.0f} % more power than noise",
        warning=None
        if abs(misfit - 1) < _UNCERTAIN
        else f"The dwell time of the noise lines was inferred ({habit}) and is uncertain: the quietest parts of the "
        f"image have {percent:+.0f} % more power than the noise that follows from it.",
    )


def _quiet_power(imaging: Sequence[Complex64], noise: Complex64) -> float:
    """Return the power of the quietest parts of the image over that of the noise scan, averaged over coils."""
    reference = np.mean(np.abs(noise.astype(np.complex128)) ** 2, axis=(0, 2))
    alive = reference > 0
    parts = []
    for readout in imaging:
        block = min(_BLOCK_SAMPLES, readout.shape[1])
        n_blocks = readout.shape[1] // block
        power = np.abs(readout[alive, : n_blocks * block].astype(np.complex128)) ** 2
        parts.append(power.reshape(len(power), n_blocks, block).mean(axis=2))
    relative = (np.concatenate(parts, axis=1) / reference[alive, np.newaxis]).mean(axis=0)
    quiet = relative[relative <= np.quantile(relative, _QUIETEST)]
    return max(float(quiet.mean()), float(np.finfo(np.float64).tiny))


def _coil_order(noise: FoundNoise, n_coils: int, names: tuple[str, ...]) -> list[int] | None:
    """Return the index of each of the image's coils in the noise scan, None if they are other coils."""
    if noise.scan.n_coils != n_coils:
        return None
    if not names or not noise.coil_names or len(set(names)) < n_coils:
        return list(range(n_coils))
    if set(names) != set(noise.coil_names):
        return None
    return [noise.coil_names.index(name) for name in names]
