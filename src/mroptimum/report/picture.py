"""Maps as pictures: colours, windows, and slices side by side as a radiologist expects to see them."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mroptimum.export.nifti import Volume
from mroptimum.result import MapId

_COLORMAPS = {
    MapId.SENSE_G: "magma",
    MapId.SENSE_INVERSE_G: "magma",
    MapId.GRAPPA_G: "magma",
    MapId.GRAPPA_INVERSE_G: "magma",
    MapId.IMAGE: "gray",
}
_LETTERS = (("L", "R"), ("P", "A"), ("I", "S"))
MAX_SLICES = 16
"""More slices than this are shown evenly picked."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """The range of values that a colour scale covers."""

    low: float
    high: float

    def ticks(self, count: int = 5) -> tuple[str, ...]:
        """Return evenly spaced values as text, low to high, in as many digits as tell them apart."""
        values = np.linspace(self.low, self.high, count)
        for digits in range(3, 17):
            texts = tuple(f"{value:.{digits}g}" for value in values)
            if len(set(texts)) == count:
                break
        return texts


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Slices of a map in rows and columns: a PNG as a data URL, its size in pixels, the letters at a slice's sides."""

    data_url: str
    width: int
    height: int
    rows: int
    columns: int
    sides: dict[str, str]
    caption: str


def window(volumes: Sequence[Volume], *, low: float | None = 0.0) -> Window:
    """Return a window from `low` (None: the smallest value) to the 99.5th percentile of what is not 0."""
    every = np.concatenate([volume.data.ravel() for volume in volumes])
    values = every[np.isfinite(every) & (every != 0)].astype(np.float64)
    if values.size == 0:
        return Window(low=0.0, high=1.0)
    bottom = float(values.min()) if low is None else low
    top = float(np.percentile(values, 99.5))
    return Window(low=bottom, high=top if top > bottom else bottom + 1.0)


def colormap_of(map_id: int) -> str:
    """Return the name of the colour map that a map is shown in."""
    return _COLORMAPS.get(map_id, "viridis")


def is_g_factor(map_id: int) -> bool:
    """Return whether a map is a g-factor, which starts at 1."""
    return map_id in {MapId.SENSE_G, MapId.GRAPPA_G}


def montage(volume: Volume, shown: Window, colormap: str) -> Picture:
    """Draw a volume's slices: patient's right to the left of the picture, head or nose up."""
    slices, sides = _slices(volume)
    picked = np.unique(np.linspace(0, len(slices) - 1, min(len(slices), MAX_SLICES)).round().astype(int))
    columns = int(np.ceil(np.sqrt(len(picked))))
    rows = -(-len(picked) // columns)
    high, wide = slices.shape[1:]
    sheet = np.full((rows * high, columns * wide), np.nan)
    for place, index in enumerate(picked):
        row, column = divmod(place, columns)
        sheet[row * high : (row + 1) * high, column * wide : (column + 1) * wide] = slices[index]
    count = f"{len(picked)} of {len(slices)} slices" if len(picked) < len(slices) else f"{len(slices)} slice(s)"
    return Picture(
        data_url=_png(_shades(sheet, shown), colormap),
        width=columns * wide,
        height=rows * high,
        rows=rows,
        columns=columns,
        sides=sides,
        caption=count,
    )


def gradient(colormap: str, steps: int = 16) -> str:
    """Return a colour scale as the stops of a CSS gradient, low to high."""
    from matplotlib import colormaps

    colours = colormaps[colormap](np.linspace(0, 1, steps), bytes=True)
    return ", ".join(f"#{r:02x}{g:02x}{b:02x}" for r, g, b, _ in colours)


def _slices(volume: Volume) -> tuple[NDArray[Any], dict[str, str]]:
    """Return slices (slice, row, column) and the letters at the sides of each."""
    if not volume.is_placed:
        return volume.data.transpose(2, 1, 0), {}
    across = volume.slice_axis
    horizontal, vertical = volume.grid.in_plane_axes
    slices = volume.data.transpose(across, vertical, horizontal)[:, ::-1, ::-1]
    return slices, {
        "left": _LETTERS[horizontal][1],
        "right": _LETTERS[horizontal][0],
        "top": _LETTERS[vertical][1],
        "bottom": _LETTERS[vertical][0],
    }


def _shades(values: NDArray[np.floating[Any]], shown: Window) -> NDArray[np.uint8]:
    """Return which colour of the palette each value has; `_NO_VALUE` where there is none."""
    scaled = np.clip((np.nan_to_num(values) - shown.low) / (shown.high - shown.low), 0.0, 1.0)
    return np.where(np.isfinite(values), np.rint(scaled * (_NO_VALUE - 1)), _NO_VALUE).astype(np.uint8)


_NO_VALUE = 255
"""The transparent one after 255 colours. A palette makes a picture half as large, 30 times faster, as colours do."""


def _png(shades: NDArray[np.uint8], colormap: str) -> str:
    from matplotlib import colormaps
    from PIL import Image

    image = Image.frombytes("P", shades.shape[::-1], shades.tobytes())
    # One colour more than there are, since Pillow takes only a palette's own colours for transparent.
    colours = colormaps[colormap](np.minimum(np.arange(_NO_VALUE + 1) / (_NO_VALUE - 1), 1.0), bytes=True)
    image.putpalette(np.ascontiguousarray(colours[:, :3]).tobytes())
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", transparency=_NO_VALUE)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
