"""How much too high an SNR is whose noise covariance comes from few samples."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from style import BLACK, BLUE, GREEN, ORANGE, save

from mroptimum.noise import MIN_SAMPLES_PER_COIL, covariance

PER_COIL = np.array([2, 3, 5, 10, 20, 50, 100])
DIRECTIONS = 960
"""How many coils of how many drawn scans each dot is the mean of."""


def draw(folder: Path) -> None:
    """Draw `few_samples.png`."""
    figure, axes = plt.subplots(figsize=(5.4, 3.6), layout="constrained")
    generator = np.random.default_rng(1)
    fine = np.geomspace(2, 100, 100)
    axes.plot(fine, 100 * (np.sqrt(fine / (fine - 1)) - 1), color=BLACK, label=r"$\sqrt{N / (N - n)} - 1$, n coils")
    for n_coils, colour, marker in ((4, BLUE, "o"), (16, ORANGE, "s"), (32, GREEN, "^")):
        bias = [100 * (excess(n_coils, int(ratio) * n_coils, generator) - 1) for ratio in PER_COIL]
        axes.plot(PER_COIL, bias, marker, color=colour, label=f"{n_coils} coils, measured")
    axes.axvline(MIN_SAMPLES_PER_COIL, color=BLACK, linestyle=":")
    axes.annotate("warned of to the left", (MIN_SAMPLES_PER_COIL, 30), (-4, 0), textcoords="offset points", ha="right")
    axes.set(xscale="log", yscale="log", xlabel="noise samples for each coil, N / n", ylabel="SNR too high by / %")
    axes.set_xticks((2, 5, 10, 20, 50, 100), ("2", "5", "10", "20", "50", "100"))
    axes.set_yticks((0.5, 1, 2, 5, 10, 20, 40), ("0.5", "1", "2", "5", "10", "20", "40"))
    axes.legend()
    save(figure, folder / "few_samples.png")
    plt.close(figure)


def excess(n_coils: int, n_samples: int, generator: np.random.Generator) -> float:
    """Return the root mean square of measured over true SNR, over coils and draws of white noise."""
    shape = (DIRECTIONS // n_coils, 1, n_coils, n_samples)
    draws = (generator.standard_normal(shape) + 1j * generator.standard_normal(shape)) / np.sqrt(2)
    squares = [np.diagonal(np.linalg.inv(covariance(samples))).real for samples in draws]
    return float(np.sqrt(np.mean(squares)))
