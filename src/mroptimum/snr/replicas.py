"""SNR from replicas: the spread of repeated images, and what a spread estimated from few of them is worth.

Spread is taken of complex residuals where the reconstruction is linear (both components count: nu = 2 (n - 1) degrees
of freedom), of the magnitude otherwise (nu = n - 1). Because E[1/s] exceeds 1/sigma, SNR is divided by
``c(nu) = sqrt(nu / 2) Gamma((nu - 1) / 2) / Gamma(nu / 2)``: 1.044, 1.020, 1.004 for 10, 20, 100 complex replicas. The
map's own relative standard error is about ``1 / sqrt(2 nu)``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from mroptimum.convention import Complex, Real, snr
from mroptimum.errors import TaskError
from mroptimum.reconstruction import Reconstruction
from mroptimum.snr import SnrMap

MIN_DEGREES_OF_FREEDOM = 4
"""With fewer, the estimate of a spread has no finite standard error to speak of."""


def degrees_of_freedom(n_replicas: int, is_linear: bool) -> int:
    """Return nu for a voxel's spread; raise `TaskError` where it is below what means anything."""
    nu = (2 if is_linear else 1) * (n_replicas - 1)
    if nu < MIN_DEGREES_OF_FREEDOM:
        needed = MIN_DEGREES_OF_FREEDOM // (2 if is_linear else 1) + 1
        raise TaskError(
            f"{n_replicas} replicas are too few to measure a spread (this reconstruction needs {needed}).",
            f"Give at least {needed}; 100 give a standard error of {'5' if is_linear else '7'} %.",
            code="too_few_replicas",
        )
    return nu


def bias_of_inverse(nu: float) -> float:
    """Return c(nu), by which 1/s exceeds 1/sigma on average, for nu degrees of freedom."""
    return float(np.sqrt(nu / 2) * np.exp(gammaln((nu - 1) / 2) - gammaln(nu / 2)))


@dataclass
class Spread:
    """Running sums of replicas (y, x), as residuals from a reference, so that few digits are lost."""

    reference: Complex | Real
    n: int = 0
    total: NDArray[np.complex128] = field(init=False)
    square: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        self.total = np.zeros(self.reference.shape, dtype=np.complex128)
        self.square = np.zeros(self.reference.shape)

    def add(self, replica: Complex | Real) -> None:
        """Take one more replica."""
        residual = replica - self.reference
        self.add_sums(residual, residual.real**2 + residual.imag**2, 1)

    def add_sums(self, total: Complex | Real, square: Real, n: int) -> None:
        """Take the sum of `n` residuals and of their squared magnitudes."""
        self.total += total
        self.square += square
        self.n += n

    def mean(self) -> Complex | Real:
        """Return the mean of the replicas, (y, x), complex or real as they are."""
        residual = self.total / self.n
        mean: Complex | Real = self.reference.copy()
        mean += residual if np.iscomplexobj(mean) else residual.real
        return mean

    def variance(self) -> NDArray[np.float64]:
        """Return the variance of the residuals, (y, x): of the complex value, both components together."""
        variance: NDArray[np.float64] = np.maximum(self.square - np.abs(self.total) ** 2 / self.n, 0.0) / (self.n - 1)
        return variance


def from_spread(image: Complex | Real, spread: Spread, *, is_linear: bool) -> SnrMap:
    """Return the SNR of an image from the spread of its replicas, unbiased, with its standard error."""
    nu = degrees_of_freedom(spread.n, is_linear)
    amplitude = np.abs(image)
    # A magnitude has one component only; its sd is that of a real component, so the complex sd is sqrt(2) of it.
    complex_variance = spread.variance() * (1.0 if is_linear else 2.0)
    noise_sd: Real = (np.sqrt(complex_variance) * bias_of_inverse(nu)).astype(amplitude.dtype)
    found = snr(amplitude, noise_sd)
    error: Real = found / found.dtype.type(np.sqrt(2 * nu))
    return SnrMap(snr=found, image=image, noise_sd=noise_sd, standard_error=error)


def multiple_replica_snr(
    reconstruction: Reconstruction,
    repetitions: Sequence[Complex] | Complex,
    report: Callable[[int], None] = lambda _: None,
) -> SnrMap:
    """Return the SNR of one repetition from real ones, whitened k-space (coil, y, x) each.

    The signal is the mean of the images, complex where the reconstruction is linear. `report` is called after each
    repetition with the number done, and may raise to stop. Raises `TaskError` for too few.
    """
    degrees_of_freedom(len(repetitions), reconstruction.is_linear)
    spread = Spread(reference=reconstruction.image(repetitions[0]))
    for kspace in repetitions:
        spread.add(reconstruction.image(kspace))
        report(spread.n)
    return from_spread(spread.mean(), spread, is_linear=reconstruction.is_linear)
