"""A root of sum of squares at low SNR: how far its magnitude lies above the signal, and how much less it spreads."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, hyp1f1
from style import BLACK, BLUE, GREEN, ORANGE, save

from mroptimum.fourier import to_kspace
from mroptimum.reconstruction.rss import RootSumOfSquares
from mroptimum.snr.analytic import analytic_snr

Array = NDArray[np.float64]
LEVELS = np.linspace(0, 12, 13)
N = 128


def draw(folder: Path) -> None:
    """Draw `low_snr.png`."""
    figure, (mean, spread) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    fine = np.linspace(0, 12, 121)
    generator = np.random.default_rng(1)
    for n_coils, colour in ((1, BLUE), (8, ORANGE), (32, GREEN)):
        law = mean_of_chi(fine, n_coils)
        plural = "coil" if n_coils == 1 else "coils"
        mean.plot(fine, law, color=colour, label=f"{n_coils} {plural}: non-central chi")
        spread.plot(fine, np.sqrt(2 * n_coils + fine**2 - law**2), color=colour)
        found = [measured(level, n_coils, generator) for level in LEVELS]
        mean.plot(LEVELS, [values.mean() for values in found], "o", color=colour, markersize=4)
        spread.plot(LEVELS, [values.std() for values in found], "o", color=colour, markersize=4)
    mean.plot(fine, fine, ":", color=BLACK, label="no bias")
    mean.set(xlabel="true SNR", ylabel="mean of the analytic map (dots: measured)")
    mean.legend()
    spread.axhline(1, color=BLACK, linestyle=":")
    spread.set(xlabel="true SNR", ylabel=r"sd of the magnitude / $\sigma$", ylim=(0.6, 1.05))
    save(figure, folder / "low_snr.png")
    plt.close(figure)


def mean_of_chi(snr: Array, n_coils: int) -> Array:
    """Return the mean of the non-central chi distribution with 2 n degrees of freedom, in sd of a real component."""
    x = snr**2 / 2
    factor = np.sqrt(2) * np.exp(gammaln(n_coils + 0.5) - gammaln(n_coils) - x)
    return np.asarray(factor * hyp1f1(n_coils + 0.5, n_coils, x))


def measured(level: float, n_coils: int, generator: np.random.Generator) -> Array:
    """Return the analytic map of noisy white coil images whose signal has one SNR everywhere."""
    shape = (n_coils, N, N)
    noise = (generator.standard_normal(shape) + 1j * generator.standard_normal(shape)) / np.sqrt(2)
    images = noise + level / np.sqrt(2 * n_coils)
    return np.asarray(analytic_snr(RootSumOfSquares(n_coils=n_coils), to_kspace(images)).snr)
