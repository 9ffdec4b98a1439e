"""g-factor of SENSE beside its truth, and of GRAPPA, at growing acceleration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from measured import measured
from style import save

from mroptimum.flags import Flags
from mroptimum.phantom import Phantom
from mroptimum.result import MapId

PHANTOM = Phantom(n_x=96, n_y=96, n_coils=16, n_calibration_lines=32, n_noise_readouts=256, sigma=0.002)
WINDOWS = {2: 1.5, 3: 3.0, 4: 8.0}
"""The largest g that is told apart, by R."""


def draw(folder: Path) -> None:
    """Draw `g_maps.png`."""
    figure, rows = plt.subplots(3, len(WINDOWS), figsize=(6.8, 6.4), layout="constrained")
    tasks = {name: Flags(reconstruction=name, coil_maps="espirit") for name in ("sense", "grappa")}
    for column, (factor, largest) in enumerate(WINDOWS.items()):
        found = measured(replace(PHANTOM, acceleration=factor), tasks)
        inside = found.truth.mask[0]
        maps = {
            "SENSE, truth": found.truth.sense_g[0],
            "SENSE, measured": found.maps["sense"][MapId.SENSE_G][0],
            "GRAPPA, measured": found.maps["grappa"][MapId.GRAPPA_G][0],
        }
        for axes, (name, values) in zip(rows[:, column], maps.items(), strict=True):
            image = axes.imshow(np.where(inside, values, np.nan), cmap="magma", vmin=1, vmax=largest)
            axes.set(xticks=[], yticks=[], title=f"R = {factor}: mean {values[inside].mean():.2f}")
            axes.spines[:].set_visible(False)
            if column == 0:
                axes.set_ylabel(name)
        figure.colorbar(image, ax=rows[:, column], label="g-factor", location="bottom", extend="max", shrink=0.9)
    save(figure, folder / "g_maps.png")
    plt.close(figure)
