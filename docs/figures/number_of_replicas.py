"""What a number of pseudo replicas is worth: the random error of a map, and the bias that is taken out."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import NullLocator
from measured import measured
from style import BLUE, GREEN, ORANGE, save

from mroptimum.flags import Flags
from mroptimum.phantom import Phantom
from mroptimum.result import MapId
from mroptimum.snr.replicas import bias_of_inverse

NUMBERS = (5, 7, 10, 15, 20, 50, 100, 200, 500, 1000)
PHANTOM = Phantom(n_x=96, n_y=96, n_coils=8, n_noise_readouts=256, sigma=0.003)


def draw(folder: Path) -> None:
    """Draw `number_of_replicas.png`."""
    figure, (spread, bias) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    n = np.arange(5, 1001)
    for name, per_replica, colour, stated in (("b1", 2, BLUE, "2(n - 1)"), ("rss", 1, ORANGE, "n - 1")):
        tasks = {str(number): Flags(method="pmr", replicas=number) for number in NUMBERS}
        found = measured(PHANTOM, {"ac": Flags(), **tasks}, reconstruction=name)
        inside = found.truth.mask
        analytic = found.maps["ac"][MapId.SNR][inside]
        ratios = [found.maps[str(number)][MapId.SNR][inside] / analytic for number in NUMBERS]
        nu = per_replica * (n - 1)
        spread.plot(
            n, 100 / np.sqrt(2 * nu), color=colour, label=f"{name}: as stated, 1 / √(2$\\nu$), $\\nu$ = {stated}"
        )
        spread.plot(NUMBERS, [100 * ratio.std() for ratio in ratios], "o", color=colour, label=f"{name}: measured")
        c = np.array([bias_of_inverse(per_replica * (number - 1)) for number in NUMBERS])
        means = np.array([ratio.mean() for ratio in ratios])
        bias.plot(NUMBERS, 100 * (means * c - 1), "--", color=colour, label=f"{name}: without c($\\nu$)")
        bias.plot(NUMBERS, 100 * (means - 1), "o-", color=colour, label=f"{name}: as reported")
    spread.set(xscale="log", yscale="log", xlabel="number of replicas n", ylabel="random error of a voxel / %")
    spread.set_yticks((2, 5, 10, 20, 50), ("2", "5", "10", "20", "50"))
    spread.yaxis.set_minor_locator(NullLocator())
    bias.axhline(0, color=GREEN, linewidth=0.8)
    bias.set(xscale="log", xlabel="number of replicas n", ylabel="mean deviation from ac / %")
    for axes in (spread, bias):
        axes.set_xticks((5, 10, 100, 1000), ("5", "10", "100", "1000"))
        axes.legend()
    save(figure, folder / "number_of_replicas.png")
    plt.close(figure)
