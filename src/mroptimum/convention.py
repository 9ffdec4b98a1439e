"""The one definition of sigma and SNR, and every factor between a noise scan and the noise of an image.

``Psi = (1/N) sum n n^H`` is the complex covariance: real and imaginary parts together, not mean-subtracted. SNR is the
magnitude of the signal over the standard deviation of one *real component* of the noise. The step between the two is
one factor sqrt(2); it stands in `snr` and nowhere else. Fourier transforms are unitary, so that white noise keeps its
variance. Definition: Kellman & McVeigh 2005, 10.1002/mrm.20713, and its erratum 2007;58:211.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.floating[Any]]
Complex = NDArray[np.complexfloating[Any, Any]]

CONVENTION = (
    "SNR = |signal| / standard deviation of the real component of the noise; "
    "Psi = mean of n n^H over complex samples, so SNR = sqrt(2) |signal| / sqrt(complex variance); unitary FFT."
)


def snr(amplitude: Real, complex_sd: Real | float) -> Real:
    """Return SNR from a signal magnitude and the standard deviation of its *complex* noise; 0 where that is 0.

    Both are arrays of one shape, in one unit; so is the result, without unit.
    """
    sd: Real = np.broadcast_to(np.asarray(complex_sd, dtype=amplitude.dtype), amplitude.shape)
    ratio = np.zeros_like(amplitude)
    np.divide(amplitude, sd, out=ratio, where=sd > 0)
    ratio *= amplitude.dtype.type(np.sqrt(2.0))
    return ratio


@dataclass(frozen=True, kw_only=True)
class ScaleStep:
    """One factor on the noise *power* on its way into the image: what it is, its value, where it comes from."""

    name: str
    value: float
    source: str


@dataclass(frozen=True)
class ScaleChain:
    """Every factor between the covariance of the noise samples and that of an image voxel, in order."""

    steps: tuple[ScaleStep, ...] = ()

    @property
    def power(self) -> float:
        """The product of all factors."""
        return float(np.prod([step.value for step in self.steps])) if self.steps else 1.0


def power_gain(operator: Callable[[NDArray[np.complex128]], NDArray[np.complex128]], n_in: int) -> float:
    """Return the mean noise power a linear operator leaves of white noise of power 1, from the operator itself.

    `operator` acts on the last axis, of length `n_in`. For ``y = G x`` the gain is ``||G||_F^2 / n_out``.
    """
    matrix = operator(np.eye(n_in, dtype=np.complex128))
    return float(np.sum(np.abs(matrix) ** 2) / matrix.shape[-1])
