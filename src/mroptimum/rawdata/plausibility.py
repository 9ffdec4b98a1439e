"""Samples that cannot be what they are given as: not finite, all zero, noise given as the signal or the reverse."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mroptimum.errors import UnreadableFile, WrongKindOfFile
from mroptimum.rawdata.acquisition import Complex64, Mask
from mroptimum.rawdata.echo import ECHO_AT, echo_contrast


def refuse_implausible_signal(kspace: Complex64, sampled: Mask) -> None:
    """Raise when k-space (average, repetition, slice, coil, z, y, x) is damaged, empty, or holds noise only."""
    refuse_not_finite(kspace)
    _refuse_empty(kspace)
    contrast = echo_contrast(_lines(kspace, sampled))
    if contrast.is_noise:
        raise WrongKindOfFile(
            "The file holds noise only: no line and no sample of its k-space stands out "
            f"(the strongest is {contrast.strongest:.1f} standard deviations above the "
            f"median; an echo exceeds {ECHO_AT:.0f}).",
            "Give it as the noise, and the measurement with excitation as the signal.",
        )


def refuse_implausible_noise(samples: Complex64) -> None:
    """Raise when noise samples (readout, coil, sample) are damaged, empty, or hold an echo."""
    refuse_not_finite(samples)
    _refuse_empty(samples)
    contrast = echo_contrast(samples)
    if contrast.is_echo:
        raise WrongKindOfFile(
            "The file given as the noise holds a signal: its strongest readout or sample is "
            f"{contrast.strongest:.0f} standard deviations above the median "
            f"(noise stays below {ECHO_AT:.0f}).",
            "Give a noise scan: receivers on, no excitation.",
        )


def _lines(kspace: Complex64, sampled: Mask) -> Iterator[Complex64]:
    """Yield the lines of the first average and repetition; one image is enough to see an echo."""
    places = np.argwhere(sampled)
    for volume in kspace[0, 0]:
        for z, y in places:
            yield volume[:, z, y, :]


def refuse_not_finite(samples: Complex64) -> None:
    """Raise when a sample is infinite or no number."""
    finite = np.isfinite(samples)
    if not finite.all():
        raise UnreadableFile(
            f"{samples.size - int(finite.sum()):,} of {samples.size:,} samples are not finite numbers: "
            "the file is damaged.",
            "Export the measurement again.",
        )


def _refuse_empty(samples: Complex64) -> None:
    if not samples.any():
        raise UnreadableFile("All samples are zero.", "Export the measurement again.")
