"""How strong the noise of an image is, compared with a noise scan, where the image's signal may be in the way.

What is looked at is where the least signal is: with readout oversampling, the columns of the readout's image beyond the
field of view; without it, the ends of the quietest lines. The samples are whitened by the noise scan. Noise then has
the same power in every direction of coil space, spread by chance alone, is Gaussian and does not fall towards the ends;
signal is in few directions, is not Gaussian and falls. Where most directions look like noise, they measure it; where
they do not, the weakest bounds it from above.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mroptimum.rawdata.acquisition import Complex64

Complex128 = NDArray[np.complex128]

_ENOUGH_OVERSAMPLING = 1.5
_QUIETEST_LINES = 0.1
_LINES_WITH_EMPTY_COLUMNS = 0.5
"""The strong half is left out: truncated readouts ring beyond the field of view."""
_SAMPLES_PER_COIL = 10
_COILS_TO_JUDGE_BY = 4
"""With fewer, weak signal fills coil space as noise does, and the ends of the lines are taken for a bound only."""
_SLACK = 1.3
"""How far directions of coil space may lie apart beyond the limits for many coils and samples."""
_STANDARD_ERRORS = 4.0


@dataclass(frozen=True, kw_only=True)
class NoisePower:
    """The noise power of an image's samples over that of the noise scan's.

    `is_noise_alone` tells a measurement, in directions of coil space without signal, from an upper bound.
    """

    ratio: float
    is_noise_alone: bool


def image_noise_power(imaging: Sequence[Complex64], noise: Complex64, *, oversampling: float) -> NoisePower | None:
    """Compare readouts of an image, each ``(coil, sample)``, with noise ``(readout, coil, sample)``.

    None where there is nothing to compare: no readout without damage, or no coil that receives.
    """
    undamaged = [readout for readout in imaging if np.isfinite(readout).all()]
    if not undamaged:
        return None
    can_judge = True
    if oversampling >= _ENOUGH_OVERSAMPLING:
        quiet = _quietest(undamaged, max(1, round(_LINES_WITH_EMPTY_COLUMNS * len(undamaged))))
        image_samples = _joined([_empty_columns(readout, 1 / oversampling) for readout in quiet])
        noise_samples = _joined([_empty_columns(readout, 1 / oversampling) for readout in noise])
    else:
        n_needed = -(-_SAMPLES_PER_COIL * noise.shape[1] // _ends(undamaged[0]).shape[1])
        quiet = _quietest(undamaged, max(round(_QUIETEST_LINES * len(undamaged)), n_needed))
        image_samples, noise_samples = _joined([_ends(readout) for readout in quiet]), _joined(list(noise))
        beside = _joined([_beside_ends(readout) for readout in quiet])
        can_judge = noise.shape[1] >= _COILS_TO_JUDGE_BY and _is_level(image_samples, beside)
    alive = image_samples.any(axis=1) & noise_samples.any(axis=1)
    if not alive.any():
        return None
    seen = _compared(image_samples[alive], noise_samples[alive])
    return None if seen is None else replace(seen, is_noise_alone=seen.is_noise_alone and can_judge)


def _compared(image: Complex128, noise: Complex128) -> NoisePower | None:
    """Compare samples (coil, sample) of the image with those of the noise scan; None if they are no usable numbers."""
    (n_coils, n_image), n_noise = image.shape, noise.shape[1]
    if min(n_image, n_noise) < 2 * n_coils:
        # Too few samples to tell directions of coil space apart; the coils one by one give a bound all the same.
        ratios = np.mean(np.abs(image) ** 2, axis=1) / np.mean(np.abs(noise) ** 2, axis=1)
        ratio = float(ratios.mean())
        return NoisePower(ratio=ratio, is_noise_alone=False) if 0 < ratio < np.inf else None
    # Pseudo-inverse, because coils recorded twice are for others to refuse.
    values, vectors = np.linalg.eigh(noise @ noise.conj().T / n_noise)
    kept = values > 1e-10 * values[-1]
    white = (vectors[:, kept] / np.sqrt(values[kept])).conj().T @ image
    powers, directions = np.linalg.eigh(white @ white.conj().T / n_image)
    lowest, highest = _limits_by_chance(len(powers) / n_image, len(powers) / n_noise)
    if not 0 < powers[0] < np.inf:
        return None
    n_alike = int(np.sum(powers <= _SLACK * highest / lowest * powers[0]))
    is_most = 2 * n_alike >= n_coils and n_alike >= min(n_coils, _COILS_TO_JUDGE_BY)
    if is_most and _is_gaussian(directions[:, :n_alike].conj().T @ white):
        return NoisePower(ratio=float(powers[:n_alike].mean()), is_noise_alone=True)
    return NoisePower(ratio=float(powers[0] / lowest), is_noise_alone=False)


def _limits_by_chance(coils_per_sample: float, coils_per_noise_sample: float) -> tuple[float, float]:
    """Return the least and the largest power that white noise of power 1 shows in any direction of coil space.

    The edges of the spectrum of one sample covariance seen by the inverse of another (Wachter 1980).
    """
    spread = np.sqrt(coils_per_sample + coils_per_noise_sample - coils_per_sample * coils_per_noise_sample)
    scale = 1 - coils_per_noise_sample
    return float(((1 - spread) / scale) ** 2), float(((1 + spread) / scale) ** 2)


def _is_gaussian(samples: Complex128) -> bool:
    """Whether the fourth moment of samples (direction, sample) is that of complex Gaussian noise: twice the square."""
    power = np.abs(samples) ** 2
    moment = float(np.mean((power**2).mean(axis=1) / power.mean(axis=1) ** 2))
    return bool(moment - 2 <= _STANDARD_ERRORS * 2 / np.sqrt(power.size))


def _is_level(ends: Complex128, beside: Complex128) -> bool:
    """Whether the samples (coil, sample) beside the ends are as weak as the ends: signal falls off, noise does not."""
    alive = ends.any(axis=1)
    ratio = np.mean(np.abs(beside[alive]) ** 2, axis=1) / np.mean(np.abs(ends[alive]) ** 2, axis=1)
    return bool(ratio.size and ratio.mean() - 1 <= _STANDARD_ERRORS * np.sqrt(2 / ends.shape[1]))


def _quietest(readouts: Sequence[Complex64], count: int) -> list[Complex64]:
    """Return the readouts with least power in their middle half.

    The middle alone, because choosing by the very samples that are measured would choose weak noise.
    """
    quarter = readouts[0].shape[1] // 4
    middles = (r[:, quarter : r.shape[1] - quarter].astype(np.complex128) for r in readouts)
    powers = [np.sum(np.abs(middle) ** 2) for middle in middles]
    return [readouts[index] for index in np.argsort(powers, kind="stable")[:count]]


def _ends(readout: Complex64) -> Complex64:
    """Return the outer quarter of a readout, at either end an eighth: (coil, sample)."""
    eighth = max(1, readout.shape[1] // 8)
    return np.concatenate([readout[:, :eighth], readout[:, -eighth:]], axis=1)


def _beside_ends(readout: Complex64) -> Complex64:
    """Return the eighth of a readout next to each of `_ends`: (coil, sample)."""
    eighth = max(1, readout.shape[1] // 8)
    return np.concatenate([readout[:, eighth : 2 * eighth], readout[:, -2 * eighth : -eighth]], axis=1)


def _empty_columns(readout: Complex64, inner: float) -> Complex128:
    """Return the columns beyond the `inner` part of the readout's image, (coil, column).

    Up to halfway to the edge of the band: further out, little passes the receiver's filter.
    """
    position = np.abs(np.fft.fftfreq(readout.shape[1])) * 2
    columns = (position > inner + 0.1 * (1 - inner)) & (position < (1 + inner) / 2)
    return np.asarray(np.fft.fft(readout.astype(np.complex128), axis=1, norm="ortho")[:, columns])


def _joined(parts: Sequence[NDArray[np.complexfloating]]) -> Complex128:
    return np.concatenate(parts, axis=1).astype(np.complex128)
