"""g-factor of SENSE in a slab: the same acceleration in one direction, and shared by two."""

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

SLAB = Phantom(
    is_3d=True,
    n_x=64,
    n_y=64,
    n_slices=32,
    n_coils=32,
    n_calibration_lines=24,
    slice_thickness_mm=8.0,
    sigma=0.002,
)
SHARED = {(4, 1): 8.0, (2, 2): 1.5}
"""Accelerations of lines and of partitions, and the largest g that is told apart."""


def draw(folder: Path) -> None:
    """Draw `slabs.png`."""
    figure, rows = plt.subplots(2, 2, figsize=(4.8, 5), layout="constrained")
    for column, ((lines, partitions), largest) in enumerate(SHARED.items()):
        phantom = replace(SLAB, acceleration=lines, partition_acceleration=partitions)
        found = measured(phantom, {"sense": Flags(reconstruction="sense", coil_maps="espirit")})
        inside = found.truth.mask
        maps = {"truth": found.truth.sense_g, "measured": found.maps["sense"][MapId.SENSE_G]}
        for axes, (name, values) in zip(rows[:, column], maps.items(), strict=True):
            middle = len(values) // 2
            shown = np.where(inside[middle], values[middle], np.nan)
            image = axes.imshow(shown, cmap="magma", vmin=1, vmax=largest)
            axes.set(xticks=[], yticks=[], title=f"R = {lines} × {partitions}: mean {values[inside].mean():.2f}")
            axes.spines[:].set_visible(False)
            if column == 0:
                axes.set_ylabel(name)
        figure.colorbar(image, ax=rows[:, column], label="g-factor", location="bottom", extend="max", shrink=0.9)
    save(figure, folder / "slabs.png")
    plt.close(figure)
