"""Is there an echo in these lines, or only noise? Flags cannot be trusted: noise is often measured by an imaging scan.

Receiver noise is stationary: every line has the same expected power, and so has every sample position, and what one
line has more than expected says nothing about the next. An echo piles up at the centre of k-space instead, and the
power of neighbouring lines is alike.

The power of a line is the mean of n samples of c coils. Of noise it spreads, relative to its mean, by 1 / sqrt(n c) if
all of them are independent, and by 1 / sqrt(n / 2) at most: all coils alike, and half of the samples, because the
receiver's filter correlates neighbours. Within these bounds the spread is taken from the lines themselves, by the
median absolute deviation, which a few strong lines do not move. The same holds for sample positions. Cube roots of
powers are compared: they are nearly Gaussian even where few samples are averaged (Wilson and Hilferty 1931, doi
10.1073/pnas.17.12.684), and spread by a third of the relative spread of the power.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mroptimum.rawdata.acquisition import Complex64

ECHO_AT = 10.0
"""Standard deviations above the median from which the strongest line or sample position cannot be noise.

Of white noise, 1 to 2000 readouts of 16 to 8000 samples, the strongest stays below 6 in 9000 trials, and of a measured
noise scan below 5; the weakest of nine measured images reaches 100.
"""
_FEWEST = 16
"""Fewer lines or samples than this say too little about their spread."""
_TO_STANDARD_DEVIATION = 1.4826
"""Of a Gaussian: its standard deviation over its median absolute deviation."""
_TOO_EVEN = 0.3
"""Share of the least spread of noise below which powers are too even for noise."""
_ALIKE_AT = 0.8
_ALIKE_DEVIATIONS = 5.0
"""Correlation of neighbours from which a profile is smooth: of n independent values it spreads by 1 / sqrt(n)."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The power of all lines, or of all sample positions, in one number: how far the strongest stands out.

    `excess` is in standard deviations; `is_smooth` tells whether neighbours are alike, as they never are in noise.
    """

    excess: float
    is_smooth: bool


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """The profiles along lines and along samples; None where there are too few to tell."""

    lines: Profile | None
    samples: Profile | None

    @property
    def strongest(self) -> float:
        """The larger excess of the two, 0 where nothing can be told."""
        return max((profile.excess for profile in (self.lines, self.samples) if profile is not None), default=0.0)

    @property
    def is_echo(self) -> bool:
        """Whether something stands out that cannot be noise."""
        return self.strongest > ECHO_AT

    @property
    def is_noise(self) -> bool:
        """Whether there was enough to see an echo in, and neither profile has anything of one."""
        known = [profile for profile in (self.lines, self.samples) if profile is not None]
        return bool(known) and all(profile.excess <= ECHO_AT and not profile.is_smooth for profile in known)


def echo_contrast(readouts: Iterable[Complex64]) -> Contrast:
    """Measure readouts, each ``(coil, sample)`` and all alike; every coil counts the same, whatever its gain."""
    lines: list[NDArray[np.float64]] = []
    samples: NDArray[np.float64] | None = None
    for readout in readouts:
        with np.errstate(invalid="ignore"):  # a damaged sample may be NaN; it is refused where samples are checked
            power = readout.real.astype(np.float64) ** 2 + readout.imag.astype(np.float64) ** 2
        lines.append(power.mean(axis=1))
        samples = power if samples is None else samples + power
    if samples is None:
        return Contrast(lines=None, samples=None)
    per_line = np.asarray(lines)
    mean = per_line.mean(axis=0)
    alive = (mean > 0) & np.isfinite(mean)
    if not alive.any():
        return Contrast(lines=None, samples=None)
    n_lines, n_samples, n_coils = len(lines), samples.shape[1], int(alive.sum())
    return Contrast(
        lines=_profile((per_line[:, alive] / mean[alive]).mean(axis=1), n_samples, n_coils),
        samples=_profile((samples[alive] / (n_lines * mean[alive, np.newaxis])).mean(axis=0), n_lines, n_coils),
    )


def _profile(power: NDArray[np.float64], n_averaged: int, n_coils: int) -> Profile | None:
    """Judge powers relative to their mean, each averaged over samples of coils."""
    if power.size < _FEWEST:
        return None
    roots = np.cbrt(power)
    median = float(np.median(roots))
    observed = _TO_STANDARD_DEVIATION * float(np.median(np.abs(roots - median)))
    least, most = 1 / np.sqrt(n_averaged * n_coils), np.sqrt(2 / n_averaged)
    spread = min(max(observed, median * least / 3), median * most / 3)
    excess = float((roots.max() - median) / max(spread, float(np.finfo(np.float64).tiny)))
    return Profile(excess=excess, is_smooth=_is_smooth(power, least))


def _is_smooth(power: NDArray[np.float64], least_spread: float) -> bool:
    deviation = power - power.mean()
    variance = float(np.mean(deviation**2))
    if variance < (_TOO_EVEN * least_spread) ** 2:
        return True
    correlation = float(np.mean(deviation[1:] * deviation[:-1])) / variance
    return bool(correlation > min(_ALIKE_AT, _ALIKE_DEVIATIONS / np.sqrt(power.size)))
