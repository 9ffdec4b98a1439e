"""SNR of one accelerated scan by each method, and its ratio to the truth."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from measured import FOUR, measured
from style import BLACK, METHOD_COLOURS, save

from mroptimum.phantom import Phantom
from mroptimum.result import MapId

PHANTOM = Phantom(
    n_x=128,
    n_y=128,
    n_coils=12,
    acceleration=2,
    n_calibration_lines=32,
    readout_oversampling=2,
    noise_bandwidth_ratio=0.79,
    n_noise_readouts=256,
    noise_dwell_time_s=5e-6,
    n_repetitions=20,
    sigma=0.004,
)


def draw(folder: Path) -> None:
    """Draw `methods.png`."""
    found = measured(PHANTOM, FOUR, reconstruction="sense")
    truth, inside = found.truth.sense_snr[0], found.truth.mask[0]
    snr = {name: maps[MapId.SNR][0] for name, maps in found.maps.items()}
    figure = plt.figure(figsize=(9, 5), layout="constrained")
    grid = figure.add_gridspec(2, 5, height_ratios=(1, 1.15))
    shown = []
    for column, (name, values) in enumerate({"truth": truth, **snr}.items()):
        axes = figure.add_subplot(grid[0, column])
        shown.append(axes)
        image = axes.imshow(np.where(inside, values, np.nan), vmin=0, vmax=float(np.percentile(truth[inside], 98)))
        axes.set(title=name, xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    figure.colorbar(image, ax=shown, label="SNR", shrink=0.8, aspect=14)
    axes = figure.add_subplot(grid[1, :])
    edges = np.linspace(0.7, 1.3, 121)
    for name, values in snr.items():
        ratio = values[inside] / truth[inside]
        label = f"{name}: median {np.median(ratio):.3f}, sd {ratio.std():.3f}"
        axes.hist(
            ratio, edges.tolist(), histtype="step", color=METHOD_COLOURS[name], density=True, label=label, linewidth=1.4
        )
    axes.axvline(1, color=BLACK, linewidth=0.8, linestyle=":")
    axes.set(xlabel="measured SNR / true SNR, voxels of the object", ylabel="density", xlim=(0.7, 1.3))
    axes.legend()
    save(figure, folder / "methods.png")
    plt.close(figure)
