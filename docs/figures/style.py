"""How figures look: colours that everybody can tell apart, units on every axis, small files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from PIL import Image
from threadpoolctl import threadpool_limits

BLUE, ORANGE, GREEN, PINK, BLACK = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000"
"""Okabe and Ito's colours."""
METHOD_COLOURS = {"ac": BLUE, "mr": ORANGE, "pmr": GREEN, "cr": PINK}
LARGEST_BYTES = 150_000
_PLAIN: dict[Any, Any] = {
    "backend": "agg",
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "image.interpolation": "nearest",
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw without a screen, plainly; compute with one BLAS thread, as `mroptimum.run` does."""
    with threadpool_limits(limits=1, user_api="blas"), mpl.rc_context(_PLAIN):
        yield


def save(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG, of 256 colours where more would be too large for a page.

    Raises `ValueError` where those are too large, too.
    """
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=100)
    with Image.open(drawn) as image:
        picture = image.convert("RGB")
        picture.save(path, optimize=True)
        if path.stat().st_size > LARGEST_BYTES:
            few = picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
            few.save(path, optimize=True)
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise ValueError(f"{path.name} has {size} bytes; {LARGEST_BYTES} are the most.")
