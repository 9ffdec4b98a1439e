"""Noise as drawings: the correlation between coils, and how loud each coil is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup, escape

from mroptimum.noise import NoiseModel

_CELL = 18
_BAR_COLOUR, _ODD_COLOUR, _LINE_COLOUR = "#3b82c4", "#d1242f", "#7a8794"
"""Readable on light and dark paper; in the drawing itself, because not every renderer styles drawings by CSS."""
_ODD = 3.0
"""A coil this many times louder or quieter than the median is marked."""


def matrix_figure(noise: NoiseModel, names: Sequence[str]) -> Markup:
    """Draw the magnitude of the noise correlation as SVG, with the value of each cell as its title."""
    from matplotlib import colormaps

    magnitude = np.abs(noise.correlation)
    n_coils = len(magnitude)
    colours = colormaps["viridis"](magnitude, bytes=True)
    side = n_coils * _CELL
    cells = []
    for row in range(n_coils):
        for column in range(n_coils):
            red, green, blue, _ = colours[row, column]
            title = escape(f"{names[row]} × {names[column]}: {magnitude[row, column]:.3f}")
            cells.append(
                f'<rect x="{column * _CELL}" y="{row * _CELL}" width="{_CELL}" height="{_CELL}" '
                f'fill="#{red:02x}{green:02x}{blue:02x}"><title>{title}</title></rect>'
            )
    return Markup(  # noqa: S704 - every text in it is escaped above
        f'<svg viewBox="0 0 {side} {side}" role="img" aria-label="Noise correlation between {n_coils} coils">'
        f"{''.join(cells)}</svg>"
    )


def sigma_figure(noise: NoiseModel, names: Sequence[str]) -> Markup:
    """Draw the noise sd of each coil as bars, with the median as a line; odd coils are marked in words and colour."""
    sigma = noise.sigma
    median = float(np.median(sigma))
    top = max(float(sigma.max()), 2 * median)
    height, width = 140, len(sigma) * _CELL
    bars = []
    for coil, value in enumerate(sigma):
        tall = height * float(value) / top
        odd = value > _ODD * median or value < median / _ODD
        title = escape(f"{names[coil]}: {value:.4g}{' — unlike the others' if odd else ''}")
        bars.append(
            f'<rect fill="{_ODD_COLOUR if odd else _BAR_COLOUR}" x="{coil * _CELL + 2}" y="{height - tall:.1f}" '
            f'width="{_CELL - 4}" height="{tall:.1f}"><title>{title}</title></rect>'
        )
    line = height - height * median / top
    return Markup(  # noqa: S704 - every text in it is escaped above
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="Noise standard deviation of each coil">'
        f'{"".join(bars)}<line stroke="{_LINE_COLOUR}" stroke-dasharray="4 3" x1="0" x2="{width}" '
        f'y1="{line:.1f}" y2="{line:.1f}"/></svg>'
    )


def odd_coils(noise: NoiseModel, names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of coils whose noise is far from the median."""
    median = np.median(noise.sigma)
    return tuple(
        name for name, sigma in zip(names, noise.sigma, strict=True) if sigma > _ODD * median or sigma < median / _ODD
    )
