"""A root of sum of squares at low SNR: its mean and spread are those of the non-central chi distribution.

``sqrt(2) |p|`` of n coils with noise of power 1 has 2 n degrees of freedom, and the SNR of its signal is the
non-centrality: mean ``sqrt(2) Gamma(n + 1/2) / Gamma(n) M(-1/2, n, -SNR^2 / 2)``, M Kummer's function (Constantinides
1997, 10.1002/mrm.1910380524).
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import gammaln, hyp1f1

from mroptimum.reconstruction.rss import RootSumOfSquares
from mroptimum.snr.analytic import analytic_snr
from mroptimum.snr.pseudo_replicas import pseudo_replica_snr
from mroptimum.snr.replicas import bias_of_inverse, multiple_replica_snr
from mroptimum.task import NoiseDomain

LEVELS = [0.0, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0]
COILS = [1, 4, 16]


def mean_of_chi(snr: float, n_coils: int) -> float:
    """Mean magnitude over the sd of one real component."""
    # M(-1/2, n, -x) = exp(-x) M(n + 1/2, n, x): all terms of the second series are positive, so no digits are lost.
    x = snr**2 / 2
    factor = np.sqrt(2) * np.exp(gammaln(n_coils + 0.5) - gammaln(n_coils) - x)
    return float(factor * hyp1f1(n_coils + 0.5, n_coils, x))


def sd_of_chi(snr: float, n_coils: int) -> float:
    return float(np.sqrt(2 * n_coils + snr**2 - mean_of_chi(snr, n_coils) ** 2))


def to_kspace(images: NDArray[np.complex128]) -> NDArray[np.complex64]:
    axes = (-2, -1)
    shifted = np.fft.fft2(np.fft.ifftshift(images, axes=axes), norm="ortho")
    return np.fft.fftshift(shifted, axes=axes).astype(np.complex64)


def signal(snr: float, n_coils: int, n: int) -> NDArray[np.complex128]:
    """Coil images of one SNR everywhere, spread unevenly over the coils, of any phase, so that k-space is filled."""
    share = np.arange(1, n_coils + 1) * np.exp(1j * np.arange(n_coils))
    share = share / np.linalg.norm(share)
    phase = np.exp(2j * np.pi * np.random.default_rng(4).random((n, n)))
    images: NDArray[np.complex128] = snr / np.sqrt(2) * share[:, None, None] * phase
    return images


def white(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.complex128]:
    noise: NDArray[np.complex128] = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)
    return noise


def test_the_law_is_rayleigh_for_one_coil_without_signal_and_normal_for_much() -> None:
    assert mean_of_chi(0, 1) == pytest.approx(np.sqrt(np.pi / 2), rel=1e-12)
    assert sd_of_chi(0, 1) == pytest.approx(np.sqrt(2 - np.pi / 2), rel=1e-12)
    # |s + n| = s + n1 + (n2^2 + …) / (2 s) to second order: 2 n - 1 components beside the signal's own.
    for n_coils in COILS:
        assert mean_of_chi(30, n_coils) == pytest.approx(30 + (2 * n_coils - 1) / 60, rel=1e-3)
        assert sd_of_chi(30, n_coils) == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize("n_coils", COILS)
@pytest.mark.parametrize("level", LEVELS)
def test_the_analytic_map_of_noisy_data_is_biased_as_the_law_says(
    level: float, n_coils: int, rng: np.random.Generator
) -> None:
    n = 192
    kspace = to_kspace(signal(level, n_coils, n) + white(rng, (n_coils, n, n)))
    found = analytic_snr(RootSumOfSquares(n_coils=n_coils), kspace).snr
    expected = mean_of_chi(level, n_coils)
    # 36 864 voxels: at worst, Rayleigh, 52 % / 192 = 0.3 %.
    assert found.mean(dtype=np.float64) == pytest.approx(expected, rel=0.01)
    assert found.std(dtype=np.float64) == pytest.approx(sd_of_chi(level, n_coils), rel=0.02)


@pytest.mark.parametrize("domain", list(NoiseDomain))
@pytest.mark.parametrize("n_coils", [1, 4])
@pytest.mark.parametrize("level", LEVELS)
def test_pseudo_replicas_see_the_spread_of_the_magnitude(level: float, n_coils: int, domain: NoiseDomain) -> None:
    """Which is smaller than that of a real component where there is little signal: the two SNR differ by definition."""
    n, n_replicas = 16, 150
    # Which lines were sampled is seen from what they hold, so a trace of signal stands for none.
    kspace = to_kspace(signal(max(level, 1e-6), n_coils, n))
    seed = np.random.SeedSequence(11)
    found, _ = pseudo_replica_snr(RootSumOfSquares(n_coils=n_coils), kspace, n_replicas, seed, domain=domain)
    # The mean variance is free of bias; 256 voxels x 149 degrees of freedom give its root to 0.4 %.
    sd = np.sqrt(np.mean((found.noise_sd / bias_of_inverse(n_replicas - 1)) ** 2, dtype=np.float64))
    assert sd == pytest.approx(sd_of_chi(level, n_coils), rel=0.01)


@pytest.mark.parametrize("n_coils", [1, 4])
@pytest.mark.parametrize("level", [0.0, 2.0, 20.0])
def test_real_replicas_see_mean_and_spread_of_the_magnitude(
    level: float, n_coils: int, rng: np.random.Generator
) -> None:
    n, n_replicas = 16, 150
    clean = signal(level, n_coils, n)
    repetitions = np.stack([to_kspace(clean + white(rng, clean.shape)) for _ in range(n_replicas)])
    found = multiple_replica_snr(RootSumOfSquares(n_coils=n_coils), repetitions)
    expected = mean_of_chi(level, n_coils) / sd_of_chi(level, n_coils)
    # Unbiased by c(nu) for normal noise; the chi law is near enough to that for 1 %. 256 voxels x 149: 0.4 %.
    assert found.snr.mean(dtype=np.float64) == pytest.approx(expected, rel=0.02)
